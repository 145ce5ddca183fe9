"""Receipt codes are found again however people copy them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coverage.archive import receipts

sha256s = st.binary(min_size=32, max_size=32).map(bytes.hex)


@given(sha256s, st.randoms(use_true_random=False))
def test_a_code_is_read_back_however_it_was_copied(sha256: str, chance) -> None:
    code = receipts.code_of(sha256)
    letters = code[3:].replace("0", chance.choice("0Oo")).replace("1", chance.choice("1IlL"))
    for written in (code, letters, letters.replace("-", " "), f"ps{letters.replace('-', '')}".lower()):
        assert receipts.normal(written) == code
    assert sha256.startswith(receipts.begins(code))


@given(
    sha256s,
    st.lists(
        st.sampled_from("-\u2010\u2011\u2012\u2013\u2014\u2212\uff0d\u00ad \u00a0\u2009\u200b\ufeff._/"),
        max_size=4,
    ),
)
def test_no_kind_of_dash_or_space_matters(sha256: str, signs: list[str]) -> None:
    code = receipts.code_of(sha256)
    between = "".join(signs)
    assert receipts.normal(between + code.replace("-", between) + between) == code


def test_full_width_letters_are_letters() -> None:
    assert receipts.normal("ＰＳ－7K2QX－9F3MD") == receipts.normal("7k2qx9f3md") == "PS-7K2QX-9F3MD"


@given(st.text(max_size=20))
def test_what_is_no_code_is_none_or_a_code_of_ours(text: str) -> None:
    found = receipts.normal(text)
    assert found is None or receipts.normal(found) == found


def test_a_code_that_begins_like_its_prefix_keeps_its_letters() -> None:
    assert receipts.normal("PSPSPSPSPS") == "PS-PSPSP-SPSPS"
    assert receipts.normal("PS-PSPSP-SPSPS") == "PS-PSPSP-SPSPS"
    assert receipts.normal("PS-1234") is None
