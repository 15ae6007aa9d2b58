"""JMESPath cells: what they read, what they refuse, and that no expression runs away."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.base import Untranslatable
from adapters.mapping_compile import compile_maps
from adapters.rules import Faulty
from adapters.rules_jmespath import Expression
from tests.unit.adapters.test_mapping import JSON


def cell(expression: str, **more: Any) -> Any:
    tables = {"t": {"rows": [{"target": "a", "jmespath": expression, **more}]}}
    return compile_maps(tables, "in", {"c": {"1": "one"}})["t"]


def test_an_expression_picks_what_a_path_cannot() -> None:
    message = {"fj": [{"lx": "1", "mc": "甲"}, {"lx": "2", "mc": "乙"}], "xb": "1"}
    assert cell("fj[?lx=='2'] | [0].mc").run(message) == {"a": "乙"}
    assert cell("fj[].mc", codec="texts").run(message) == {"a": ["甲", "乙"]}
    assert cell("fj[?lx=='9'] | [0].mc", default="无").run(message) == {"a": "无"}
    assert cell("xb", table="c").run(message) == {"a": "one"}
    assert cell("not_null(none, xb)").run(message) == {"a": "1"}


def test_the_trace_names_the_expression() -> None:
    _, rows, _ = cell("length(fj)").trace({"fj": [1, 2]})
    assert [(row.target, row.source) for row in rows] == [("a", "length(fj)")]


@pytest.mark.parametrize(
    ("expression", "value"), [("length(a)", {"a": 1}), ("sum(a)", {"a": ["x"]}), ("abs(a)", {"a": Decimal("1.5")}),
                              ("sort(a)", {"a": [1, "x"]}), ("a[]", {"a": [{"b": 1}]}), ("max_by(a, &b)", {"a": [1]})]
)  # fmt: skip
def test_an_expression_that_does_not_fit_the_message_is_a_refusal(expression: str, value: Any) -> None:
    with pytest.raises(Untranslatable) as caught:
        cell(expression).run(value)
    assert caught.value.path == expression


RUNAWAY = [
    ("[@,@][] | [@,@][] | [@,@][] | [@,@][] | [@,@][] | [@,@][] | [@,@][]", "expression-unbounded"),
    ("join(a, b)", "expression-unbounded"), ("to_string([to_string([to_string([a])])])", "expression-unbounded"),
    ("pad_left(a, `9`)", "expression-unknown"), ("no_such(a)", "expression-unknown"),
    ("a" * 501, "expression-size"), ("(" * 400 + "a" + ")" * 90, "expression-unreadable"), ("a[", "expression-unreadable"),
    ("", "source-missing"), ("a.b.c" + ".d" * 200, "expression-unbounded"), ("no_such(", "expression-unreadable"),
    ("{a:a,b:b,c:c,d:d,e:e} | {a:@,b:@,c:@,d:@,e:@} | {a:@,b:@,c:@}", "expression-unbounded"),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "code"), RUNAWAY)
def test_an_expression_without_bounds_is_found_when_the_table_is_compiled(expression: str, code: str) -> None:
    with pytest.raises(Faulty) as caught:
        cell(expression)
    assert code in {finding.code for finding in caught.value.findings}


def test_N06_the_worst_allowed_expression_is_quick_on_a_large_message() -> None:
    """N06: 64-fold at most, whatever the message holds."""
    message = {"a": ["x" * 20] * 20_000, "s": "y" * 100_000}
    worst = ["[a,a][] | [@,@][] | [@,@][] | [@,@][] | [@,@][] | [@,@][]", "sort(a)", "join('-', a)", "to_string(to_string(@))",
             "a[?contains(@, 'x')]", "reverse(a)"]  # fmt: skip
    for expression in worst:
        began = time.process_time()
        Expression(expression).search(message)
        assert time.process_time() - began < 3, expression


def test_the_names_that_an_expression_takes_from_the_body_are_known() -> None:
    assert Expression("a.b[?c=='d'].e | [0]").roots == {"a"}
    assert Expression("join(',', [x, y.z])").roots == {"x", "y"}
    assert Expression("sort_by(m, &n)").roots == {"m"}


@given(
    JSON,
    st.sampled_from(["a", "a[].b", "a[?b=='x']", "keys(@)", "length(a)", "a.*.b", "[a, b]", "sort(a)", "to_number(a)"]),
)
def test_any_message_is_read_or_refused(value: Any, expression: str) -> None:
    try:
        cell(expression).run(value)
    except Untranslatable as bad:
        assert bad.code and bad.zh and bad.en


def test_every_function_of_the_language_that_we_know_is_accepted() -> None:
    from jmespath.functions import Functions

    from adapters.rules_jmespath import _FUNCTIONS

    assert set(Functions.FUNCTION_TABLE) == _FUNCTIONS, "the library has changed: weigh what the new function may cost"
