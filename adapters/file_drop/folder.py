"""The shared folder as the channel needs it (共享文件夹): five operations on many files at once, on a disk or over SFTP.

A file is written under a temporary name and flushed (``write``), then gets its name (``show``): durable when that returns.
What is read is an ordinary file and no more of it than asked for. No operation waits longer than its time.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Literal, NamedTuple, Protocol


class Place(NamedTuple):
    """A file of the exchange: the folder below its root, and the name."""

    folder: str
    name: str


class Content(NamedTuple):
    """The bytes of a file, one more than the limit at most, and what tells this very file from another of its name."""

    data: bytes
    mark: Hashable


class Shown(NamedTuple):
    """Whether a file stands under its name now, and why not. ``maybe``: nobody can tell."""

    stands: Literal["yes", "no", "maybe"]
    why: str = ""


REASONS = {
    "folder not there": "文件夹不在",
    "no-connection": "连不上服务器",
    "connection-lost": "连接中断",
    "time-out": "服务器没有回应",
    "host-key-not-registered": "服务器的主机公钥不是登记的",
    "login-refused": "登录被拒绝",
    "too many files": "文件过多",
    "answer-unreadable": "服务器的答复读不懂",
}
"""Why nothing could be done, in Chinese; other reasons are the system's own words."""


class Trouble(Exception):
    """Nothing could be done, for a reason without any personal data. ``absent``: there is nobody, or no such folder."""

    def __init__(self, reason: str, *, absent: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.absent = reason, absent


class NoFile(NamedTuple):
    """Why there is nothing to read under a name that exists."""

    code: str
    zh: str
    en: str


Read = Content | NoFile | None
"""A file, why it is none, or None where there is nothing."""


class Folder(Protocol):
    """Every operation raises Trouble when it could not begin."""

    async def names(self, folder: str) -> set[str]:
        """What is there. Raises Trouble for more than ``MAX_NAMES``."""

    async def read(self, wanted: Sequence[tuple[Place, int]]) -> list[Read]:
        """Ordinary files, each up to its limit of bytes."""

    async def write(self, files: Sequence[tuple[Place, bytes]]) -> list[str]:
        """Whole and flushed under temporary names; "" or why not, for each."""

    async def show(self, places: Sequence[Place]) -> list[Shown]:
        """Give written files their names, in place of what has them."""

    async def move(self, pairs: Sequence[tuple[Place, Place]]) -> list[Hashable]:
        """Rename; the mark of what was moved, None where nothing could be."""

    async def close(self) -> None:
        """Release what is held open."""


MAX_NAMES = 200_000

NO_FILE = NoFile("no-file", "不是普通文件", "no ordinary file")
HARD_LINK = NoFile("hard-link", "文件另有硬链接", "the file has another hard link")
OWNER = NoFile("wrong-owner", "文件的属主不是约定的", "the file belongs to somebody else")
NO_PERMISSION = NoFile("no-permission", "文件没有读取权限", "the file may not be read")


class Put(NamedTuple):
    """How many files of a message stand in order, whether the next may, and why it went no further."""

    done: int
    torn: bool = False
    why: str = ""


async def put(folder: Folder, messages: Sequence[Sequence[tuple[Place, bytes]]]) -> list[Put]:
    """Each message's files in their order: none gets its name before all are flushed, and none before the one ahead of it
    is durable. What fails for one message fails for no other. Raises Trouble when nothing was begun.
    """
    flat = [(number, file) for number, files in enumerate(messages) for file in files]
    failed = dict[int, Put]()
    for (number, _), why in zip(flat, await folder.write([file for _, file in flat]), strict=True):
        if why:
            failed.setdefault(number, Put(0, why=why))
    for step in range(max(map(len, messages), default=0)):
        going = [n for n, files in enumerate(messages) if n not in failed and len(files) > step]
        for number, shown in zip(going, await _show(folder, [messages[n][step][0] for n in going]), strict=True):
            if shown.stands != "yes":
                failed[number] = Put(step, shown.stands == "maybe", shown.why)
    return [failed.get(number, Put(len(files))) for number, files in enumerate(messages)]


async def _show(folder: Folder, places: Sequence[Place]) -> list[Shown]:
    try:
        return await folder.show(places) if places else []
    except Trouble as trouble:  # it was not begun: what stood before still stands alone
        return [Shown("no", trouble.reason)] * len(places)
