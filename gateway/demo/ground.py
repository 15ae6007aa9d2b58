"""Where the demo lives: its folder, and the file that tells what was made there and what still runs (``demo.json``).

The demo puts a note into its folder first of all; a folder that is not empty and has no such note is never touched.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from gateway.demo.crew import ROOT, Crew, Member

STATE = "demo.json"
NOTE = "README.txt"
NOTE_TEXT = """通办演示目录：由 ./run demo 生成，可以整个删除，下次运行会重新生成。
The demo's folder: made by ./run demo, may be deleted as a whole, is made anew by the next run.
"""
PLACES = "places"
STORY = "story.html"
EVIDENCE = "evidence.jsonl"
DEFAULT = ".tongban-demo"


class NotOurs(Exception):
    """The folder holds something that the demo did not make."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One side: its folder, its configuration, addresses of its gateway and of its platform's control port."""

    division: str
    name: str
    party: str
    folder: str
    config: str
    exchange: str
    platform: str
    admin: str
    control: str


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The demo as it was left. ``case``: the case whose evidence package was exported."""

    a: Place
    b: Place
    made_at: str
    kept: bool
    members: list[Member]
    case: str = ""

    @property
    def crew(self) -> Crew:
        """The processes, found again."""
        return Crew(self.members, kept=True)

    @property
    def running(self) -> list[str]:
        """Names of the processes that still run."""
        crew = self.crew
        return [name for name in crew.members if crew.alive(name)]


def default_root() -> Path:
    """``.tongban-demo`` in the checkout; in the current folder when we are installed elsewhere."""
    return (ROOT if (ROOT / "run").exists() else Path.cwd()) / DEFAULT


def claim(root: Path) -> None:
    """Make the folder, or empty it of what an earlier demo left. Raises ``NotOurs`` if somebody else uses it."""
    if root.exists() and (not root.is_dir() or (any(root.iterdir()) and not (root / NOTE).is_file())):
        raise NotOurs(str(root))
    root.mkdir(parents=True, exist_ok=True)
    (root / NOTE).write_text(NOTE_TEXT, "utf-8")
    for left in root.iterdir():
        if left.is_file() and left.name != NOTE:
            left.unlink()


def load(root: Path) -> State | None:
    """What was left in the folder; None when there is no demo in it."""
    try:
        return msgspec.json.decode((root / STATE).read_bytes(), type=State)
    except (OSError, msgspec.MsgspecError):
        return None


def save(root: Path, state: State) -> None:
    """Write the state down, whole or not at all."""
    fresh = root / f"{STATE}.new"
    fresh.write_bytes(msgspec.json.format(msgspec.json.encode(state)))
    fresh.replace(root / STATE)
