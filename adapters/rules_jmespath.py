"""JMESPath cells (难取的单元格): one expression of https://jmespath.org in place of a source path, kept within bounds.

The language has no loops and no recursion; what is left to bound is how large an expression may be and how much it may
multiply what it reads: lists inside lists (``[@, @][] | …``), ``join`` with a separator out of the message, and escapes
of escapes (``to_string``). Functions and forms are those whose cost we know: a later library may bring others. So an
evaluation costs at most some 64 times the size of the message. It sees the current value only, and a failure names the
row, never a value.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import jmespath
from jmespath.exceptions import JMESPathError

from adapters.codecs import Misfit

MAX_LENGTH: Final = 500
MAX_NODES: Final = 100
MAX_GROWTH: Final = 64
_LEFT_ONLY: Final = {
    "subexpression", "index_expression", "projection", "filter_projection", "value_projection", "flatten", "pipe",
}  # fmt: skip
_NODES: Final = _LEFT_ONLY | {
    "field", "comparator", "current", "expref", "function_expression", "identity", "index", "slice", "key_val_pair", "literal",
    "multi_select_dict", "multi_select_list", "or_expression", "and_expression", "not_expression",
}  # fmt: skip
_FUNCTIONS: Final = {
    "abs", "avg", "ceil", "contains", "ends_with", "floor", "join", "keys", "length", "map", "max", "max_by", "merge", "min",
    "min_by", "not_null", "reverse", "sort", "sort_by", "starts_with", "sum", "to_array", "to_number", "to_string", "type",
    "values",
}  # fmt: skip
_FAILURES: Final = (JMESPathError, ValueError, TypeError, KeyError, AttributeError, RecursionError, ArithmeticError)


class Expression:
    """A compiled expression; ``roots`` are the names it takes from the current value."""

    def __init__(self, text: str) -> None:
        """Raises ValueError with (code, zh, en) for an expression that cannot be compiled or knows no bounds."""
        if len(text) > MAX_LENGTH:
            raise ValueError("expression-size", f"表达式超过 {MAX_LENGTH} 字", f"more than {MAX_LENGTH} characters")
        try:
            self._compiled = jmespath.compile(text)
        except (*_FAILURES, IndexError):
            raise ValueError("expression-unreadable", "JMESPath 表达式有误", "bad JMESPath expression") from None
        tree: Any = self._compiled.parsed
        _bounded(list(_nodes(tree)))
        self.roots = frozenset(_roots(tree))

    def search(self, value: Any) -> Any:
        """The value found, None when there is none. Raises Misfit."""
        try:
            return self._compiled.search(value)
        except _FAILURES:
            zh, en = "表达式不适用于这个值", "the expression does not fit this value"
            raise Misfit("expression-failed", zh, en) from None


def _nodes(tree: dict[str, Any]) -> Iterator[dict[str, Any]]:
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(child for child in node["children"] if isinstance(child, dict))


def _bounded(nodes: list[dict[str, Any]]) -> None:
    growth, strings = 1, 0
    for node in nodes:
        if node["type"] not in _NODES or (node["type"] == "function_expression" and node["value"] not in _FUNCTIONS):
            zh, en = "没有这个函数或写法", "no such function or form"
            raise ValueError("expression-unknown", zh, en)
        if node["type"] in ("multi_select_list", "multi_select_dict"):
            growth *= max(1, len(node["children"]))
        if node["type"] == "function_expression":
            strings += node["value"] == "to_string"
            if node["value"] == "join" and (not node["children"] or node["children"][0]["type"] != "literal"):
                zh, en = "join 的分隔符须是常量", "the separator of join must be a constant"
                raise ValueError("expression-unbounded", zh, en)
    if len(nodes) > MAX_NODES or growth > MAX_GROWTH or strings > 2:
        zh, en = "表达式太大，或会成倍放大报文", "the expression is too large, or multiplies the message"
        raise ValueError("expression-unbounded", zh, en)


def _roots(node: dict[str, Any]) -> Iterator[str]:
    kind = node["type"]
    if kind == "field":
        yield str(node["value"])
    children = node["children"][:1] if kind in _LEFT_ONLY else [] if kind == "expref" else node["children"]
    for child in children:
        if isinstance(child, dict):
            yield from _roots(child)
