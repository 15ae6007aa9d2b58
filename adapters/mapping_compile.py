"""Compiles rule tables (编译规则表): rows of a profile to closures, or every finding about them at once. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from adapters.codecs import Codec, find_codec
from adapters.mapping import RuleMap, Step, cell, deep, each_cell
from adapters.rules import (
    MISSING,
    PATH,
    Convert,
    Direction,
    Faulty,
    Finding,
    Read,
    Rule,
    condition,
    joined,
    listed,
    looked_up,
    reader,
    scalar,
    turned,
)  # fmt: skip
from adapters.rules_jmespath import Expression

Codes = Mapping[str, Mapping[str, str]]


def compile_maps(
    tables: Mapping[str, Any],
    direction: Direction,
    codes: Codes,
    codecs: Mapping[str, Codec] | None = None,
    both: Collection[str] = (),
) -> dict[str, RuleMap]:
    """``{name: {"rows": [...]}}`` of one direction to compiled tables. Raises Faulty with every finding.

    ``codecs``: those that only this profile or this installation has; ``both``: tables that the profile wrote for both
    directions, so that a row is named as it stands there.
    """
    work = _Work(tables, direction, codes, codecs or {}, frozenset(both))
    for name in tables:
        work.table(name, ())
    if work.findings:
        raise Faulty(sorted(set(work.findings), key=lambda found: found.where))
    return work.done


@dataclass
class _Work:
    tables: Mapping[str, Any]
    direction: Direction
    codes: Codes
    codecs: Mapping[str, Codec]
    both: frozenset[str]
    done: dict[str, RuleMap] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def table(self, name: str, above: tuple[str, ...]) -> RuleMap | None:
        if name in self.done:
            return self.done[name]
        where = f"{'both' if name in self.both else self.direction}.{name}"
        if name in above or name not in self.tables:
            zh, en = "引用的表不存在或循环引用", "no such table, or it uses itself"
            self.findings.append(Finding("use-unknown", zh, en, where))
            return None
        content = self.tables[name]
        rows = content.get("rows", []) if isinstance(content, Mapping) else []
        steps = [
            step
            for number, row in enumerate(rows, 1)
            if row is not None and (step := self.row(row, f"{where}[{number}]", (*above, name))) is not None
        ]
        repeated = [s.where for n, s in enumerate(steps) if not s.given and _taken(s, steps[:n])]
        self.findings += [Finding("target-repeated", "目标写了两次", "written twice", at) for at in repeated]
        self.done[name] = RuleMap(name, self.direction, tuple(steps))
        return self.done[name]

    def row(self, row: Any, where: str, above: tuple[str, ...]) -> Step | None:
        try:
            rule = msgspec.convert(row, Rule)
        except msgspec.ValidationError as error:
            zh, en = f"行写法有误：{error}", f"row cannot be read: {error}"
            self.findings.append(Finding("row-unreadable", zh, en, where))
            return None
        problems = self._problems(rule)
        self.findings += [Finding(code, zh, en, where) for code, zh, en in problems]
        inner = self.table(rule.use, above) if rule.use else None
        if problems or (rule.use and inner is None):
            return None
        return self._step(rule, where, inner)

    def _problems(self, rule: Rule) -> list[tuple[str, str, str]]:
        """What is wrong with one row taken alone."""
        sources = [rule.source] if isinstance(rule.source, str) else list(rule.source)
        paths = [path for path in [*sources, rule.each] if path]
        kinds = [bool(rule.each), any(sources), bool(rule.jmespath)]
        codec = find_codec(rule.codec, self.codecs) if rule.codec else None
        several = len(sources) > 1 and not rule.join and not rule.codec.startswith("fn:")
        merged = rule.target == "." and (not rule.use or bool(rule.each) or rule.fallback is not MISSING)
        wrong = [
            (not PATH.fullmatch(rule.target) or merged, "target-unreadable", "目标路径有误", "bad target path"),
            (any(not PATH.fullmatch(path) for path in paths), "source-unreadable", "来源路径有误", "bad source path"),
            (
                not any(kinds) and rule.fallback is MISSING,
                "source-missing",
                "既无来源也无默认值",
                "no source, no default",
            ),
            (
                kinds.count(True) > 1,
                "source-twice",
                "each、source、jmespath 只能写一个",
                "only one of each, source, jmespath",
            ),
            (several, "join-missing", "多个来源须写 join", "several sources need join"),
            (bool(rule.codec) and codec is None, "codec-unknown", "没有这个编码", "no such codec"),
            (
                bool(rule.table) and rule.table not in self.codes,
                "table-unknown",
                "没有这个代码表",
                "no such code table",
            ),
            (
                bool(rule.use) and bool(rule.codec or rule.table),
                "use-and-codec",
                "use 不能带编码",
                "use takes no codec",
            ),
            (bool(rule.when) and condition(rule.when) is None, "when-unreadable", "条件写法有误", "bad condition"),
        ]
        return [(code, zh, en) for bad, code, zh, en in wrong if bad] + _expression_problem(rule.jmespath)

    def _step(self, rule: Rule, where: str, inner: RuleMap | None) -> Step:
        path = () if rule.target == "." else tuple(rule.target.split("."))
        given = condition(rule.when) if rule.when else None
        read = _read(rule)
        code = None
        if rule.table:
            code = self.codes[rule.table] if self.direction == "in" else turned(self.codes[rule.table])
        codec = find_codec(rule.codec, self.codecs) if rule.codec else None
        convert = _converter(codec, code, rule.table, self.direction)
        if inner is not None:
            run = deep(rule, path, read, inner, given)
        elif rule.each:
            run = each_cell(rule, path, read, convert, given)
        else:
            run = cell(rule, path, read, convert, given)
        return Step(rule, where, path, read, convert, code, given, inner, run)


def _taken(step: Step, before: list[Step]) -> bool:
    return any(other.path == step.path and step.path and not other.given for other in before)


def _expression_problem(text: str) -> list[tuple[str, str, str]]:
    if not text:
        return []
    try:
        Expression(text)
    except ValueError as error:
        code, zh, en = error.args
        return [(code, zh, en)]
    return []


def _read(rule: Rule) -> Read:
    if rule.jmespath:
        search = Expression(rule.jmespath).search

        def found(current: Any, root: Any) -> Any:
            value = search(current)
            return MISSING if value is None or value == "" else value

        return found
    if isinstance(rule.source, list):
        reads = [reader(source) for source in rule.source]
        return joined(reads, rule.join) if rule.join else listed(reads)
    shown = rule.each or rule.source
    return reader(shown) if shown else lambda current, root: MISSING


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
