"""A proposed mapping as the TOML of a profile that can be checked and run at once (映射草稿的写法). Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator

from adapters.propose import Proposal

_NOTES = {
    "guess": "  # 待确认：只凭名称猜的代码  a guess by name",
    "constant": "  # 待确认：样例中的固定值  a constant of the sample",
}


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def toml(proposal: Proposal, *, name: str, family: str, type_: str, operation: str, id_: str, case: str) -> str:
    """The profile. ``id_`` and ``case``: where the platform's message names itself and its case."""
    return "\n".join(_lines(proposal, name, family, type_, operation, id_, case)) + "\n"


def _lines(
    proposal: Proposal, name: str, family: str, type_: str, operation: str, id_: str, case: str
) -> Iterator[str]:
    yield "# 由两份样例推出的映射草稿，须逐行确认。A draft from two samples: confirm every row."
    yield f"name = {_quoted(name)}"
    yield f"title = {_quoted(name)}"
    yield f"family = {_quoted(family)}"
    yield 'division = "000000"  # 待填 to be filled in'
    yield "version = 1"
    yield 'basis = "待填：依据的公开接口规范"  # to be filled in'
    yield 'notice = "草稿，未经平台方确认"'
    yield ""
    yield f"[operations.{operation}]"
    yield f"type = {_quoted(type_)}"
    yield f"id = {_quoted(id_)}"
    yield f"case = {_quoted(case)}"
    for table, codes in proposal.codes.items():
        yield ""
        yield f"[tables.{table}]"
        yield from (f"{_quoted(foreign)} = {_quoted(word)}" for foreign, word in codes.items())
        yield from (f'# "?" = {_quoted(word)}' for word in proposal.words.get(table, ()))
    for table, rows in proposal.tables.items():
        yield ""
        yield f"[both.{table}]"
        yield "rows = ["
        for row in rows:
            cells = ", ".join(f"{key} = {_quoted(value)}" for key, value in row.items() if key != "note")
            yield f"  {{ {cells} }},{_NOTES.get(row.get('note', ''), '')}"
        yield "]"
    yield ""
    yield "# 还要写 still to be written：[signing]、[send]、[answer]、[reply]，见 docs/howto/onboard-a-platform.md"
    if proposal.missing:
        yield ""
        yield f"# 没有来源的规范字段 canonical fields without a source: {', '.join(proposal.missing)}"
    if proposal.unused:
        yield f"# 没有用到的来源 fields of the platform that no row reads: {', '.join(proposal.unused)}"
