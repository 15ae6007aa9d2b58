"""Rule-table mapping (字段映射): rows of a profile compiled to closures, and a trace of what came from where.

A row says: put into ``target`` what ``source`` holds, through ``codec`` and code ``table``; ``default`` when nothing is
there; only ``when`` a condition holds; for ``each`` entry of a list; ``join`` several sources. A row without ``source``
writes its ``default``; ``use`` maps an object by another table; ``jmespath`` stands where a path is not enough. Inwards
(foreign to canonical) a codec decodes and a code table reads left to right; outwards both are turned round.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any

from adapters.base import Untranslatable
from adapters.codecs import Misfit
from adapters.rules import MISSING, Convert, Direction, Read, Rule, Traced, put


@dataclass(frozen=True, slots=True)
class Step:
    """A compiled row. ``run`` is the fast path; the rest serves the trace. ``path`` is empty for the target ``.``."""

    rule: Rule
    where: str
    path: tuple[str, ...]
    read: Read
    convert: Convert
    code: Mapping[str, str] | None
    given: Read | None
    inner: RuleMap | None
    run: Callable[[Any, Any, dict[str, Any]], None]


def _fail(misfit: Misfit, source: str) -> Untranslatable:
    return Untranslatable(misfit.code, misfit.zh, misfit.en, source)


def cell(rule: Rule, path: tuple[str, ...], read: Read, convert: Convert, given: Read | None) -> Any:
    """The closure for a row of one cell."""
    source, default, last, nested = rule.shown, rule.fallback, path[-1], len(path) > 1

    def run(current: Any, root: Any, output: dict[str, Any]) -> None:
        try:
            if given is not None and not given(current, root):
                return
            value = read(current, root)
            if value is MISSING:
                if default is MISSING:
                    return
                value = copy(default)
            else:
                value = convert(value)
        except Misfit as misfit:
            raise _fail(misfit, source) from None
        if nested:
            put(output, path, value)
        else:
            output[last] = value

    return run


def deep(rule: Rule, path: tuple[str, ...], read: Read, inner: RuleMap, given: Read | None) -> Any:
    """The closure for a row that maps an object, or each object of a list, by another table."""
    source, default, listed = rule.shown, rule.fallback, bool(rule.each)

    def run(current: Any, root: Any, output: dict[str, Any]) -> None:
        try:
            if given is not None and not given(current, root):
                return
            value = read(current, root)
        except Misfit as misfit:
            raise _fail(misfit, source) from None
        if value is MISSING:
            if default is not MISSING:
                put(output, path, copy(default))
            return
        if not path:
            output.update(inner.apply(value, root, source))
            return
        if not listed:
            put(output, path, inner.apply(value, root, source))
            return
        entries = value if type(value) is list else [value]
        put(output, path, [inner.apply(entry, root, f"{source}[{n}]") for n, entry in enumerate(entries)])

    return run


def each_cell(rule: Rule, path: tuple[str, ...], read: Read, convert: Convert, given: Read | None) -> Any:
    """The closure for a row over a list of single values, kept as a list or joined to one string."""

    def all_of(value: Any) -> Any:
        done = [convert(entry) for entry in (value if type(value) is list else [value])]
        return rule.join.join(map(str, done)) if rule.join else done

    return cell(rule, path, read, all_of, given)


# --- a table ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RuleMap:
    """A compiled table. ``run`` maps; ``trace`` maps and says where each target came from, collecting all errors."""

    name: str
    direction: Direction
    steps: tuple[Step, ...]

    def run(self, value: Any, root: Any = None) -> dict[str, Any]:
        """Raises Untranslatable at the first cell that does not fit, with the path in the source message."""
        output: dict[str, Any] = {}
        whole = value if root is None else root
        for step in self.steps:
            step.run(value, whole, output)
        return output

    def apply(self, value: Any, root: Any, where: str) -> dict[str, Any]:
        """``run`` on a part; errors carry the part's own path in front."""
        if type(value) is not dict:
            raise Untranslatable("value-type", "此处应为对象", "expected an object", where)
        try:
            return self.run(value, root)
        except Untranslatable as bad:
            raise Untranslatable(bad.code, bad.zh, bad.en, _under(where, bad.path)) from None

    def source_of(self, target: str) -> str:
        """The source path behind a target path such as ``applicant.party.name`` or ``materials[2].sm3``; "" if none."""
        for step in self.steps:
            if not step.path and step.inner is not None and (found := step.inner.source_of(target)):
                return _under(step.rule.shown, found)
        for step in self.steps:
            own = ".".join(step.path)
            if target == own:
                return step.rule.shown
            if step.inner is not None and re.match(rf"{re.escape(own)}[.\[]", target):
                index, _, rest = target[len(own) :].partition(".")
                deeper = step.inner.source_of(rest)
                return _under(f"{step.rule.shown}{index}", deeper)
        below = (step.rule.shown for step in self.steps if ".".join(step.path).startswith(f"{target}."))
        return next(below, "") if target else ""

    def trace(
        self, value: Any, root: Any = None, at: str = "", from_: str = ""
    ) -> tuple[dict[str, Any], list[Traced], list[Untranslatable]]:
        """Slow and complete: output, one ``Traced`` per written target, and every error rather than the first."""
        output: dict[str, Any] = {}
        rows: list[Traced] = []
        errors: list[Untranslatable] = []
        whole = value if root is None else root
        for step in self.steps:
            try:
                step.run(value, whole, output)
            except Untranslatable as bad:
                errors.append(Untranslatable(bad.code, bad.zh, bad.en, _under(from_, bad.path)))
                continue
            rows.extend(_traced(step, value, whole, at, from_, self.direction))
        return output, rows, errors


def _under(prefix: str, path: str) -> str:
    """A path below another; ``.`` is the place itself."""
    if prefix in ("", ".") or path.startswith("$."):
        return path
    return prefix if path in ("", ".") else f"{prefix}.{path}"


def _traced(step: Step, value: Any, root: Any, at: str, from_: str, direction: Direction) -> list[Traced]:
    rule = step.rule
    if step.given is not None and not step.given(value, root):
        return []
    found = step.read(value, root)
    if found is MISSING and rule.fallback is MISSING:
        return []
    target, source = _under(at, ".".join(step.path)), _under(from_, rule.shown)
    if step.inner is None or found is MISSING:
        code = _code_row(step, found, direction) if step.code is not None and found is not MISSING else ""
        return [Traced(target, source if rule.shown else "", step.where, rule.codec, code, found is MISSING)]
    entries = found if rule.each and type(found) is list else [found]
    rows: list[Traced] = []
    for number, entry in enumerate(entries):
        mark = f"[{number}]" if rule.each else ""
        rows += step.inner.trace(entry, root, target + mark, source + mark)[1]
    return rows


def _code_row(step: Step, found: Any, direction: Direction) -> str:
    """``foreign=canonical``, whichever of them was found."""
    key = str(found)
    other = (step.code or {}).get(key, "")
    return f"{key}={other}" if direction == "in" else f"{other}={key}"
