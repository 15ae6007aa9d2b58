"""Whole tables written once and run both ways: any canonical body goes out and comes back as it was."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from adapters import samples
from adapters.base import Untranslatable
from adapters.check import check_profile
from adapters.codecs.names import is_private
from adapters.profile import Profile, body_of, compile_profile, envelope
from adapters.rules import Faulty
from schemas import codec
from schemas.errors import Invalid
from tests.unit.adapters.support import toml, whole_seconds
from tests.unit.adapters.test_profiles import TYPE_OF, _out
from tests.unit.schemas import examples


def flat() -> dict[str, Any]:
    """A profile of flat fields whose every table is written once, fresh."""
    return {**toml("hanzhong_files"), "characters": {"E863": "䶮"}}


PROFILE = compile_profile(flat())


def with_rows(name: str, *rows: dict[str, Any]) -> Profile:
    """The profile with rows added to one of its tables."""
    data = flat()
    data["both"][name]["rows"] += rows
    return compile_profile(data)


def test_the_tables_have_no_error_in_either_direction() -> None:
    report = check_profile(PROFILE)
    assert report.findings == []
    assert all("certificates" in hint.en for hint in report.hints), (
        "this platform names none, everything else is carried"
    )


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(examples.WITH_CERTIFICATES)
def test_any_body_goes_out_and_comes_back(body: Any) -> None:
    type_ = TYPE_OF[type(body)]
    body = whole_seconds(type_, body)
    out = _out(type_, body)
    try:
        wire = PROFILE.outward[type_].run(body_of(out), envelope(out))
    except Untranslatable as bad:
        text = codec.canonical(body).decode()
        private, late = any(map(is_private, text)), re.search(r"2[1-9]\d\d-\d\d-\d\dT", text)
        assert private if bad.code == "character-private" else late  # time stamps end in 2100
        return
    back = PROFILE.inward[type_].run(json.loads(msgspec.json.encode(wire)))
    assert codec.build(type_, back) == body


def test_a_flat_applicant_is_one_object_for_us_and_no_object_for_them() -> None:
    out = _out("application", samples.body("application"))
    wire = PROFILE.outward["application"].run(body_of(out), envelope(out))
    assert {"sqrxm", "sqrzjhm", "bjbh"} <= set(wire)
    assert wire["hy"]["czy"] == {"xm": "窗口测试员", "gh": "K01"}
    inward, rows, errors = PROFILE.inward["application"].trace(wire)
    assert not errors
    sources = {row.target: row.source for row in rows}
    assert sources["applicant.party.name"] == "sqrxm"
    assert {row.target: row.rule for row in rows}["mode"] == "both.application[5]"
    assert sources["attestation.clerk"] == "hy.czy.xm"
    assert PROFILE.inward["application"].source_of("applicant.party.name") == "sqrxm"
    assert PROFILE.inward["application"].source_of("attestation.clerk") == "hy.czy.xm"
    assert inward["applicant"]["party"]["name"] == "测试甲"


def test_an_error_below_a_merged_table_names_the_platforms_field() -> None:
    with pytest.raises(Untranslatable) as caught:
        PROFILE.inward["application"].run({"bjbh": "1", "sqrlx": "9"})
    assert caught.value.path == "sqrlx"
    with pytest.raises(Untranslatable) as caught:
        PROFILE.inward["attestation"].run({"czy": "text"})
    assert caught.value.path == "czy"


NO_WAY = [
    {"target": "legal_basis", "source": ["a", "b"], "join": "-"}, {"target": "legal_basis", "jmespath": "a.b"},
    {"target": "legal_basis", "source": "$.yj"}, {"target": "legal_basis", "source": "yj", "when": "lx == '1'"},
    {"target": "legal_basis", "source": "yj", "when": "!lx"}, {"target": "legal_basis", "source": "yj", "codec": "half_width"},
    {"target": "legal_basis", "source": "yj", "only": "up"}, {"target": "legal_basis", "source": "."},
]  # fmt: skip


@pytest.mark.parametrize("row", NO_WAY)
def test_a_row_without_a_way_back_has_to_say_so(row: dict[str, Any]) -> None:
    with pytest.raises(Faulty) as caught:
        with_rows("withdrawal", row)
    assert {finding.code for finding in caught.value.findings} == {"no-way-back"}
    assert caught.value.findings[0].where == "both.withdrawal[3]"
    if row.get("only") != "up" and row.get("source") != ".":
        with_rows("withdrawal", {**row, "only": "in"})


def test_a_table_stands_in_both_or_in_one_direction() -> None:
    data = flat()
    data["in"] = {"step": data["both"]["step"]}
    with pytest.raises(Faulty) as caught:
        compile_profile(data)
    assert [finding.code for finding in caught.value.findings] == ["table-twice"]


DEFECTS = [
    ("step", {"target": "opinion", "source": "x", "default": 5, "when": "z"}, "default-misfit"),
    ("step", {"target": "name", "source": "x", "null": True, "when": "z"}, "default-misfit"),
    ("acceptance", {"target": "outcome", "source": "x", "default": "maybe", "when": "z", "table": "accepted"}, "default-misfit"),
    ("special_start", {"target": "limit_days", "source": "x", "codec": "int", "default": 400, "when": "z"}, "default-misfit"),
    ("person", {"target": "id_type", "source": "x", "table": "granted", "when": "z"}, "table-value-unknown"),
    ("step", {"target": "x", "source": "step_of", "only": "out"}, "source-unknown"),
    ("step", {"target": "x", "jmespath": "nothing[0]", "only": "out"}, "source-unknown"),
    ("step", {"target": "x", "source": "name", "when": "gone", "only": "out"}, "source-unknown"),
    ("step", {"target": "x", "source": "name", "codec": "half_width", "only": "out"}, "no-way-back"),
    ("step", {"target": ".", "source": "x", "use": "person"}, "target-unknown"),
    ("step", {"target": "at", "jmespath": "sj", "only": "in", "when": "z"}, "codec-missing"),
    ("special_start", {"target": "limit_days", "source": "x", "codec": "amount:fen", "when": "z", "only": "in"}, "codec-misfit"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "row", "code"), DEFECTS)
def test_check_finds_a_cell_that_does_not_fit(table: str, row: dict[str, Any], code: str) -> None:
    report = check_profile(with_rows(table, row))
    assert code in {finding.code for finding in report.findings}, report.findings


def test_N08_N09_strange_and_unknown_keys_are_inert() -> None:
    """N08, N09: ``__proto__``, ``$ref`` and fields that no row names go nowhere; a form keeps its own names as text."""
    strange = {"__proto__": {"a": "1"}, "constructor": "x", "$ref": "#/", "@type": "X", "unknown": {"deep": [1]}}
    wire = {"ly": "不再办理", "sj": "20250303093000", **strange}
    assert set(PROFILE.inward["withdrawal"].run(wire)) == {"reason", "at"}
    form = PROFILE.inward["correction"].run(
        {"bd": {"__class__": "x", "__proto__": "y"}, "sj": "20250303T093000", "ry": "甲"}
    )
    assert form["form"] == {"__class__": "x", "__proto__": "y"}


@pytest.mark.parametrize("field", ["mc", "ry", "yj", "sj"])
@pytest.mark.parametrize("wrong", [1, True, [], {}, ["a"], {"a": "b"}, 1.5])
def test_N07_another_type_is_refused(field: str, wrong: Any) -> None:
    """N07: a list, a number, a boolean or an object where text should be."""
    wire = {"mc": "审查", "ry": "甲", "yj": "无", "sj": "2025-03-03 09:30:00"}
    with pytest.raises((Untranslatable, Invalid)):
        codec.build("step", PROFILE.inward["step"].run({**wire, field: wrong}))


class NotWalked(dict[str, Any]):
    """A message of which single keys may be asked for, and nothing else."""

    def _walked(self, *_: Any) -> Any:
        raise AssertionError("the table walks the message")

    __iter__ = keys = values = items = copy = _walked


def test_a_million_keys_do_not_slow_a_table_down() -> None:
    """N06: a table looks up what it names and walks nothing."""
    wire = NotWalked(ly="不再办理", sj="20250303093000")
    made = PROFILE.inward["withdrawal"].run(wire)
    assert codec.build("withdrawal", made).reason == "不再办理"
