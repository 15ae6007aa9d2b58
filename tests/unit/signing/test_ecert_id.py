"""Identifiers of e-certificates: written after GB/T 36904, read as the field writes them, each deviation under its code."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing import ecert_id, ecert_reasons
from signing.ecert_id import Identifier, make, parse
from signing.errors import Malformed

GOOD = "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U"
CAPITALS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
codes = st.text(CAPITALS, min_size=18, max_size=18)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GOOD, ()),
        ("1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.0", ()),
        ("1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9", ("ecert-id-issuer",)),
        (
            "1.2.156.3005.2.062301.1101101102.0624_001.001.U",
            ("ecert-id-type", "ecert-id-issuer", "ecert-id-serial"),
        ),
        (
            "1.2.156.3005.2.11100000000013661B006.113700000045046442.209FA4E88F9E4C878F3E9BED2CE7EA49.001.M",
            ("ecert-id-check",),
        ),
        (GOOD.replace("3005", "3003"), ("ecert-id-root",)),
        (GOOD.replace(".001.U", ".000.W"), ("ecert-id-version",)),
        (GOOD.replace(".001.U", ".01.W"), ("ecert-id-version",)),
    ],
)
def test_identifiers_of_the_field_are_read_with_their_findings(text: str, expected: tuple[str, ...]) -> None:
    read = parse(text)
    assert str(read) == text
    assert tuple(code for code in read.findings if code != "ecert-id-check" or code in expected) == expected


@pytest.mark.parametrize(
    "text",
    [
        "", GOOD[:-2], GOOD + "X", GOOD + "\n", "1.2.a.b.c.001.d.", "..a.b.c.001.d", "1.a.b.c\u0661.001.d",
        "1.a.b.c.001.d" + "e" * 260, "1." * 200 + "a.b.c.1.d",
    ],
)  # fmt: skip
def test_what_has_no_such_parts_is_malformed(text: str) -> None:
    with pytest.raises(Malformed, match="ecert-id-form"):
        parse(text)


@given(codes, st.integers(0, 999), codes, st.text(CAPITALS, min_size=1, max_size=64), st.integers(1, 998))
def test_what_is_made_reads_back_and_the_next_version_shares_its_series(
    body: str, number: int, issuer: str, serial: str, version: int
) -> None:
    made = make(f"{body}{number:03d}", issuer, serial, version)
    assert parse(str(made)) == made and made.findings == () and made.check == made.wanted
    following = made.reissued()
    assert following.series == made.series and int(following.version) == version + 1 and following.findings == ()


@given(codes, st.data())
def test_the_check_character_finds_every_single_substitution(serial: str, data: st.DataObject) -> None:
    """ISO 7064 MOD 37,36 is a pure system: one changed character never goes unseen."""
    made = make("11100000000013338W011", "11430000006122244L", serial)
    at = data.draw(st.integers(0, len(serial) - 1))
    other = data.draw(st.sampled_from(CAPITALS.replace(serial[at], "")))
    altered = Identifier(
        made.root, made.type_code, made.issuer, serial[:at] + other + serial[at + 1 :], "001", made.check
    )
    assert altered.findings == ("ecert-id-check",)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (("11100000000013338W01", "11430000006122244L", "1"), "ecert-id-type"),
        (("11100000000013338W011", "340100", "1"), "ecert-id-issuer"),
        (("11100000000013338W011", "11430000006122244L", "a"), "ecert-id-serial"),
        (("11100000000013338W011", "11430000006122244L", ""), "ecert-id-serial"),
        (("11100000000013338W011", "11430000006122244L", "1", 0), "ecert-id-version"),
        (("11100000000013338W011", "11430000006122244L", "1", 1000), "ecert-id-version"),
    ],
)
def test_none_is_made_that_the_standard_does_not_know(given: tuple[str, str, str, int], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        make(*given)


def test_every_finding_has_its_words() -> None:
    assert set(ecert_id._FORMS) < set(ecert_reasons.WORDS)
