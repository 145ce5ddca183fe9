"""What the environment says wrongly is refused by name, in both languages, before anything runs on it."""

from __future__ import annotations

import pytest

from coverage.errors import InputError
from coverage.settings import Settings, get_settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENGINE", "mysql"),
        ("ENGINE", "spark://host"),
        ("PUBLIC_URL", "phusong.vn"),
        ("PUBLIC_URL", "https://phusong.vn/?q"),
        ("HOSTS", "phusong.vn, http://other.vn"),
        ("PROXIES", "127.0.0.1, nginx"),
        ("PROXIES", "10.0.0.1/24"),  # an address where a network is meant: it would trust what was not meant
        ("PROXIES", "*"),
        ("LOG", "xml"),
    ],
)
def test_a_wrong_value_is_told_by_its_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"PHUSONG_{name}", value)
    with pytest.raises(InputError) as refused:
        get_settings()
    for text in (refused.value.vi, refused.value.en):
        assert f"PHUSONG_{name}" in text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENGINE", "spark://one:7077,two:7077"),
        ("PUBLIC_URL", "https://phusong.lamdong.vn:8443/song"),
        ("HOSTS", "phusong.vn, 10.1.2.3, [::1]"),
        ("PROXIES", "127.0.0.1, 10.0.0.0/24, ::1"),
        ("PROXIES", ""),
        ("LOG", "json"),
    ],
)
def test_a_right_value_is_taken(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"PHUSONG_{name}", value)
    assert getattr(get_settings(), name.lower()) == value


def test_nothing_said_gives_what_the_docs_say(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"PHUSONG_{name.upper()}", raising=False)
    settings = get_settings()
    assert (settings.proxies, settings.hosts, settings.public, settings.public_url) == ("", "", False, None)
