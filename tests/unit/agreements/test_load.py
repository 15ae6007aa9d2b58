"""Agreement files, good and bad, named by their defect: what is wrong, in which line, what was probably meant."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agreements import samples
from agreements.diff import diff
from agreements.load import DOMAIN, MARK, PartySignature, digest, message, parse, with_signature
from agreements.match import Book, Held
from agreements.problems import AgreementError
from tests.unit.agreements.places import TEXT, A, B, signed

AT = "2026-01-05T01:00:00Z"
LINE = PartySignature(A, AT, b"certificate", b"signature")


def refused(data: bytes) -> AgreementError:
    with pytest.raises(AgreementError) as caught:
        parse(data)
    assert any("\u4e00" <= x <= "\u9fff" for x in caught.value.zh)
    return caught.value


def replaced(old: str, new: str) -> bytes:
    assert old in TEXT.decode()
    return TEXT.decode().replace(old, new, 1).encode()


def line_number(old: str) -> int:
    return TEXT.decode().split(old)[0].count("\n") + 1


@pytest.mark.parametrize(
    ("old", "new", "code", "at"),
    [
        ("in_force", "in_froce", "unknown-field", "in_force"),
        ('power = "collect"', 'power = "all"', "not-allowed", 'power = "collect"'),
        ("days = 20", 'days = "20"', "wrong-type", "days = 20"),
        ("days = 20", "days = 400", "out-of-range", "days = 20"),
        ('unit = "working"', 'unit = "workin"', "not-allowed", 'unit = "working"'),
        ("expires = 2030-12-31", "expires = 2020-12-31", "term-order", "expires"),
        ("expires = 2030-12-31", "expires = 2030-12-32", "bad-toml", "expires"),
        ('"QX-TB-001",', '"QX-TB-001", "QX-TB-099",', "line-item", "items = ["),
        ('division = "360113"', 'division = "360123"', "party-division", 'division = "360113"'),
        ('version = 1\napplicant', 'version = 1.5\napplicant', "wrong-type", "version = 1\napplicant"),
        ('required = "yes"', 'requird = "yes"', "unknown-field", "materials = ["),
        ("[clauses]", "[clause]", "unknown-field", "[clauses]"),
        ('"end-to-end"', '"hidden"', "not-allowed", 'confidentiality = "end-to-end"'),
        ('confidentiality = "第八条"\n', "", "confidentiality-clause", "[clauses]"),
        ('purposes = ["跨省通办收件与办理", "办理结果送达"]', "purposes = []", "empty", "purposes"),
        ('code = "QX-TB-002"', 'code = "QX-TB-001"', "item-twice", 'code = "QX-TB-002"'),
        ("[[line]]", "[[line", "bad-toml", "[[line]]"),
    ],
)  # fmt: skip
def test_a_defect_is_named_with_its_line(old: str, new: str, code: str, at: str) -> None:
    error = refused(replaced(old, new))
    assert error.code == code
    assert f"line {line_number(at)}" in error.where


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [("in_force", "in_froce", "in_force"), ("requird", "requird", "required"), ("days", "dais", "days")],
)
def test_a_mistyped_key_is_guessed(old: str, new: str, hint: str) -> None:
    data = replaced(old, new) if old != "requird" else replaced("required", new)
    error = refused(data)
    assert f"“{hint}”" in error.zh and f"did you mean {hint}?" in error.en


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('format = "tongban/agreement/1"', 'format = "tongban/agreement/2"', "not-allowed"),
        ('format = "tongban/agreement/1"\n', "", "missing-field"),
        (f'id = "{B}"', f'id = "{A}"', "party-division"),
        (f'id = "{A}"', f'id = "{A[:-1]}Y"', "party-uscc"),
        (f'id = "{A}"', 'id = "420104"', "too-short"),
        (f'handling = ["{B}"]', f'handling = ["{A}"]', "line-alone"),
        (f'handling = ["{B}"]', f'handling = ["{B[:-1]}0"]', "line-party"),
        ("[[party]]", "[[partie]]", "unknown-field"),
        ('name = "武汉市硚口区"', 'name = "武汉\\u001b[2J市"', "bad-character"),
        ('name = "武汉市硚口区"', 'name = "武汉\u202e市"', "bad-character"),
    ],
)  # fmt: skip
def test_other_defects(old: str, new: str, code: str) -> None:
    assert refused(replaced(old, new)).code == code


def test_the_same_party_twice() -> None:
    text = TEXT.decode()
    block = text[text.index("[[party]]") : text.index("[[party]]", text.index("[[party]]") + 1)]
    assert refused(text.replace("[[line]]", block + "[[line]]").encode()).code == "party-twice"


@pytest.mark.parametrize("data", [b"\xff", TEXT + b"\xff", "硚口".encode("gbk")])
def test_what_is_no_utf8(data: bytes) -> None:
    assert refused(data).code == "not-utf8"


def test_a_file_beyond_its_size_or_depth() -> None:
    assert refused(b"#" * (5 << 20)).code == "too-large"
    assert refused(b"a = " + b"[" * 5000).code == "bad-toml"


def test_the_file_stays_toml_and_the_text_stays_byte_for_byte() -> None:
    data = signed()
    assert data.startswith(TEXT) and tomllib.loads(data.decode()) == tomllib.loads(TEXT.decode())
    found = parse(data)
    assert found.text == TEXT and found.data == data and [s.party for s in found.signatures] == [A, B]
    assert found.agreement == parse(TEXT).agreement


def test_the_signed_bytes_are_those_of_the_form() -> None:
    assert message(TEXT, A, AT) == DOMAIN + A.encode() + b"\n" + AT.encode() + b"\n" + bytes.fromhex(digest(TEXT))
    assert LINE.line().decode() == f"{MARK}{A} {AT} Y2VydGlmaWNhdGU= c2lnbmF0dXJl\n"


@pytest.mark.parametrize(
    "line",
    [
        f"{A} {AT} Y2VydGlmaWNhdGU=", f"{A} {AT} Y2VydGlmaWNhdGU c2lnbmF0dXJl", f"{A}  {AT} Y2VydGlmaWNhdGU= c2lnbmF0dXJl",
        f"{A} 2026-01-05T01:00:00+00:00 Y2VydGlmaWNhdGU= c2lnbmF0dXJl", f"{A} 2026-13-05T01:00:00Z Y2U= c2ln",
        f"{A} {AT} Y2VydGlmaWNhdGU= c2lnbmF0dXJl x", f"{A} {AT} Y2VydGlmaWNhdGU= c2lnbmF0dXJm\r", f"{A} {AT} - -",
        f"{A} {AT} Y2VydGlmaWNhdGV= c2lnbmF0dXJl",
    ],
)  # fmt: skip
def test_a_signature_line_has_one_writing(line: str) -> None:
    error = refused(TEXT + f"{MARK}{line}\n".encode())
    assert error.code == "signature-line" and f"line {len(TEXT.splitlines()) + 1}" in error.where


def test_text_after_the_signatures() -> None:
    for more in (b"[[line]]\n", b"# comment\n", b"\n\n", b"x = 1\n"):
        assert refused(TEXT + LINE.line() + more).code == "text-after-signature"


def test_a_stranger_and_a_second_signature() -> None:
    stranger = PartySignature(B[:6] + A[6:], AT, b"c", b"s")
    assert refused(TEXT + stranger.line()).code == "signature-by-stranger"
    assert refused(TEXT + LINE.line() * 2).code == "signed-twice"
    with pytest.raises(AgreementError, match="twice"):
        with_signature(TEXT + LINE.line(), LINE)


def test_a_text_without_a_last_line_feed_takes_no_signature() -> None:
    assert parse(TEXT.rstrip(b"\n")).signatures == []
    assert refused(TEXT.rstrip(b"\n") + LINE.line()).code == "mark-in-text"


@given(st.binary(max_size=200))
def test_any_bytes_are_an_agreement_or_a_refusal(data: bytes) -> None:
    for candidate in (data, TEXT + data, TEXT + LINE.line() + data):
        try:
            assert parse(candidate).data == candidate
        except AgreementError as error:
            assert error.code


def test_confidentiality_is_end_to_end_in_a_new_agreement_and_not_where_an_older_one_does_not_say() -> None:
    new = parse(TEXT).agreement
    assert (new.confidentiality, new.clauses.confidentiality) == ("end-to-end", "第八条")
    older = parse(replaced('confidentiality = "end-to-end"\n', "")).agreement
    assert older.confidentiality == "transport"
    [change] = [one for one in diff(new, older) if one.key == "confidentiality"]
    assert "end-to-end → transport" in change.zh


def test_what_may_not_travel_unsealed_is_refused_with_the_clause() -> None:
    new = Book([Held(parse(TEXT).agreement, frozenset())])
    found = new.not_sealed(samples.AGREEMENT_ID, 1)
    assert found is not None and found.code == "not-sealed" and found.clause.endswith("第八条")
    older = Book([Held(parse(replaced('"end-to-end"', '"transport"')).agreement, frozenset())])
    assert older.not_sealed(samples.AGREEMENT_ID, 1) is None
    assert new.not_sealed(samples.AGREEMENT_ID, 9) is None, "a version that is not held says nothing"
