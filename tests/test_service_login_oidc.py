"""Login by an OpenID provider: who gets in, what a forged answer opens, and what stays when the provider is away."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from provider import CLIENT, SECRET, Misdeeds, Provider
from serving import free_port, problem, running
from snapshots import snapshot, workspace_with

from coverage.archive import accounts, audit, sessions
from coverage.archive.workspace import Workspace, open_workspace
from coverage.callers import Caller
from coverage.errors import AccessRefused, InputError
from coverage.service import provider as service_provider
from coverage.service.app import create_app
from coverage.service.problems import Refusal
from coverage.service.provider import provider_of
from coverage.settings import Settings, get_settings

PASSWORD = "đường về bản xa"  # noqa: S105 - of an account of these tests
COOKIE = "phusong_login"


def by(issuer: str) -> dict[str, str]:
    return {"oidc_issuer": issuer, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET}


class Login:
    """A service, its provider, and browsers."""

    def __init__(self, workspace: Workspace, address: str, provider: Provider) -> None:
        self.workspace = workspace
        self.address = address
        self.provider = provider

    def browser(self, **more: object) -> httpx.Client:
        return httpx.Client(base_url=self.address, timeout=60, **more)  # type: ignore[arg-type]

    def way_back(self, browser: httpx.Client, page: str = "/kpi.json") -> str:
        """The address to which the provider sends the browser, not asked for yet."""
        out = browser.get("/login/oidc", params={"next": page})
        assert (out.status_code, out.headers["cache-control"]) == (303, "no-store")
        back = browser.get(out.headers["location"])
        assert back.status_code == 302
        return back.headers["location"]

    def last_entry(self) -> tuple[str, str, object]:
        (entry,) = audit.entries(self.workspace, limit=1)
        return entry.action, entry.caller, entry.about.get("issuer")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Login]:
    shown = snapshot(6)
    workspace = workspace_with(tmp_path_factory.mktemp("oidc"), shown)
    accounts.add(workspace, Caller("Lan Anh", "planner"), PASSWORD)
    provider = Provider()
    accounts.add_subject(workspace, Caller("An Nguyễn", "viewer"), provider.issuer, "an-1")
    accounts.add_subject(workspace, Caller("Bình", "viewer"), provider.issuer, "binh-2")
    accounts.disable(workspace, "Bình")
    told = by(provider.issuer)
    with provider.answering(), running(workspace.root, workers=0, processes=2, **told) as service:
        yield Login(workspace, service.address, provider)


@pytest.fixture
def login(kept: Login) -> Login:
    kept.provider.misdeeds, kept.provider.subject = Misdeeds(), "an-1"
    return kept


def refused(answer: httpx.Response, status: int = 401) -> str:
    """The page of the form that says why, without any session."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert 'role="alert"' in answer.text
    assert 'name="password"' in answer.text
    assert "phusong_session" not in answer.headers.get("set-cookie", "")
    return answer.text


def test_a_person_gets_in_by_the_provider_and_out_again(login: Login) -> None:
    with login.browser(follow_redirects=True) as browser:
        assert 'href="/login/oidc?next=/kpi.json"' in browser.get("/login?next=/kpi.json").text
        got = browser.get("/login/oidc?next=/kpi.json")
        assert (got.status_code, got.url.path) == (200, "/kpi.json")
        assert login.last_entry() == ("login", "An Nguyễn", login.provider.issuer)
        session = browser.cookies["phusong_session"]
        assert COOKIE not in browser.cookies  # it was for one use
        assert browser.get("/v1/deliveries").status_code == 403  # a viewer may not, and is known as one
        out = browser.post("/logout", headers={"Origin": login.address}, follow_redirects=False)
        assert out.status_code == 303
        assert browser.get("/kpi.json").status_code == 401
    with pytest.raises(AccessRefused):
        sessions.session(login.workspace, session)


def test_the_attempt_travels_in_a_cookie_that_no_script_reads(login: Login) -> None:
    with login.browser() as browser:
        out = browser.get("/login/oidc")
        told = {part.strip() for part in out.headers["set-cookie"].split(";")}
        assert {"HttpOnly", "SameSite=lax", "Path=/login", "Max-Age=600"} <= told
        asked = parse_qs(urlsplit(out.headers["location"]).query)
        assert asked["redirect_uri"] == [f"{login.address}/login/oidc/callback"]
        assert all(len(asked[name][0]) == 43 for name in ("state", "nonce", "code_challenge"))
        again = parse_qs(urlsplit(browser.get("/login/oidc").headers["location"]).query)
        assert not any(asked[name] == again[name] for name in ("state", "nonce", "code_challenge"))


def test_any_process_takes_up_what_another_began(login: Login) -> None:
    for _ in range(8):  # a new connection each time: either process may get it
        with login.browser(limits=httpx.Limits(max_keepalive_connections=0)) as browser:
            answer = browser.get(login.way_back(browser))
            assert (answer.status_code, answer.headers["location"]) == (303, "/kpi.json")


@pytest.mark.parametrize("subject", ["nobody-9", "binh-2", "$(reboot)'<b>"])
def test_who_has_no_account_is_told_what_the_administrator_needs(login: Login, subject: str) -> None:
    login.provider.subject = subject
    with login.browser(headers={"Cookie": "lang=en"}) as browser:
        back = login.way_back(browser)
        page = refused(browser.get(back, headers={"Cookie": f"lang=en; {COOKIE}={browser.cookies[COOKIE]}"}))
    assert login.last_entry() == ("login.refused", subject, login.provider.issuer)
    assert f"--oidc-issuer {login.provider.issuer} --oidc-subject" in page
    assert "<b>" not in page.partition("<main")[2]
    shown = {"$(reboot)'<b>": "&#x27;$(reboot)&#x27;"}.get(subject, f"--oidc-subject {subject}")
    assert shown in page
    assert 'value="/kpi.json"' in page  # by a password one goes on to the page that was asked for


@pytest.mark.parametrize("page", ["//evil.example/", "/\\evil.example", "https://evil.example", "/\n/x"])
def test_it_leads_to_pages_of_ours_only(login: Login, page: str) -> None:
    with login.browser() as browser:
        answer = browser.get(login.way_back(browser, page))
        assert (answer.status_code, answer.headers["location"]) == (303, "/")


# --- what a browser brings back


def test_another_state_opens_nothing_and_ends_nothing(login: Login) -> None:
    with login.browser() as browser:
        back = login.way_back(browser)
        count = audit.verify(login.workspace).number
        for wrong in ("x", "", "é", browser.cookies[COOKIE]):
            address = httpx.URL(back).copy_set_param("state", wrong)
            refused(browser.get(address))
        assert audit.verify(login.workspace).number == count  # strangers write no rows
        assert browser.get(back).status_code == 303


def test_a_way_back_is_for_one_use(login: Login) -> None:
    with login.browser() as browser:
        back = login.way_back(browser)
        attempt = browser.cookies[COOKIE]
        assert browser.get(back).status_code == 303
        browser.cookies.clear()
        refused(browser.get(back))
        kept = {
            "Cookie": f"{COOKIE}={attempt}"
        }  # whoever kept it meets the provider, which takes a code once
        assert "invalid_grant" in refused(browser.get(back, headers=kept))


def test_a_way_back_is_for_the_browser_that_went_out(login: Login) -> None:
    with login.browser() as mine, login.browser() as other:
        back = login.way_back(mine)
        refused(other.get(back))
        login.way_back(other)
        refused(other.get(back))
        assert "phusong_session" not in other.cookies


def test_an_attempt_that_was_touched_is_none(login: Login) -> None:
    with login.browser() as browser:
        back = login.way_back(browser)
        told = browser.cookies[COOKIE]
        end = "A" if told[-2] != "A" else "B"
        for wrong in (
            f"x{told}",
            told[:-2] + end + told[-1],
            told.rsplit(".", 1)[0],
            "",
            ".",
            "é",
            "a" * 3000,
        ):
            sent = f"{COOKIE}={wrong}".encode()
            refused(httpx.get(back, headers={"Cookie": sent}, timeout=60))


def test_a_person_may_cancel(login: Login) -> None:
    login.provider.misdeeds = Misdeeds(way_back={"error": "access_denied", "error_description": "<script>"})
    with login.browser() as browser:
        page = refused(browser.get(login.way_back(browser)))
        assert "bấm huỷ" in page
        assert "<script>" not in page
        assert COOKIE not in browser.cookies
        login.provider.misdeeds = Misdeeds(way_back={"error": "<b>"})
        assert "(?)" in refused(browser.get(login.way_back(browser)))
        login.provider.misdeeds = Misdeeds(way_back={"iss": "http://127.0.0.1/other"})
        refused(browser.get(login.way_back(browser)))


def test_the_form_stays_a_form_when_its_language_is_changed(login: Login) -> None:
    with login.browser() as browser:
        page = refused(browser.get("/login/oidc/callback?state=x"))
        switch = page.partition('id="language" href="')[2].partition('"')[0].replace("&amp;", "&")
        english = browser.get(switch)
        assert english.status_code == 200
        assert "Log in" in english.text


# --- what the provider says


def from_now(seconds: int) -> Callable[[], int]:
    """The time that is so many seconds later than when it is asked for."""
    return lambda: int(time.time()) + seconds


LIES: dict[str, Misdeeds] = {
    "wrong nonce": Misdeeds(claims={"nonce": "x"}),
    "no nonce": Misdeeds(claims={"nonce": None}),
    "expired": Misdeeds(claims={"exp": from_now(-3600)}),
    "never expires": Misdeeds(claims={"exp": None}),
    "no number": Misdeeds(claims={"exp": "tomorrow"}),
    "from the future": Misdeeds(claims={"iat": from_now(3600)}),
    "no iat": Misdeeds(claims={"iat": None}),
    "wrong audience": Misdeeds(claims={"aud": "another"}),
    "another's audience, our party": Misdeeds(claims={"aud": "another", "azp": CLIENT}),
    "no audience": Misdeeds(claims={"aud": None}),
    "another's among several": Misdeeds(claims={"aud": [CLIENT, "another"], "azp": "another"}),
    "several and no party": Misdeeds(claims={"aud": [CLIENT, "another"]}),
    "another party": Misdeeds(claims={"azp": "another"}),
    "wrong issuer": Misdeeds(claims={"iss": "https://evil.example"}),
    "no issuer": Misdeeds(claims={"iss": None}),
    "nobody": Misdeeds(claims={"sub": None}),
    "empty": Misdeeds(claims={"sub": ""}),
    "a number": Misdeeds(claims={"sub": 1}),
    "another access token": Misdeeds(claims={"at_hash": "x"}),
    "alg none": Misdeeds(forged="none"),
    "alg None": Misdeeds(forged="None"),
    "HS256 by the public key": Misdeeds(forged="HS256"),
    "an algorithm that was not chosen": Misdeeds(header={"alg": "RS512"}, claims={"at_hash": None}),
    "another key": Misdeeds(forged="other_key"),
    "unknown kid": Misdeeds(header={"kid": "x"}),
    "kid of another use": Misdeeds(header={"kid": "for-encryption"}),
    "critical header": Misdeeds(header={"crit": ["of-ours"], "of-ours": "x"}),
    "no ID token": Misdeeds(token_answer=b'{"access_token": "x", "token_type": "Bearer"}'),
    "no text": Misdeeds(token_answer=b'{"access_token": "x", "id_token": 7}'),
    "no token": Misdeeds(token_answer=b'{"access_token": "x", "id_token": "a.b"}'),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_wrong_answer_of_the_provider_opens_nothing(login: Login, lie: str) -> None:
    login.provider.misdeeds = LIES[lie]
    with login.browser() as browser:
        refused(browser.get(login.way_back(browser)))
        assert login.last_entry() == ("login.refused", "?", login.provider.issuer)


@pytest.mark.parametrize(
    "truth",
    [
        Misdeeds(claims={"aud": [CLIENT]}),
        Misdeeds(claims={"aud": [CLIENT, "another"], "azp": CLIENT}),
        Misdeeds(claims={"exp": from_now(30), "at_hash": None, "email": "an@lamdong.gov.vn"}),
        Misdeeds(header={"kid": None}),  # there is but one that signs
        Misdeeds(header={"x5t": "of a certificate", "of-ours": "x"}),
    ],
)
def test_what_a_provider_may_say_otherwise_opens_as_well(login: Login, truth: Misdeeds) -> None:
    login.provider.misdeeds = truth
    with login.browser() as browser:
        assert browser.get(login.way_back(browser)).status_code == 303


@pytest.mark.parametrize(("kind", "same_name"), [("RSA", False), ("EC", False), ("RSA", True)])
def test_keys_may_change_at_any_time(login: Login, kind: str, same_name: bool) -> None:
    for _ in range(3):
        with login.browser() as browser:
            assert browser.get(login.way_back(browser)).status_code == 303
    login.provider.rotate(kind, kid=login.provider.keys[0].kid if same_name else None)
    asked = len(login.provider.asked)
    for _ in range(6):
        with login.browser() as browser:
            assert browser.get(login.way_back(browser)).status_code == 303
    assert login.provider.asked[asked:].count("jwks") <= 2  # once for each process


@pytest.mark.parametrize(
    ("misdeeds", "status", "said"),
    [
        (Misdeeds(token_status=500), 503, "không trả lời được"),
        (Misdeeds(token_status=404), 503, "không trả lời được"),
        (Misdeeds(token_answer=b"[]"), 503, "không trả lời được"),
        (Misdeeds(token_answer=b"{"), 503, "không trả lời được"),
        (Misdeeds(token_status=401, token_answer=b'{"error": "invalid_client"}'), 401, "invalid_client"),
        (Misdeeds(token_status=400, token_answer=b'{"error": {"a": "<b>"}}'), 401, "(?)"),
    ],
)
def test_a_provider_that_fails_is_told_apart(
    login: Login, misdeeds: Misdeeds, status: int, said: str
) -> None:
    login.provider.misdeeds = misdeeds
    with login.browser() as browser:
        answer = browser.get(login.way_back(browser))
        assert said in refused(answer, status)
        assert ("retry-after" in answer.headers) == (status == 503)
        entered = browser.post("/login", data={"name": "Lan Anh", "password": PASSWORD})
        assert entered.status_code == 303  # the form beside it works


# --- one process, from within


def asked(workspace: Workspace, *paths: str, **form: str) -> list[httpx.Response]:
    """The answers of a service of its own to these paths, then to the form."""

    async def all_of() -> list[httpx.Response]:
        there = httpx.ASGITransport(create_app(workspace))
        async with httpx.AsyncClient(transport=there, base_url="http://127.0.0.1") as browser:
            got = [await browser.get(path) for path in paths]
            return [*got, await browser.post("/login", data=form)] if form else got

    return asyncio.run(all_of())


def test_without_its_provider_people_with_a_password_get_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = open_workspace(tmp_path)
    accounts.add(workspace, Caller("Lan Anh", "planner"), PASSWORD)
    for name, value in by(f"http://127.0.0.1:{free_port()}").items():
        monkeypatch.setenv(f"PHUSONG_{name.upper()}", value)
    way = "/login/oidc?next=/kpi.json"
    first, second, entered = asked(workspace, way, f"{way}&lang=en", name="Lan Anh", password=PASSWORD)
    assert "không trả lời được" in refused(first, 503)
    assert first.headers["retry-after"] == "5"
    assert 'value="/kpi.json"' in first.text
    assert "no usable answer" in refused(second, 503)
    assert (entered.status_code, entered.headers["location"]) == (303, "/")


def test_a_service_without_a_provider_has_no_way_to_one(tmp_path: Path) -> None:
    form, *ways = asked(
        open_workspace(tmp_path), "/login", "/login/oidc", "/login/oidc/callback?state=x&code=y"
    )
    assert "oidc" not in form.text
    for one in ways:
        problem(one, 404, "not_found")


def test_the_provider_is_told_the_public_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = Provider()
    public = "https://phusong.example.vn"
    for name, value in {**by(there.issuer), "public_url": public}.items():
        monkeypatch.setenv(f"PHUSONG_{name.upper()}", value)
    with there.answering():
        (out,) = asked(open_workspace(tmp_path), "/login/oidc")
    assert parse_qs(urlsplit(out.headers["location"]).query)["redirect_uri"] == [
        f"{public}/login/oidc/callback"
    ]
    assert "Secure" in out.headers["set-cookie"]


def known(workspace: Workspace, issuer: str) -> service_provider.Provider:
    found = provider_of(workspace, Settings(**by(issuer)))  # type: ignore[arg-type]
    assert found is not None
    return found


def test_the_description_is_asked_for_once_and_kept(tmp_path: Path) -> None:
    there = Provider()
    there.misdeeds.slow_s = 0.2
    ours = known(open_workspace(tmp_path), there.issuer)

    async def many() -> None:
        await asyncio.gather(*(ours.begin("http://127.0.0.1/back", "/") for _ in range(20)))

    with there.answering():
        asyncio.run(many())
    assert there.asked == ["openid-configuration"]


def test_a_provider_that_hangs_keeps_nobody_waiting_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_provider, "_PATIENCE_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as hung:
        ours = known(open_workspace(tmp_path), f"http://127.0.0.1:{hung.getsockname()[1]}")

        async def many() -> list[object]:
            asked = (ours.begin("http://127.0.0.1/back", "/") for _ in range(20))
            return list(await asyncio.gather(*asked, return_exceptions=True))

        began = time.monotonic()
        told = asyncio.run(many())
    assert all(isinstance(one, Refusal) and one.status == 503 for one in told)
    assert time.monotonic() - began < 2.0  # not one after the other


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "http://127.0.0.1:1/another"},
        {"token_endpoint": "http://id.example.vn/token"},  # the secret would be read on the way
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": None},
    ],
)
def test_a_description_that_leads_astray_is_not_followed(tmp_path: Path, wrong: dict[str, object]) -> None:
    there = Provider()
    there.misdeeds.description = wrong
    ours = known(open_workspace(tmp_path), there.issuer)
    with there.answering(), pytest.raises(Refusal) as told:
        asyncio.run(ours.begin("http://127.0.0.1/back", "/"))
    assert told.value.status == 503


def test_the_secret_is_shown_in_the_way_that_the_provider_takes(tmp_path: Path) -> None:
    there = Provider()
    workspace = open_workspace(tmp_path)

    async def entered() -> str:
        ours = known(workspace, there.issuer)
        address, cookie = await ours.begin("http://127.0.0.1/back", "/")
        back = httpx.get(address).headers["location"]
        said = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}
        return await ours.subject(ours.resumed(cookie, said["state"]), "http://127.0.0.1/back", said)

    with there.answering():
        for ways in (None, ["client_secret_post", "client_secret_basic"], ["client_secret_post"]):
            there.misdeeds.description = {"token_endpoint_auth_methods_supported": ways}
            assert asyncio.run(entered()) == "an-1"
    assert there.proofs == ["basic", "basic", "post"]


def test_an_attempt_is_valid_for_ten_minutes_and_in_its_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = Provider()
    mine, other = (known(open_workspace(tmp_path / name), there.issuer) for name in ("a", "b"))
    with there.answering():
        address, cookie = asyncio.run(mine.begin("http://127.0.0.1/back", "/guide"))
    (state,) = parse_qs(urlsplit(address).query)["state"]
    assert mine.resumed(cookie, state).page == "/guide"
    with pytest.raises(AccessRefused):
        other.resumed(cookie, state)
    now = time.time()
    for age, is_valid in ((590, True), (610, False)):
        monkeypatch.setattr(time, "time", lambda age=age: now + age)
        if is_valid:
            mine.resumed(cookie, state)
        else:
            with pytest.raises(AccessRefused):
                mine.resumed(cookie, state)


# --- settings


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"ISSUER": "https://id.vn"}, "PHUSONG_OIDC_CLIENT_ID, PHUSONG_OIDC_CLIENT_SECRET"),
        ({"CLIENT_SECRET": SECRET}, "PHUSONG_OIDC_ISSUER"),
        ({"ISSUER": "https://id.vn", "CLIENT_ID": "a", "CLIENT_SECRET": ""}, "PHUSONG_OIDC_CLIENT_SECRET"),
        ({"ISSUER": "http://id.vn", "CLIENT_ID": "a", "CLIENT_SECRET": SECRET}, "http://id.vn"),
        ({"ISSUER": "https://id.vn?x", "CLIENT_ID": "a", "CLIENT_SECRET": SECRET}, "https://id.vn"),
        ({"ISSUER": "https://an@id.vn", "CLIENT_ID": "a", "CLIENT_SECRET": SECRET}, "https://an@id.vn"),
        ({"ISSUER": "http://localhost.evil.vn", "CLIENT_ID": "a", "CLIENT_SECRET": SECRET}, "https://"),
        ({"ISSUER": "https://id.vn", "CLIENT_ID": "a", "CLIENT_SECRET": f"{SECRET}é"}, "ASCII"),
    ],
)
def test_half_a_provider_is_refused_without_its_secret(
    monkeypatch: pytest.MonkeyPatch, said: dict[str, str], told: str
) -> None:
    for name, value in said.items():
        monkeypatch.setenv(f"PHUSONG_OIDC_{name}", value)
    with pytest.raises(InputError) as fault:
        get_settings()
    assert told in fault.value.vi
    assert told in fault.value.en
    assert SECRET not in str(fault.value)


def test_a_whole_provider_or_none_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ISSUER", "CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.setenv(f"PHUSONG_OIDC_{name}", "")
    assert not get_settings().oidc_issuer
    for issuer in ("https://id.vn/realms/lam-dong", "http://localhost:8080", "http://[::1]:80/x"):
        told = Settings(**by(issuer))  # type: ignore[arg-type]
        assert SECRET not in repr(told)
        assert SECRET not in told.model_dump_json()
