"""Rule tables: what each kind of row does, what a trace says, what is found before any message comes."""

from __future__ import annotations

import json
import timeit
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.base import Untranslatable
from adapters.mapping import RuleMap
from adapters.mapping_compile import compile_maps
from adapters.rules import Faulty, condition, reader

CODES = {"id": {"01": "111", "02": "414"}, "many": {"A": "x", "B": "x"}}


def table(*rows: dict[str, Any], direction: Any = "in", **more: list[dict[str, Any]]) -> RuleMap:
    tables = {"t": {"rows": list(rows)}, **{name: {"rows": rows} for name, rows in more.items()}}
    return compile_maps(tables, direction, CODES)["t"]


def test_a_row_moves_one_cell() -> None:
    assert table({"target": "a.b", "source": "x.y.0"}).run({"x": {"y": ["1"]}}) == {"a": {"b": "1"}}


@pytest.mark.parametrize("given_value", [{}, {"x": None}, {"x": ""}])
def test_K08_absent_null_and_empty_are_one_thing(given_value: dict[str, Any]) -> None:
    rows = [{"target": "a", "source": "x"}, {"target": "b", "source": "x", "default": "d"},
            {"target": "c", "source": "x", "null": True}]  # fmt: skip
    assert table(*rows).run(given_value) == {"b": "d", "c": None}


def test_a_default_is_not_shared_between_messages() -> None:
    rules = table({"target": "form", "source": "bd", "default": {}}, {"target": "form.k", "source": "v"})
    assert rules.run({"v": "1"}) == {"form": {"k": "1"}}
    assert rules.run({}) == {"form": {}}


def test_a_code_table_reads_both_ways() -> None:
    row = {"target": "a", "source": "x", "table": "id"}
    assert table(row).run({"x": "02"}) == {"a": "414"}
    assert table(row, direction="out").run({"x": "414"}) == {"a": "02"}
    assert table({**row, "table": "many"}, direction="out").run({"x": "x"}) == {"a": "A"}


def test_a_code_that_is_not_in_the_table_is_refused_by_its_path_and_not_repeated() -> None:
    with pytest.raises(Untranslatable) as caught:
        table({"target": "a", "source": "x.y", "table": "id"}).run({"x": {"y": "secret99"}})
    assert (caught.value.code, caught.value.path) == ("code-unknown", "x.y")
    assert "secret99" not in str(caught.value) + caught.value.zh + caught.value.en


def test_each_maps_a_list_and_one_entry_alone() -> None:
    rules = table({"target": "m", "each": "cl", "use": "p"}, p=[{"target": "n", "source": "mc"},
                                                                {"target": "no", "source": "$.bh"}])  # fmt: skip
    assert rules.run({"bh": "1", "cl": [{"mc": "a"}, {"mc": "b"}]}) == {
        "m": [{"n": "a", "no": "1"}, {"n": "b", "no": "1"}]
    }
    assert rules.run({"bh": "1", "cl": {"mc": "a"}}) == {"m": [{"n": "a", "no": "1"}]}


def test_each_of_single_values_is_kept_or_joined() -> None:
    assert table({"target": "a", "each": "x"}).run({"x": ["1", "2"]}) == {"a": ["1", "2"]}
    assert table({"target": "a", "each": "x", "join": "、"}).run({"x": ["1", "2"]}) == {"a": "1、2"}


def test_join_leaves_out_what_is_not_given() -> None:
    rules = table({"target": "a", "source": ["x", "y", "z"], "join": "-"})
    assert rules.run({"x": "1", "z": "3"}) == {"a": "1-3"}
    assert rules.run({}) == {}


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [("x", {"x": "1"}, True), ("x", {}, False), ("!x", {}, True), ("!x", {"x": "1"}, False), ("x == '1'", {"x": "1"}, True),
     ("x == '1'", {"x": 1}, True), ("x == '1'", {}, False), ("x != '1'", {"x": "2"}, True), ("x != '1'", {}, True)],
)  # fmt: skip
def test_conditions(text: str, value: dict[str, Any], expected: bool) -> None:
    rule = condition(text)
    assert rule is not None
    assert rule(value, value) is expected
    done = table({"target": "a", "default": "y", "when": text}).run(value)
    assert done == ({"a": "y"} if expected else {})


def test_an_error_below_a_list_names_its_place() -> None:
    rules = table({"target": "m", "each": "cl", "use": "p"}, p=[{"target": "n", "source": "dx", "codec": "int"}])
    with pytest.raises(Untranslatable) as caught:
        rules.run({"cl": [{"dx": 1}, {"dx": "x"}]})
    assert caught.value.path == "cl[1].dx"


@pytest.mark.parametrize("wrong", ["text", 1, ["a"], True])
def test_N07_a_value_where_an_object_should_be_is_refused(wrong: Any) -> None:
    rules = table({"target": "p", "source": "sqr", "use": "p"}, p=[{"target": "n", "source": "xm"}])
    with pytest.raises(Untranslatable) as caught:
        rules.run({"sqr": wrong})
    assert caught.value.code == "value-type"
    with pytest.raises(Untranslatable):
        table({"target": "a", "source": "x"}).run({"x": {"an": "object"}})


def test_trace_says_source_rule_and_code_row() -> None:
    rules = table(
        {"target": "t", "source": "x", "table": "id"}, {"target": "d", "default": "9"},
        {"target": "m", "each": "cl", "use": "p"}, p=[{"target": "n", "source": "mc"}],
    )  # fmt: skip
    output, rows, errors = rules.trace({"x": "01", "cl": [{"mc": "a"}, {"mc": "b"}]})
    assert not errors
    assert output == rules.run({"x": "01", "cl": [{"mc": "a"}, {"mc": "b"}]})
    assert [(r.target, r.source, r.rule, r.code_row, r.default) for r in rows] == [
        ("t", "x", "in.t[1]", "01=111", False), ("d", "", "in.t[2]", "", True),
        ("m[0].n", "cl[0].mc", "in.p[1]", "", False), ("m[1].n", "cl[1].mc", "in.p[1]", "", False),
    ]  # fmt: skip


def test_trace_collects_every_error() -> None:
    rules = table({"target": "a", "source": "x", "codec": "int"}, {"target": "b", "source": "y", "codec": "date8"})
    _, _, errors = rules.trace({"x": "no", "y": "no"})
    assert [error.path for error in errors] == ["x", "y"]


def test_source_of_finds_the_foreign_path_behind_a_target() -> None:
    rules = table({"target": "m", "each": "cl", "use": "p"}, {"target": "q.r", "source": "s.t"},
                  p=[{"target": "n", "source": "mc"}])  # fmt: skip
    assert rules.source_of("m[3].n") == "cl[3].mc"
    assert rules.source_of("q.r") == "s.t"
    assert rules.source_of("nothing") == ""


DEFECTS = [
    ({"target": "", "source": "x"}, "target-unreadable"), ({"target": "a b", "source": "x"}, "target-unreadable"),
    ({"target": "a", "source": "x..y"}, "source-unreadable"), ({"target": "a"}, "source-missing"),
    ({"target": "a", "source": "x", "each": "y"}, "source-twice"), ({"target": "a", "source": ["x", "y"]}, "join-missing"),
    ({"target": "a", "source": "x", "codec": "no"}, "codec-unknown"),
    ({"target": "a", "source": "x", "table": "no"}, "table-unknown"),
    ({"target": "a", "source": "x", "use": "no"}, "use-unknown"), ({"target": "a", "source": "x", "use": "t"}, "use-unknown"),
    ({"target": "a", "source": "x", "when": "x = 1"}, "when-unreadable"),
    ({"target": "a", "source": "x", "use": "p", "codec": "int"}, "use-and-codec"),
    ({"target": "a", "source": "x", "surprise": 1}, "row-unreadable"), ({"source": "x"}, "row-unreadable"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "code"), DEFECTS)
def test_a_defective_row_is_found_when_the_table_is_compiled(row: dict[str, Any], code: str) -> None:
    with pytest.raises(Faulty) as caught:
        table(row, p=[{"target": "n", "source": "x"}])
    assert code in {finding.code for finding in caught.value.findings}


def test_a_target_written_twice_is_found() -> None:
    with pytest.raises(Faulty):
        table({"target": "a", "source": "x"}, {"target": "a", "source": "y"})
    assert table({"target": "a", "source": "x"}, {"target": "a", "source": "y", "when": "!x"}).run({"y": "1"}) == {
        "a": "1"
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcx"), inner, max_size=3),
)


@given(JSON, st.sampled_from(["a", "a.b", "a.0", "$.b", "."]))
def test_any_value_can_be_read_at_any_path(value: Any, path: str) -> None:
    reader(path)(value, value)


@given(JSON)
def test_any_message_is_mapped_or_refused(value: Any) -> None:
    rules = table(
        {"target": "a", "source": "a", "codec": "int"}, {"target": "b", "each": "b", "use": "p"},
        {"target": "c", "source": "c", "use": "p"}, p=[{"target": "n", "source": "x", "table": "id"}],
    )  # fmt: skip
    try:
        rules.run(value)
    except Untranslatable as bad:
        assert bad.code and bad.zh and bad.en


def test_a_case_of_4_KiB_takes_at_most_60_microseconds() -> None:
    rules = table(
        {"target": "number", "source": "bh"}, {"target": "applicant.name", "source": "sqr.xm"},
        {"target": "applicant.id_type", "source": "sqr.zjlx", "table": "id"},
        {"target": "at", "source": "sj", "codec": "datetime14"}, {"target": "materials", "each": "cl", "use": "p"},
        p=[{"target": "name", "source": "mc"}, {"target": "sm3", "source": "zy", "codec": "sm3"},
           {"target": "size", "source": "dx", "codec": "int"}],
    )  # fmt: skip
    material = {"mc": "材料" * 30, "zy": "0" * 64, "dx": 1024, "gs": "x" * 150}
    message = {"bh": "1", "sqr": {"xm": "测试甲", "zjlx": "01"}, "sj": "20250101000000", "cl": [material] * 9}
    assert 3_500 < len(json.dumps(message, ensure_ascii=False).encode()) < 5_000
    best = min(timeit.repeat(lambda: rules.run(message), number=200, repeat=25)) / 200
    assert best < 60e-6, f"{best * 1e6:.1f} µs"
