"""The ``[union]`` table of a profile (市际联办接口): which calls there are, where they go, and where their answers hold what. Pure.

Paths begin with a slash and stand below the platform's registered address, or below our door for it. Places in messages are
dotted; ``$.`` is from the message's root.
"""

from __future__ import annotations

import re
from typing import Any, Final, Literal

import msgspec

from adapters.base import Untranslatable
from adapters.profile import Profile

_PATH: Final = re.compile(r"(/[A-Za-z0-9._~-]+)+")
_HEADER: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


class Token(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a caller shows the secret that it was given: a header or a parameter of the query, by name."""

    place: Literal["header", "query"]
    name: str


class Detail(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The call that lists the files of a material. ``each``: the list in a message whose every entry has its own call; one call
    for the message where it is empty. ``ask``: parameter -> place, in the entry or with ``$.`` in the message. ``list``: where
    an answer holds the files. ``case`` and ``material``: the parameters by which a caller of ours names them. ``of``: the
    operations whose messages have files, all where it is empty; ``empty``: whether an entry of ``each`` may have no file (else it
    is waited for)."""

    path: str
    ask: dict[str, str]
    case: str
    each: str = ""
    material: str = ""
    list: str = "custom.filelist"
    of: tuple[str, ...] = ()
    empty: bool = False


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The call that brings a file, ``parameter`` of its query is the file's id; and the names in an entry of the list."""

    path: str
    parameter: str = "attachguid"
    id: str = "attachguid"
    name: str = "filename"
    size: str = "length"
    sm3: str = ""


class Fetch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A call that gives what waits for us. ``operation`` reads each entry of ``list``; ``id`` is its place in an entry;
    ``order`` a place by whose text the entries of all calls are taken in turn; ``full``: how many entries a full page has,
    behind which there may be more."""

    call: str
    operation: str
    id: str
    ask: dict[str, Any] = {}
    list: str = "custom.list"
    order: str = ""
    full: int = 0


class Mark(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The receipt of a fetch (获取成功回执). ``id``, ``state`` and ``reason`` are parameters; ``kind`` that which names the
    call; ``ok`` and ``refused`` what ``state`` says."""

    call: str
    id: str
    state: str
    reason: str
    kind: str = ""
    ok: str = "1"
    refused: str = "2"


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``calls``: operation -> path, the same in both directions. ``push``: those that the platform makes at our door.

    ``params``: the key under which a call's parameters stand. ``ask``: the call that tells whether they have a message, and
    ``ask_id`` its parameter. ``read``: calls that only show something -> where an answer holds the list. ``poll_ms``: the pause
    when nothing waits. ``patience_ms``: how long a message's files are waited for at once; ``tries``: after how many
    polls without them a fetched message is refused.
    """

    calls: dict[str, str]
    push: tuple[str, ...] = ()
    params: str = "params"
    token: Token | None = None
    ask: str = ""
    ask_id: str = ""
    detail: Detail | None = None
    file: File | None = None
    fetch: tuple[Fetch, ...] = ()
    mark: Mark | None = None
    read: dict[str, str] = {}
    poll_ms: int = 1000
    patience_ms: int = 20_000
    tries: int = 100


def read_words(profile: Profile) -> Words:
    """Raises Untranslatable for a table that cannot be read, a call that has no path, or files that cannot be fetched."""
    try:
        words = msgspec.convert(profile.text.union, Words)
    except msgspec.ValidationError as error:
        raise Untranslatable("union-unreadable", f"union 有误：{error}", f"bad union table: {error}", "union") from None
    sent = [name for steps in profile.text.send.operations.values() for name in steps.split()]
    fetched = [one.call for one in words.fetch] + ([words.mark.call] if words.mark else [])
    for name in [*sent, *fetched, *words.push, *words.read, *([words.ask] if words.ask else [])]:
        if name not in words.calls:
            raise _bad(f"union.calls.{name}", "没有这个调用的路径", "the call has no path")
    for name in [*words.push, *(one.operation for one in words.fetch)]:
        if name not in profile.text.operations:
            raise _bad(f"operations.{name}", "没有这个操作", "no such operation")
    paths = list(words.calls.values()) + [one.path for one in (words.detail, words.file) if one]
    for path in paths:
        if not _PATH.fullmatch(path) or "/." in path:
            raise _bad("union.calls", f"路径不合规范：{path[:64]}", f"not a path: {path[:64]}")
    if len(set(paths)) != len(paths):
        raise _bad("union.calls", "两个调用同一路径", "two calls have one path")
    if (words.detail is None) != (words.file is None) or (words.fetch and words.mark is None):
        raise _bad("union", "detail 与 file、fetch 与 mark 须成对", "detail goes with file, fetch with mark")
    if words.token is not None and not _HEADER.fullmatch(words.token.name):
        raise _bad("union.token", "名称不合规范", "not a name")
    return words


def _bad(where: str, zh: str, en: str) -> Untranslatable:
    return Untranslatable("union-unreadable", f"{where}：{zh}", f"{where}: {en}", where)
