"""``tongban map new``: a first profile from two samples of one message, the platform's and the canonical one.

What comes out compiles, is checked and run on the samples at once; a person confirms each row. Exit: 0 the samples come
out the same, 1 something is left to a person, 65 a sample cannot be read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import click

from gateway.lang import say

if TYPE_CHECKING:
    from adapters.propose import Proposal

LIMIT = 1 << 20
MAX_PLACES = 2000  # every one of them is tried for every field


@click.command("new", help=say("由两份样例推出映射草稿。", "Propose a profile from two samples of one message."))
@click.option(
    "--from", "from_", required=True, metavar="FILE", help=say("平台报文样例，JSON 或 XML", "the platform's sample")
)
@click.option(
    "--to", "to", required=True, metavar="FILE", help=say("同一报文的规范形式，JSON", "the same message, canonical")
)
@click.option("--type", "type_", default="application", show_default=True, help=say("规范报文类型", "canonical type"))
@click.option("--name", default="draft", show_default=True, help=say("方案名", "the profile's name"))
@click.option("--out", default="", metavar="FILE", help=say("写到文件（不覆盖）", "write here, never over a file"))
@click.option("--json", "as_json", is_flag=True, help=say("机器可读输出", "for machines"))
def new(from_: str, to: str, type_: str, name: str, out: str, as_json: bool) -> None:
    """Exit 0: the draft turns the one sample into the other."""
    import re

    import msgspec.inspect

    from adapters.propose import propose
    from adapters.propose_text import toml
    from gateway.cli.output import finish
    from schemas.canonical import BODIES

    if type_ not in BODIES or not re.fullmatch(r"[a-z0-9_]{1,64}", name):
        known = "、".join(BODIES)
        raise click.UsageError(
            say(f"--type 须为：{known}；--name 为小写字母数字", f"--type is one of {known}; --name a-z0-9_")
        )
    foreign, family, operation = _foreign(from_)
    body = _canonical(to, type_)
    found = propose(type_, msgspec.inspect.type_info(BODIES[type_]), foreign, body)
    id_, case = _numbers(found, foreign, type_)
    text = toml(found, name=name, family=family, type_=type_, operation=operation, id_=id_, case=case)
    left = _differences(text, type_, foreign, body)
    if out:
        _write(out, text)
    lines = [] if out else [text]
    lines += [f"✗ {path}" for path in left]
    rows = sum(len(table) for table in found.tables.values())
    guesses = sum(1 for table in found.tables.values() for row in table if "note" in row)
    lines.append(say(f"{rows} 行，其中 {guesses} 行待确认；样例有 {len(left)} 处不符",
                     f"{rows} rows, {guesses} of them guesses; {len(left)} places of the sample differ"))  # fmt: skip
    data = {"profile": text, "rows": rows, "guesses": guesses, "differences": left, "missing": found.missing,
            "unused": found.unused}  # fmt: skip
    finish(not left and not found.missing, data, as_json, lines)


# --- samples ----------------------------------------------------------------------------------------------------------


def _foreign(path: str) -> tuple[dict[str, Any], str, str]:
    """The platform's sample as a plain object, its family, and the name of the operation."""
    from adapters.base import Untranslatable
    from adapters.propose import leaves
    from adapters.soap.tree import local, to_value
    from gateway.cli.output import read_bytes, unreadable
    from schemas.codec import strict_json
    from schemas.errors import Invalid
    from schemas.xml import parse_xml

    data = read_bytes(path, LIMIT)
    try:
        if not data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            value, family, operation = strict_json(data, max_bytes=LIMIT), "rest_signed", "case"
        else:
            root = parse_xml(data, max_bytes=LIMIT)
            while local(root) in ("Envelope", "Body") and len(root):
                root = root[-1] if local(root) == "Envelope" else root[0]
            value, family, operation = to_value(root), "soap", local(root)
    except (Invalid, Untranslatable) as bad:
        unreadable(path, bad.zh, bad.en)
    if not isinstance(value, dict):
        _no_object(path)
    if sum(1 for _ in leaves(value)) > MAX_PLACES:
        unreadable(
            path, f"样例超过 {MAX_PLACES} 个字段，请裁短", f"more than {MAX_PLACES} fields: take a shorter sample"
        )
    return value, family, operation


def _canonical(path: str, type_: str) -> dict[str, Any]:
    """The canonical sample with its times as times."""
    from adapters.profile import plain_of
    from gateway.cli.output import read_bytes, unreadable
    from schemas import codec
    from schemas.errors import Invalid

    try:
        value = codec.strict_json(read_bytes(path, LIMIT), max_bytes=LIMIT)
        return plain_of(codec.build(type_, value)) if isinstance(value, dict) else _no_object(path)
    except Invalid as bad:
        unreadable(path, f"{bad.path} {bad.zh}".strip(), f"{bad.path} {bad.en}".strip())


def _no_object(path: str) -> NoReturn:
    from gateway.cli.output import unreadable

    unreadable(path, "应为一个对象", "must be an object")


def _numbers(found: Proposal, foreign: dict[str, Any], type_: str) -> tuple[str, str]:
    """Where the message's id and the case number may stand: the case number's source, and a number that no row reads."""
    from adapters.initials import alike
    from adapters.propose import leaves

    rows = found.tables.get(type_, [])
    case = next((row["source"] for row in rows if row["target"] == "case_number" and "source" in row), "")
    texts = [path for path, value in leaves(foreign) if isinstance(value, str) and value and path != case]
    ranked = sorted(texts, key=lambda path: (path not in found.unused, -_like_an_id(path.rpartition(".")[2])))
    case = case or next(iter(sorted(texts, key=lambda path: -alike("办件编号", "case", path.rpartition(".")[2]))), "")
    return next(iter(ranked), case), case


def _like_an_id(key: str) -> float:
    """0 to 1: ``lsh``, ``id``, ``msgId``."""
    from adapters.initials import alike

    return 1.0 if key.lower().endswith("id") else alike("流水号", "id", key)


def _differences(text: str, type_: str, foreign: dict[str, Any], body: dict[str, Any]) -> list[str]:
    """Places where the draft does not turn the one sample into the other."""
    import tomllib

    from adapters.base import Untranslatable
    from adapters.differences import differences
    from adapters.profile import compile_profile

    try:
        made = compile_profile(tomllib.loads(text)).inward[type_].run(foreign)
    except Untranslatable as bad:
        return [bad.path]
    return [one.path for one in differences(body, made) if one.kind != "added"]


def _write(path: str, text: str) -> None:
    from pathlib import Path

    from gateway.cli.output import unreadable

    try:
        with Path(path).open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        unreadable(path, f"写不了文件（{error.strerror}）", f"cannot be written ({error.strerror})")
