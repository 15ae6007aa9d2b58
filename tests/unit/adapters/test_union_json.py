"""The pure side of the union family: vectors, both directions, answers, lists taken apart, and tables that cannot work."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from adapters import samples
from adapters.again import came, goes
from adapters.base import Accepted, NotThere, Refused, Temporary, Unclear, Untranslatable
from adapters.check import check_profile
from adapters.profile import compile_profile
from adapters.registry import needs_tls
from adapters.transport import Reply
from adapters.union_json import answers
from adapters.union_json.family import open_translator
from adapters.union_json.page import apart, loose
from adapters.union_json.translate import UnionTranslator
from adapters.union_json.words import read_words
from schemas import codec
from schemas.errors import Invalid
from tests.contract.union_support import CASE, SECRETS, opened
from tests.unit.adapters.support import profile, toml, whole_seconds
from tests.unit.adapters.test_profiles import TYPE_OF, _out
from tests.unit.schemas import examples

NAMES = ["zhengzhou", "nanchang"]
VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "union_json" / "vectors.json").read_text("utf-8"))
TRANSLATORS: dict[str, UnionTranslator] = {name: open_translator(profile(name), {}) for name in NAMES}


@pytest.mark.parametrize("vector", VECTORS, ids=[one["name"] for one in VECTORS])
def test_a_vector_is_read_or_refused_as_it_says(vector: dict[str, Any]) -> None:
    translator = TRANSLATORS[vector["profile"]]
    call = json.dumps({"params": vector["params"]}, ensure_ascii=False).encode()
    payload = translator.kept(call, vector["files"])
    assert payload.startswith(call), "the call's own bytes stay"
    types = set(profile(vector["profile"]).inward)
    if vector["expect"] in types:
        act = translator.inbound(vector["operation"], payload)
        assert act.type == vector["expect"]
        return
    with pytest.raises(Untranslatable) as caught:
        translator.inbound(vector["operation"], payload)
    assert (caught.value.path, vector["expect"]) in [(vector["path"], caught.value.code), (vector["path"], "*")]
    assert caught.value.zh and "测试甲" not in caught.value.zh


@pytest.mark.parametrize("name", NAMES)
def test_the_tables_have_no_error_and_say_what_they_are_not(name: str) -> None:
    found = profile(name)
    assert check_profile(found).findings == []
    assert "非官方接口" in found.text.notice and "公开" in found.text.basis


def _calls(wire: Any) -> list[dict[str, Any]]:
    return [one["body"]["params"] for one in json.loads(wire.body)]


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(body=examples.BODIES)
def test_any_body_goes_out_and_is_read_as_it_was_by_the_same_words(name: str, body: Any) -> None:
    """Files apart: of these only a list goes out."""
    type_, translator = TYPE_OF[type(body)], TRANSLATORS[name]
    assume(type_ != "result" and (type_ != "correction" or body.form))
    if type_ in ("application", "correction"):
        body = msgspec.structs.replace(body, materials=[])
    if type_ == "application":  # whose number goes in the head, where a platform's ids have to be printable
        body = msgspec.structs.replace(body, case_number=_out(type_, body).case_number)
    body = whole_seconds(type_, body)
    out = _out(type_, body)
    try:
        calls = _calls(translator.outbound(out))
    except Untranslatable as bad:
        assert bad.code == "character-private"
        return
    message = {"params": {key: value for one in calls for key, value in one.items()}}
    operation = profile(name).text.send.operations[type_].split()
    read = translator.profile.act(next(one for one in operation if one in profile(name).text.operations), message)
    assert codec.canonical(read.body) == codec.canonical(body)


def test_a_case_goes_to_the_province_in_three_calls_that_each_say_their_own() -> None:
    wire = TRANSLATORS["nanchang"].outbound(samples.outbound("application"))
    paths = [one["path"] for one in json.loads(wire.body)]
    assert [path.rpartition("/")[2] for path in paths] == ["createSerial", "pushBaseInfo", "pushAttachment"]
    serial, basic, attached = _calls(wire)
    assert serial["itemCode"] == basic["itemCode"] and "applicantName" not in serial and "materials" not in basic
    assert [one["materialName"] for one in attached["materials"]] == ["申请书", "章程"]
    assert {one["messageId"] for one in (serial, basic, attached)} == {wire.id}


def test_what_was_fetched_is_read_again_from_the_kept_bytes_and_never_from_a_call() -> None:
    translator = TRANSLATORS["zhengzhou"]
    file = {"@id": "G", "@name": "a.pdf", "@size": 3, "@sm3": "a" * 64, "@ending": "pdf", "taskmaterialname": "申请书"}
    call = json.dumps({"params": {**CASE, "@files": [{**file, "@sm3": "b" * 64}]}}, ensure_ascii=False).encode()
    assert translator.inbound("pushProject", call).body.materials == []
    (one,) = translator.inbound("pushProject", translator.kept(call, [file])).body.materials
    assert (one.name, one.sm3, one.size, one.media_type, one.file_name) == (
        "申请书",
        "a" * 64,
        3,
        "application/pdf",
        "a.pdf",
    )
    with pytest.raises(Invalid):
        translator.call(translator.kept(call, [file]))


def test_kept_bytes_are_mapped_again_without_the_platform() -> None:
    """A replay finds the files in the record behind the call."""
    translator = TRANSLATORS["zhengzhou"]
    call = json.dumps({"params": CASE}, ensure_ascii=False).encode()
    file = {"@id": "G", "@name": "a.pdf", "@size": 3, "@sm3": "a" * 64, "@ending": "pdf"}
    found = came(translator, "application", "ZZ-0001", translator.kept(call, [file]), "")
    assert [one["sm3"] for one in found["body"]["materials"]] == ["a" * 64]
    assert came(translator, "application", "ZZ-0001", call, "")["body"]["materials"] == []
    assert isinstance(goes(translator, samples.outbound("step")), list)


LISTS: list[tuple[str, Any, str]] = [
    ("no list", {}, ""), ("a word", {"filelist": "x"}, "value-type"),
    ("an entry that is a word", {"filelist": ["x"]}, "value-type"),
    ("no id", {"filelist": [{"filename": "a.pdf", "length": 1}]}, "id-form"),
    ("an id with a path in it", {"filelist": [{"filename": "a.pdf", "length": 1, "attachguid": "../x"}]}, "id-form"),
    ("an id with a query in it", {"filelist": [{"filename": "a.pdf", "length": 1, "attachguid": "x&token=1"}]}, "id-form"),
    ("an address for an id", {"filelist": [{"filename": "a.pdf", "length": 1, "attachguid": "http://10.0.0.1/x"}]}, "id-form"),
    ("no length", {"filelist": [{"filename": "a.pdf", "attachguid": "G"}]}, "value-type"),
    ("no bytes", {"filelist": [{"filename": "a.pdf", "length": 0, "attachguid": "G"}]}, "value-type"),
    ("minus", {"filelist": [{"filename": "a.pdf", "length": "-1", "attachguid": "G"}]}, "value-type"),
    ("yes", {"filelist": [{"filename": "a.pdf", "length": True, "attachguid": "G"}]}, "value-type"),
    ("no name", {"filelist": [{"length": 1, "attachguid": "G"}]}, "value-type"),
    ("too many", {"filelist": [{"filename": "a.pdf", "length": 1, "attachguid": f"G{n}"} for n in range(101)]}, "value-type"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "custom", "code"), LISTS, ids=[row[0] for row in LISTS])
def test_A_a_list_of_files_is_judged_before_any_is_asked_for(name: str, custom: Any, code: str) -> None:
    translator = TRANSLATORS["zhengzhou"]
    if not code:
        assert translator.listed({"custom": custom}) == []
        return
    with pytest.raises(Untranslatable) as caught:
        translator.listed({"custom": custom})
    assert caught.value.code == code


# --- answers ----------------------------------------------------------------------------------------------------------

FORM = answers.read_form(profile("zhengzhou"))


def said(outer: Any, inner: Any, **more: Any) -> bytes:
    return json.dumps({"status": {"code": outer, "text": ""}, "custom": {"code": inner, **more}}).encode()


SENDS: list[tuple[str, int, bytes, Any]] = [
    ("taken", 200, said(1, 1, flowsn="F1"), Accepted("F1")), ("taken, as text", 200, said("200", "1"), Accepted("")),
    ("taken before", 200, said(1, 2, flowsn="F1"), Accepted("F1")), ("busy", 200, said(1, 5), Temporary("busy-5")),
    ("refused", 200, said(1, 0, text="缺少字段"), Refused("0", "缺少字段", "refused by the platform")),
    ("an exception of theirs", 200, said(0, 0), Unclear("status-0")), ("a bad token", 200, said(401, 0), Temporary("status-401")),
    ("outer yes alone", 200, b'{"status":{"code":1}}', Unclear("answer-unreadable")),
    ("inner yes alone", 200, b'{"custom":{"code":1}}', Unclear("status-")),
    ("N01 two answers", 200, b'{"status":{"code":1},"custom":{"code":0},"custom":{"code":1}}', Unclear("answer-unreadable")),
    ("a code that is true", 200, said(True, 1), Unclear("status-")), ("a list", 200, b"[]", Unclear("answer-unreadable")),
    ("half", 200, said(1, 1)[:-3], Unclear("answer-unreadable")), ("nothing", 200, b"", Unclear("answer-unreadable")),
    ("a page", 200, b"<html>", Unclear("answer-unreadable")), ("ill", 502, said(1, 1), Temporary("http-502")),
    ("moved", 302, said(1, 1), Temporary("redirect-refused")), ("gone", 404, b"", Temporary("http-404")),
    ("in a hurry", 429, b"", Temporary("http-429")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "status", "body", "expected"), SENDS, ids=[row[0] for row in SENDS])
def test_what_an_answer_means(name: str, status: int, body: bytes, expected: Any) -> None:
    assert answers.judge(FORM, Reply(status, "application/json", body), 4096) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [(said(1, 1), Accepted("")), (said(1, 4), NotThere()), (said(1, 0), Temporary("answer-unreadable")),
     (said(0, 4), Temporary("status-0")), (b"{", Temporary("answer-unreadable"))],
)  # fmt: skip
def test_only_a_plain_yes_or_no_answers_a_question(body: bytes, expected: Any) -> None:
    assert answers.judge_ask(FORM, Reply(200, "application/json", body), 4096) == expected


# --- lists taken apart ------------------------------------------------------------------------------------------------

WORDS = st.text(max_size=8)
VALUES = st.recursive(
    st.none() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=40)
@given(st.lists(VALUES, max_size=4), st.dictionaries(WORDS, VALUES, max_size=3), st.sampled_from([None, 1]))
def test_a_list_comes_apart_into_its_entries_and_the_rest_stays(
    entries: list[Any], around: dict[str, Any], indent: int | None
) -> None:
    def whole(found: list[Any]) -> Any:
        return {
            **{f"x{key}": value for key, value in around.items()},
            "data": {"a": around, "list": found},
            "code": "200",
        }

    body = json.dumps(whole(entries), indent=indent).encode()
    page = apart(body, "data.list")
    assert page is not None
    assert [json.loads(one) for one in page.entries] == entries
    assert json.loads(page.head) == whole([])


@given(st.binary(max_size=200) | st.text(alphabet='{}[]",:\\ax1 ').map(str.encode))
def test_whatever_comes_is_taken_apart_or_not(body: bytes) -> None:
    page = apart(body, "data.list")
    assert page is None or b"[]" in page.head
    assert loose(body, "data.id") == "" or re.fullmatch(rb".*", body, re.DOTALL)


def test_N06_many_brackets_cost_linear_time() -> None:
    """Counted in tokens, not timed: one pass over half a million brackets, and none of them is kept."""
    assert apart(b'{"data":{"list":[' + b"[" * 500_000, "data.list") is None


# --- tables that cannot work ------------------------------------------------------------------------------------------

DEFECTS: list[tuple[str, Any, str]] = [
    ("an unknown word", lambda u: u.update(nothing=1), "union"),
    ("a push without a path", lambda u: u["push"].append("nowhere"), "union.calls.nowhere"),
    ("a question without a path", lambda u: u.update(ask="nowhere"), "union.calls.nowhere"),
    ("a path with dots", lambda u: u["calls"].update(pushProject="/a/../b"), "union.calls"),
    ("an address for a path", lambda u: u["calls"].update(pushProject="//10.0.0.1/b"), "union.calls"),
    ("two calls of one path", lambda u: u["calls"].update(pushStatus=u["calls"]["pushProject"]), "union.calls"),
    ("lists without files", lambda u: u.pop("file"), "union"),
    ("a header that is none", lambda u: u["token"].update(name="a b"), "union.token"),
    ("a push that nobody reads", lambda u: (u["push"].append("getPushState")), "operations.getPushState"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "spoil", "where"), DEFECTS, ids=[row[0] for row in DEFECTS])
def test_a_table_that_cannot_work_is_named(name: str, spoil: Any, where: str) -> None:
    data = toml("zhengzhou")
    spoil(data["union"])
    with pytest.raises(Untranslatable) as caught:
        read_words(compile_profile(data))
    assert caught.value.path == where


@pytest.mark.parametrize(
    ("settings_", "where"),
    [({"secrets": {}}, "secrets"), ({"secrets": {**SECRETS, "their_token": b"short"}}, "secrets"),
     ({"base_url": "ftp://127.0.0.1/x"}, "base_url"),
     ({"base_url": "https://u@city.example"}, "base_url"), ({"base_url": "https://city.example/?a=1"}, "base_url"),
     ({"change": (b'token = { place = "header", name = "token" }', b"")}, "union.token")],
)  # fmt: skip
def test_settings_that_would_let_anybody_in_or_tokens_out_are_refused(settings_: dict[str, Any], where: str) -> None:
    given = dict(settings_)
    with pytest.raises(Untranslatable) as caught:
        opened("zhengzhou", given.pop("base_url", "http://127.0.0.1:9"), **given)
    assert caught.value.path == where


@pytest.mark.parametrize("name", NAMES)
def test_a_token_covers_nothing_so_that_tls_is_asked_for(name: str) -> None:
    assert needs_tls(toml(name))


def test_tokens_are_shown_to_nobody() -> None:
    platform = opened("zhengzhou")
    assert all(word.decode() not in repr((platform, platform.channel, platform.union)) for word in SECRETS.values())
