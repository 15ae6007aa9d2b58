"""A region's profile (地方方案): all that differs between platforms of one family, as data, compiled once.

Shared by the families: the header, code tables, the rule tables in both directions (``in``, ``out``, or ``both`` at once),
how a foreign message tells its type, id and case number (``operations``), and the head that goes with every outward
message (``send``). What only one family knows (header names, XML names) stays in a table that this module hands on
untouched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from adapters.base import Act, Inline, Outbound, Untranslatable
from adapters.codecs import Codec
from adapters.codecs.names import is_private, names
from adapters.leaning import in_place
from adapters.mapping import RuleMap
from adapters.mapping_compile import compile_maps
from adapters.rules import MISSING, Faulty, Finding, condition, put, reader
from adapters.rules_both import no_way_back, one_way
from schemas import codec
from schemas.canonical import BODIES
from schemas.errors import Invalid
from signing.sm3 import sm3

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOTICES = ("receipt", "status")


class Operation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How an inward operation tells its type, id and case: ``type``, or the word at ``type_at`` through ``types``.

    ``then``: operations of the same table that read one message in turn, each if its ``when`` holds: a platform may say in
    one message what are several acts here. ``noted``: a message that is taken and says nothing that a case here could hold.
    """

    id: str = ""
    type: str = ""
    type_at: str = ""
    types: dict[str, str] = {}
    case: str = ""
    local: str = ""
    body: str = "."
    then: tuple[str, ...] = ()
    when: str = ""
    noted: bool = False


class Files(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a message that carries its files has a file's digest, and beside it the file itself."""

    digest: str
    content: str


class Send(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Outward messages: where they go, the head ``rows``, the key under which the body goes ("" = beside the head),
    ``files`` where files go inside the message, and ``silent``: types that the family has no word for and the platform does
    without, so that what comes after them is not held up."""

    path: str = ""
    ask: str = ""
    rows: list[dict[str, Any]] = []
    body: str = ""
    operations: dict[str, str] = {}
    files: Files | None = None
    silent: tuple[str, ...] = ()


class Transform(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Stylesheets beside the profile, for families that speak XML: theirs before the rows, ours after them."""

    inward: str = msgspec.field(default="", name="in")
    outward: str = msgspec.field(default="", name="out")


class Tables(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The TOML of a profile. ``basis`` names the public family it is modelled on; ``notice`` says what it is not; ``assumed``:
    what beyond that family is assumed of this place; ``alias_of``, ``like``: the profile it leans on (``adapters.leaning``).

    ``characters``: private-use code points of this city's names and the characters they stand for (codec ``name``).
    """

    name: str
    title: str
    family: str
    division: str
    version: int
    basis: str
    notice: str
    alias_of: str = ""
    like: str = ""
    assumed: tuple[str, ...] = ()
    encoding: str = "utf-8"
    operations: dict[str, Operation] = {}
    send: Send = Send()
    tables: dict[str, dict[str, str]] = {}
    characters: dict[str, str] = {}
    both: dict[str, dict[str, Any]] = {}
    inward: dict[str, dict[str, Any]] = msgspec.field(default={}, name="in")
    outward: dict[str, dict[str, Any]] = msgspec.field(default={}, name="out")
    transform: Transform = Transform()
    reply: dict[str, Any] = {}
    signing: dict[str, Any] = {}
    answer: dict[str, Any] = {}
    soap: dict[str, Any] = {}
    message_set: dict[str, Any] = {}
    document: dict[str, Any] = {}
    front: dict[str, Any] = {}
    drop: dict[str, Any] = {}
    webhook: dict[str, Any] = {}
    union: dict[str, Any] = {}
    national: dict[str, Any] = {}

    @property
    def doors(self) -> tuple[str, ...]:
        """Operations that a platform calls: those that are not a part of another."""
        parts = {name for rule in self.operations.values() for name in rule.then}
        return tuple(name for name in self.operations if name not in parts)


@dataclass(frozen=True, slots=True)
class Profile:
    """A compiled profile. ``with_documents``: inward types whose tables take a document out of the message;
    ``codecs``: those that only this profile or this installation has."""

    text: Tables
    inward: Mapping[str, RuleMap]
    outward: Mapping[str, RuleMap]
    head: RuleMap
    with_documents: frozenset[str]
    codecs: Mapping[str, Codec]

    def act(self, operation: str, message: dict[str, Any], case: str = "") -> Act:
        """A decoded foreign message to an act. Raises Untranslatable, its path in the platform's own names."""
        rule = self.text.operations.get(operation)
        if rule is None:
            raise Untranslatable("operation-unknown", "没有这个操作", "no such operation")
        type_ = _type_of(rule, message)
        if type_ not in self.inward:
            raise Untranslatable(
                "type-not-mapped", "方案未映射这类报文", "the profile maps no such message", rule.type_at
            )
        number = _number(message, rule.case)
        if case and number and case != number:
            raise Untranslatable(
                "case-mismatch", "路径与报文里的办件编号不一致", "path and body name different cases", rule.case
            )
        if not (number or case):
            raise Untranslatable("case-missing", "缺少办件编号", "the case number is missing", rule.case)
        body = message if rule.body == "." else reader(rule.body)(message, message)
        if type(body) is not dict:
            raise Untranslatable("body-missing", "缺少报文内容", "the message has no content", rule.body)
        table = self.inward[type_]
        prefix = "" if rule.body == "." else f"{rule.body}."
        parts: list[Inline] = []
        try:
            value = table.run(body, message)
            built = codec.build(type_, _lifted(value, parts) if type_ in self.with_documents else value)
        except Untranslatable as bad:
            path = bad.path[2:] if bad.path.startswith("$.") else prefix + bad.path
            raise Untranslatable(bad.code, bad.zh, bad.en, path) from None
        except Invalid as bad:
            path = table.source_of(bad.path)
            raise Untranslatable(bad.code, bad.zh, bad.en, prefix + path if path else bad.path) from None
        return Act(type_, number or case, _text(message, rule.id), built, _number(message, rule.local), tuple(parts))

    def acts(self, operation: str, message: dict[str, Any], case: str = "") -> tuple[Act, ...]:
        """All that one message says, in order; nothing for one that is only noted. Raises Untranslatable, also when none of
        its parts is there."""
        rule = self.text.operations.get(operation)
        if rule is not None and rule.noted:
            return ()
        if rule is None or not rule.then:
            return (self.act(operation, message, case),)
        done = []
        for name in rule.then:
            given = condition(self.text.operations[name].when)
            if given is None or given(message, message):
                act = self.act(name, message, case)
                done.append(msgspec.structs.replace(act, id=f"{act.id}#{act.type}"))
        if not done:
            raise Untranslatable("body-missing", "缺少报文内容", "the message has no content", rule.body)
        return tuple(done)

    def message(self, out: Outbound) -> dict[str, Any]:
        """Our message in the platform's names, as a plain object whose keys stand in the order of the rows."""
        table = self.outward.get(out.type)
        if table is None:
            raise Untranslatable("type-not-mapped", "方案未映射这类报文", "the profile maps no such message")
        whole = envelope(out)
        output = self.head.run(whole)
        body = table.run(body_of(out), whole)
        if self.text.send.body:
            put(output, tuple(self.text.send.body.split(".")), body)
        else:
            output.update(body)
        return output


def envelope(out: Outbound) -> dict[str, Any]:
    """What ``$.`` means in outward tables: the outbound without its body, ``at`` as a time."""
    whole = {name: getattr(out, name) for name in Outbound.__struct_fields__ if name not in {"body", "at_ms"}}
    whole["at"] = EPOCH + timedelta(milliseconds=out.at_ms)
    return whole


def body_of(out: Outbound) -> dict[str, Any]:
    """The body as a plain object; times and dates stay times and dates."""
    return plain_of(out.body)


def plain_of(body: Any) -> dict[str, Any]:
    """The same for a body alone."""
    plain: dict[str, Any] = msgspec.to_builtins(body, builtin_types=(bytes, datetime, date))
    return plain


def _text(message: dict[str, Any], path: str) -> str:
    value = reader(path)(message, message) if path else MISSING
    if type(value) is not str or not 1 <= len(value) <= 128 or not value.isprintable():
        raise Untranslatable("id-form", "编号须为 1 至 128 个可见字符", "an id has 1 to 128 printable characters", path)
    return value


def _number(message: dict[str, Any], path: str) -> str:
    """A case number, or "" where the profile names none or the message leaves it out."""
    return "" if not path or reader(path)(message, message) is MISSING else _text(message, path)


def _type_of(rule: Operation, message: dict[str, Any]) -> str:
    if rule.type:
        return rule.type
    word = reader(rule.type_at)(message, message)
    found = rule.types.get(word) if type(word) is str else None
    if found is None:
        raise Untranslatable("type-unknown", "没有这种报文类型", "no such message type", rule.type_at)
    return found


def _lifted(value: Any, parts: list[Inline]) -> Any:
    """Take documents that came inside (key ``inline``: bytes) out, leaving their digest and size in their place."""
    if type(value) is list:
        return [_lifted(entry, parts) for entry in value]
    if type(value) is not dict:
        return value
    data = value.pop("inline", None)
    done = {key: _lifted(entry, parts) for key, entry in value.items()}
    if type(data) is not bytes:
        return done
    digest = sm3(data).hex()
    if done.get("sm3", digest) != digest:
        raise Untranslatable(
            "material-digest-mismatch", "文件与所报 SM3 摘要不符", "a file does not match its SM3 digest"
        )
    done["sm3"], done["size"] = digest, len(data)
    parts.append(Inline(digest, len(data), done.get("media_type", ""), done.get("file_name", ""), data))
    return done


def read_tables(data: Mapping[str, Any]) -> Tables:
    """The TOML of a profile to its tables. Raises Untranslatable, naming what does not fit."""
    try:
        tables = msgspec.convert(in_place(data, str(data.get("division", ""))), Tables)
    except msgspec.ValidationError as error:
        raise Untranslatable("profile-unreadable", f"方案有误：{error}", f"bad profile: {error}") from None
    for name, rule in tables.operations.items():
        wrong = {*([rule.type] if rule.type else rule.types.values())} - set(tables.inward) - set(tables.both)
        told = [bool(rule.type), bool(rule.type_at), bool(rule.then), rule.noted].count(True)
        lost = set(rule.then) - set(tables.operations)
        if wrong or lost or told != 1 or (rule.when and condition(rule.when) is None):
            where = f"operations.{name}"
            raise Untranslatable("operation-unreadable", f"{where} 的类型有误", f"{where}: bad type", where)
    said = set(tables.outward) | set(tables.both) if not tables.send.operations else set(tables.send.operations)
    loud = sorted(set(tables.send.silent) - (set(BODIES) - said))
    if loud:
        names = "、".join(loud)
        zh, en = (
            f"send.silent 只列没有去报的报文类型，不是：{names}",
            f"send.silent lists message types that are not sent: {names}",
        )
        raise Untranslatable("operation-unreadable", zh, en, "send.silent")
    return tables


def compile_profile(data: Mapping[str, Any], functions: Mapping[str, Codec] | None = None) -> Profile:
    """Compile all tables. Raises Untranslatable (header) or Faulty (rows, with every finding).

    ``functions``: codecs that installed packages bring (``adapters.functions``).
    """
    tables = read_tables(data)
    codecs = {**(functions or {}), "name": names(_characters(tables.characters))}
    findings = no_way_back(tables.both, codecs)
    findings += [
        Finding("table-twice", "这张表在 both 里已有", "this table is in both already", f"{direction}.{name}")
        for direction, own in (("in", tables.inward), ("out", tables.outward))
        for name in own.keys() & tables.both.keys()
    ]
    if findings:
        raise Faulty(findings)
    inward = compile_maps({**one_way(tables.both, "in"), **tables.inward}, "in", tables.tables, codecs, tables.both)
    outward = compile_maps({**one_way(tables.both, "out"), **tables.outward}, "out", tables.tables, codecs, tables.both)
    head = compile_maps({"head": {"rows": tables.send.rows}}, "out", tables.tables, codecs)["head"]
    documents = frozenset(name for name in inward if _takes_documents(inward[name]))
    return Profile(tables, inward, outward, head, documents, codecs)


def _characters(given: Mapping[str, str]) -> Mapping[str, str]:
    for code, character in given.items():
        private = re.fullmatch(r"[0-9A-Fa-f]{4,6}", code) is not None and int(code, 16) <= 0x10FFFF
        if not private or not is_private(chr(int(code, 16))) or len(character) != 1 or is_private(character):
            zh, en = "characters 应为“私有区码位 = 一个字”", "characters: a private-use code point = one character"
            raise Untranslatable("characters-unreadable", zh, en, f"characters.{code}")
    return given


def _takes_documents(table: RuleMap) -> bool:
    return any(
        step.path == ("inline",) or (step.inner is not None and _takes_documents(step.inner)) for step in table.steps
    )


def known_type(name: str) -> bool:
    """Whether a table's name is a message type; other names are pieces used by ``use``."""
    return name in BODIES or name in NOTICES


__all__ = ["Faulty", "Operation", "Profile", "Send", "Tables", "body_of", "compile_profile", "envelope", "known_type"]
