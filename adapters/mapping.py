"""Rule-table mapping (字段映射): rows of a profile compiled to closures, and a trace of what came from where.

A row says: put into ``target`` what ``source`` holds, through ``codec`` and code ``table``; ``default`` when nothing is
there; only ``when`` a condition holds; for ``each`` entry of a list; ``join`` several sources. A row without ``source``
writes its ``default``; ``use`` maps an object by another table. Inwards (foreign to canonical) a codec decodes and a
code table reads left to right; outwards both are turned round.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any

import msgspec

from adapters.base import Untranslatable
from adapters.codecs import Codec, Misfit, find_codec
from adapters.rules import (
    MISSING,
    PATH,
    Convert,
    Direction,
    Faulty,
    Finding,
    Read,
    Rule,
    Traced,
    condition,
    joined,
    looked_up,
    put,
    reader,
    scalar,
    turned,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """A compiled row. ``run`` is the fast path; the rest serves the trace."""

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


def _cell(rule: Rule, path: tuple[str, ...], read: Read, convert: Convert, given: Read | None) -> Any:
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


def _deep(rule: Rule, path: tuple[str, ...], read: Read, inner: RuleMap, given: Read | None) -> Any:
    """The closure for a row that maps an object, or each object of a list, by another table."""
    source, default, listed = rule.shown, rule.fallback, bool(rule.each)

    def run(current: Any, root: Any, output: dict[str, Any]) -> None:
        if given is not None and not given(current, root):
            return
        value = read(current, root)
        if value is MISSING:
            if default is not MISSING:
                put(output, path, copy(default))
            return
        if not listed:
            put(output, path, inner.apply(value, root, source))
            return
        entries = value if type(value) is list else [value]
        put(output, path, [inner.apply(entry, root, f"{source}[{n}]") for n, entry in enumerate(entries)])

    return run


def _each_cell(rule: Rule, path: tuple[str, ...], read: Read, convert: Convert, given: Read | None) -> Any:
    """The closure for a row over a list of single values, kept as a list or joined to one string."""

    def all_of(value: Any) -> Any:
        done = [convert(entry) for entry in (value if type(value) is list else [value])]
        return rule.join.join(map(str, done)) if rule.join else done

    return _cell(rule, path, read, all_of, given)


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
            inner = bad.path if bad.path.startswith("$.") else f"{where}.{bad.path}"
            raise Untranslatable(bad.code, bad.zh, bad.en, inner) from None

    def source_of(self, target: str) -> str:
        """The source path behind a target path such as ``applicant.party.name`` or ``materials[2].sm3``; "" if none."""
        for step in self.steps:
            own = ".".join(step.path)
            if target == own:
                return step.rule.shown
            if step.inner is not None and re.match(rf"{re.escape(own)}[.\[]", target):
                index, _, rest = target[len(own) :].partition(".")
                deeper = step.inner.source_of(rest)
                return f"{step.rule.shown}{index}.{deeper}" if deeper else f"{step.rule.shown}{index}"
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
            rows.extend(_traced(step, value, whole, at, from_))
        return output, rows, errors


def _under(prefix: str, path: str) -> str:
    return path if not prefix or path.startswith("$.") else f"{prefix}.{path}"


def _traced(step: Step, value: Any, root: Any, at: str, from_: str) -> list[Traced]:
    rule = step.rule
    if step.given is not None and not step.given(value, root):
        return []
    found = step.read(value, root)
    if found is MISSING and rule.fallback is MISSING:
        return []
    target, source = _under(at, ".".join(step.path)), _under(from_, rule.shown)
    if step.inner is None or found is MISSING:
        code = _code_row(step, found) if step.code is not None and found is not MISSING else ""
        return [Traced(target, source if rule.shown else "", step.where, rule.codec, code, found is MISSING)]
    entries = found if rule.each and type(found) is list else [found]
    rows: list[Traced] = []
    for number, entry in enumerate(entries):
        mark = f"[{number}]" if rule.each else ""
        rows += step.inner.trace(entry, root, target + mark, source + mark)[1]
    return rows


def _code_row(step: Step, found: Any) -> str:
    code = step.code or {}
    key = str(found)
    other = code.get(key, "")
    inwards = step.where.startswith("in.")
    return f"{key}={other}" if inwards else f"{other}={key}"


# --- compiling --------------------------------------------------------------------------------------------------------


def compile_maps(
    tables: Mapping[str, Any], direction: Direction, codes: Mapping[str, Mapping[str, str]]
) -> dict[str, RuleMap]:
    """``{name: {"rows": [...]}}`` of one direction to compiled tables. Raises Faulty with every finding."""
    findings: list[Finding] = []
    done: dict[str, RuleMap] = {}
    for name in tables:
        _compile_one(name, tables, direction, codes, done, findings, ())
    if findings:
        raise Faulty(sorted(set(findings), key=lambda found: found.where))
    return done


def _compile_one(
    name: str,
    tables: Mapping[str, Any],
    direction: Direction,
    codes: Mapping[str, Mapping[str, str]],
    done: dict[str, RuleMap],
    findings: list[Finding],
    above: tuple[str, ...],
) -> RuleMap | None:
    if name in done:
        return done[name]
    where = f"{direction}.{name}"
    if name in above or name not in tables:
        findings.append(Finding("use-unknown", "引用的表不存在或循环引用", "no such table, or it uses itself", where))
        return None
    steps: list[Step] = []
    rows = tables[name].get("rows", []) if isinstance(tables[name], Mapping) else []
    for number, row in enumerate(rows, 1):
        at = f"{where}[{number}]"
        try:
            rule = msgspec.convert(row, Rule)
        except msgspec.ValidationError as error:
            findings.append(Finding("row-unreadable", f"行写法有误：{error}", f"row cannot be read: {error}", at))
            continue
        problems = _problems(rule, codes)
        findings += [Finding(code, zh, en, at) for code, zh, en in problems]
        inner = _compile_one(rule.use, tables, direction, codes, done, findings, (*above, name)) if rule.use else None
        if not problems and (inner is not None or not rule.use):
            steps.append(_step(rule, at, direction, codes, inner))
    repeated = [s.where for n, s in enumerate(steps) if not s.given and _taken(s, steps[:n])]
    findings += [Finding("target-repeated", "目标写了两次", "this target is written twice", at) for at in repeated]
    done[name] = RuleMap(name, direction, tuple(steps))
    return done[name]


def _taken(step: Step, before: list[Step]) -> bool:
    return any(other.path == step.path and not other.given for other in before)


def _problems(rule: Rule, codes: Mapping[str, Mapping[str, str]]) -> list[tuple[str, str, str]]:
    """What is wrong with one row taken alone."""
    sources = [rule.source] if isinstance(rule.source, str) else list(rule.source)
    paths = [path for path in [*sources, rule.each] if path]
    wrong = [
        (not rule.target or not PATH.fullmatch(rule.target), "target-unreadable", "目标路径有误", "bad target path"),
        (any(not PATH.fullmatch(path) for path in paths), "source-unreadable", "来源路径有误", "bad source path"),
        (not paths and rule.fallback is MISSING, "source-missing", "既无来源也无默认值", "neither source nor default"),
        (
            bool(rule.each) and any(sources),
            "source-twice",
            "each 与 source 只能写一个",
            "each and source exclude each other",
        ),
        (len(sources) > 1 and not rule.join, "join-missing", "多个来源须写 join", "several sources need join"),
        (bool(rule.codec) and find_codec(rule.codec) is None, "codec-unknown", "没有这个编码", "no such codec"),
        (bool(rule.table) and rule.table not in codes, "table-unknown", "没有这个代码表", "no such code table"),
        (bool(rule.use) and bool(rule.codec or rule.table), "use-and-codec", "use 不能带编码", "use takes no codec"),
        (bool(rule.when) and condition(rule.when) is None, "when-unreadable", "条件写法有误", "bad condition"),
    ]
    return [(code, zh, en) for bad, code, zh, en in wrong if bad]


def _step(
    rule: Rule, where: str, direction: Direction, codes: Mapping[str, Mapping[str, str]], inner: RuleMap | None
) -> Step:
    path = tuple(rule.target.split("."))
    given = condition(rule.when) if rule.when else None
    if isinstance(rule.source, list):
        read = joined([reader(source) for source in rule.source], rule.join)
    else:
        shown = rule.each or rule.source
        read = reader(shown) if shown else lambda current, root: MISSING
    codec = find_codec(rule.codec) if rule.codec else None
    code = None
    if rule.table:
        code = codes[rule.table] if direction == "in" else turned(codes[rule.table])
    convert = _converter(codec, code, rule.table, direction)
    if inner is not None:
        run = _deep(rule, path, read, inner, given)
    elif rule.each:
        run = _each_cell(rule, path, read, convert, given)
    else:
        run = _cell(rule, path, read, convert, given)
    return Step(rule, where, path, read, convert, code, given, inner, run)


def _converter(codec: Codec | None, code: Mapping[str, str] | None, name: str, direction: Direction) -> Convert:
    """Codec and code table in the order of the direction: inwards decode then look up, outwards look up then encode."""
    if codec is None:
        return scalar if code is None else looked_up(code, name)
    change = codec.decode if direction == "in" else codec.encode
    if code is None:
        return change
    look = looked_up(code, name)
    if direction == "in":
        return lambda value: look(change(value))
    return lambda value: change(look(value))
