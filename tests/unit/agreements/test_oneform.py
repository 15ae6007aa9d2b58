"""One form for several items (F4): asked once, taken apart again without losing or inventing anything."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agreements import oneform
from agreements.oneform import Asked, OneForm, Part
from schemas.canonical import Applicant, Application, CertificateReference, Identity, Material
from schemas.errors import Invalid

KEYS = st.sampled_from(["姓名", "住址", "事由", "电话", "单位"])
PARTS = st.lists(
    st.tuples(st.dictionaries(KEYS, KEYS, max_size=4), st.lists(st.sampled_from("甲乙丙"), unique=True, max_size=3)),
    min_size=2, max_size=5,
)  # fmt: skip


def form(parts: list[tuple[dict[str, str], list[str]]]) -> OneForm:
    made = [Part(f"SX-{n}", f"事项{n}", n, "360113", own, papers) for n, (own, papers) in enumerate(parts, 1)]
    return OneForm(oneform.FORMAT, "YJ-1", "一件事", 1, made)


def application(fields: dict[str, str], papers: list[str]) -> Application:
    person = Identity("person", "测试甲", "111", "11010519491231002X")
    files = [Material(name, f"{n:064x}", 1, "application/pdf", f"{n}.pdf") for n, name in enumerate(papers)]
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return Application(
        "N-1", "YJ-1", "一件事", 1, "full_online", "360113", Applicant(person), fields, files, None, at, "试验"
    )


@given(PARTS)
def test_what_is_asked_once_is_given_to_each_that_asked(parts: list[tuple[dict[str, str], list[str]]]) -> None:
    one = form(parts)
    asked, papers = oneform.fields(one), oneform.materials(one)
    assert len({row.name for row in asked}) == len(asked) and len({row.name for row in papers}) == len(papers)
    answers = {row.name: f"答{n}" for n, row in enumerate(asked)}
    split = oneform.split(one, application(answers, [row.name for row in papers]))
    assert [part.case_number for part in split] == [f"N-1~{n}" for n in range(1, len(parts) + 1)]
    for given_, part, (own, files) in zip(one.parts, split, parts, strict=True):
        assert (part.item, part.item_version) == (given_.item, given_.version)
        assert part.form == {field: answers[name] for field, name in own.items()}
        assert sorted(file.name for file in part.materials) == sorted(files)
    assert {name for part in split for name in part.form.values()} == set(answers.values())


def test_who_asks_for_what_is_said() -> None:
    one = form([({"姓名": "姓名"}, ["甲"]), ({"申请人": "姓名", "住址": "住址"}, ["甲", "乙"])])
    assert oneform.fields(one) == [Asked("姓名", ("SX-1", "SX-2")), Asked("住址", ("SX-2",))]
    assert oneform.materials(one) == [Asked("甲", ("SX-1", "SX-2")), Asked("乙", ("SX-2",))]


@pytest.mark.parametrize(
    ("fields", "papers", "code", "named"),
    [
        ({}, [], "missing-field", "住址、姓名、甲"),
        ({"姓名": "1", "住址": "2", "别的": "3"}, ["甲"], "unknown-field", "别的"),
        ({"姓名": "1", "住址": "2"}, ["甲", "丁"], "unknown-field", "丁"),
    ],
)
def test_all_that_is_missing_or_over_is_named_at_once(
    fields: dict[str, str], papers: list[str], code: str, named: str
) -> None:
    with pytest.raises(Invalid) as caught:
        oneform.split(form([({"姓名": "姓名"}, ["甲"]), ({"住址": "住址"}, [])]), application(fields, papers))
    assert caught.value.code == code and named in caught.value.zh


def with_certificate(name: str) -> Application:
    whole = application({}, ["乙"] if name == "甲" else ["甲"])
    return msgspec.structs.replace(whole, certificates=[CertificateReference(name, "1" * 21, "U-1")])


def test_a_certificate_goes_with_the_part_that_asked_for_it_and_with_no_other() -> None:
    one = form([({}, ["甲"]), ({}, ["乙"])])
    first, second = oneform.split(one, with_certificate("甲"))
    assert [row.name for row in first.certificates] == ["甲"] and second.certificates == []
    with pytest.raises(Invalid) as caught:
        oneform.split(form([({}, ["甲", "乙"]), ({}, ["乙"])]), with_certificate("乙"))
    assert caught.value.code == "certificate-shared"


TEXT = """format = "tongban/one-form/1"
item = "YJ-1"
name = "一件事"
version = 1
[[part]]
item = "SX-1"
name = "甲"
version = 1
handling = "360113"
[[part]]
item = "SX-2"
name = "乙"
version = 1
handling = "360113"
"""


def test_a_file_is_read_strictly() -> None:
    assert [part.item for part in oneform.read(TEXT.encode()).parts] == ["SX-1", "SX-2"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("one-form/1", "one-form/2"), ('"SX-2"', '"SX-1"'), ('"SX-2"', '"YJ-1"'), ("version = 1\n[[part]]", "[[part]]"),
        ('name = "乙"', 'name = "乙"\nsurprise = 1'), ('"360113"', '"36011"'), ("format", "\x00"),
    ],
)  # fmt: skip
def test_another_file_is_refused(old: str, new: str) -> None:
    with pytest.raises(Invalid) as caught:
        oneform.read(TEXT.replace(old, new).encode())
    assert caught.value.code == "one-form-unreadable"


def test_one_part_is_no_form() -> None:
    alone = TEXT[: TEXT.rindex("[[part]]")]
    with pytest.raises(Invalid):
        oneform.read(alone.encode())
