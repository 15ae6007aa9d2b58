"""Drafts from two samples: for dialects we know, the draft turns the one sample into the other."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from msgspec import inspect as mi

from adapters import samples
from adapters.base import Outbound, Untranslatable
from adapters.check import check_profile
from adapters.differences import differences
from adapters.initials import alike, initials
from adapters.profile import Profile, body_of, compile_profile, envelope, plain_of
from adapters.propose import Proposal, propose
from adapters.propose_text import toml
from adapters.soap.tree import to_element, to_value
from schemas.canonical import BODIES
from tests.unit.adapters.support import profile, turned, whole_seconds
from tests.unit.adapters.test_both_ways import PROFILE as FLAT
from tests.unit.adapters.test_profiles import TYPE_OF, _out
from tests.unit.schemas import examples

TYPES = sorted(BODIES)


def drafted(type_: str, foreign: dict[str, Any], body: Any) -> tuple[Proposal, Profile, str]:
    found = propose(type_, mi.type_info(BODIES[type_]), foreign, plain_of(body))
    text = toml(found, name="draft", family="rest_signed", type_=type_, operation="case", id_="lsh", case="bjbh")
    return found, compile_profile(tomllib.loads(text)), text


def left(type_: str, foreign: dict[str, Any], body: Any) -> list[str]:
    """Fields that the draft does not give as they are."""
    _, draft, _ = drafted(type_, foreign, body)
    made = draft.inward[type_].run(foreign)
    return [one.path for one in differences(plain_of(body), made) if one.kind != "added"]


def json_of(value: Any) -> dict[str, Any]:
    done: dict[str, Any] = json.loads(msgspec.json.encode(value))
    return done


@pytest.mark.parametrize("type_", TYPES)
def test_a_flat_dialect_is_found_again(type_: str) -> None:
    out = samples.outbound(type_)
    assert left(type_, json_of(FLAT.outward[type_].run(body_of(out), envelope(out))), out.body) == []


@pytest.mark.parametrize("type_", TYPES)
def test_the_json_dialect_is_found_again(type_: str) -> None:
    out = samples.outbound(type_)
    shown = profile("qiaokou")
    table = shown.outward.get(type_) or turned("qiaokou", "in")[type_]
    assert left(type_, json_of(table.run(body_of(out), envelope(out))), out.body) == []


@pytest.mark.parametrize("type_", TYPES)
def test_the_xml_dialect_with_its_head_is_found_again(type_: str) -> None:
    out = samples.outbound(type_)
    shown = profile("honggutan")
    table = shown.outward.get(type_) or turned("honggutan", "in")[type_]
    whole = {**shown.head.run(envelope(out)), **table.run(body_of(out), envelope(out))}
    foreign = to_value(to_element("urn:x", "X", whole))
    sizes = ["documents[0].document.size", "documents[0].stamp.size"]  # this dialect says none: files come inside
    assert left(type_, foreign, out.body) == (sizes if type_ == "result" else [])


def test_a_guess_is_marked_and_the_words_that_were_not_seen_are_named() -> None:
    out = samples.outbound("application")
    foreign = json_of(FLAT.outward["application"].run(body_of(out), envelope(out)))
    found, draft, text = drafted("application", foreign, out.body)
    assert found.codes["application_mode"] == {"YDDS": "collect_elsewhere"}
    assert '# "?" = "full_online"' in text and "待确认" in text
    assert found.missing == [] and found.unused == []
    codes = {finding.code for finding in check_profile(draft).findings}
    assert codes <= {"table-uncovered", "target-uncovered"}, "what a person has to add, and nothing else"


def test_what_is_not_in_the_other_sample_is_named() -> None:
    body = samples.body("step")
    found, _, text = drafted("step", {"mc": "审查", "lsh": "L1", "bjbh": "1"}, body)
    assert set(found.missing) == {"handler", "opinion", "at"}
    assert set(found.unused) == {"lsh", "bjbh"}
    assert "handler" in text and "lsh" in text


@settings(
    max_examples=40, phases=[Phase.explicit, Phase.reuse, Phase.generate], suppress_health_check=[HealthCheck.too_slow]
)
@given(examples.BODIES)
def test_any_two_samples_give_a_draft_that_compiles(body: Any) -> None:
    type_ = TYPE_OF[type(body)]
    body = whole_seconds(type_, body)
    out: Outbound = _out(type_, body)
    try:
        foreign = json_of(FLAT.outward[type_].run(body_of(out), envelope(out)))
        _, draft, _ = drafted(type_, foreign, body)
        draft.inward[type_].run(foreign)
    except Untranslatable as bad:
        assert bad.code in {"character-private", "value-form"}


def test_a_stranger_s_sample_gives_an_empty_draft() -> None:
    found, _, _ = drafted("withdrawal", {"a": [[["b"]]], "": {"x y": 1}, "$ref": None}, samples.body("withdrawal"))
    assert set(found.missing) == {"reason", "at"}


@pytest.mark.parametrize(
    ("title", "expected"),
    [("证件类型", "zjlx"), ("办理方式", "blfs"), ("SM3摘要", "sm3zy"), ("姓名或名称", "xmhmc"), ("䶮、", ""), ("", "")],
)
def test_initials(title: str, expected: str) -> None:
    assert initials(title) == expected


def test_a_key_is_like_its_title_or_its_name() -> None:
    assert alike("证件类型", "id_type", "ZJLX") == alike("", "id_type", "idType") == 1.0
    assert alike("证件类型", "id_type", "sqrzjlx") > alike("证件类型", "id_type", "sqrxm")
    assert alike("", "x", "") == alike("", "x", "y") == 0.0
