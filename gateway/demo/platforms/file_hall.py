"""A city's approval system behind a shared folder (文件交换), as a stranger would write it: pathlib, json and a digest.

It writes a document under a temporary name, renames it, and puts its done-marker beside it; it reads documents that have a
marker, checks them against the marker's size and SM3, and leaves a receipt. It knows nothing of the gateway but the folder.

    python file_hall.py FOLDER [--once]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import uuid
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from simkit import sm3  # type: ignore[import-not-found]

BEIJING = timezone(timedelta(hours=8))


class Hall:
    """The approval system. ``theirs`` is the folder that the gateway writes to, ``ours`` the one that it reads."""

    def __init__(self, folder: Path) -> None:
        self.theirs, self.ours = folder / "from_tongban", folder / "to_tongban"
        for one in (self.theirs, self.ours):
            one.mkdir(parents=True, exist_ok=True)
        self.count = 0

    # --- reading ---

    def take(self) -> list[dict[str, Any]]:
        """All whole documents, each answered by a receipt and moved away."""
        found = []
        for marker in sorted(self.theirs.glob("*.ok")):
            manifest = json.loads(marker.read_text("utf-8"))
            document = marker.with_suffix(".json")
            data = document.read_bytes()
            assert (len(data), sm3(data).hex()) == (manifest["size"], manifest["sm3"]), document
            found.append(json.loads(data.decode("gb18030")))
            marker.with_suffix(".receipt").write_text("{}", "utf-8")
            document.unlink()
            marker.unlink()
        return found

    # --- writing ---

    def write(self, message: dict[str, Any], name: str = "", **bend: Any) -> str:
        """One document and its marker. ``bend``: size, sm3, type, marker (bytes), data (bytes), halfway (no marker)."""
        self.count += 1
        name = name or f"{self.count:08d}-{uuid.uuid4().hex[:8]}"
        data = bend.get("data", json.dumps(message, ensure_ascii=False).encode("gb18030"))
        manifest = {
            "type": bend.get("type", "message"),
            "size": bend.get("size", len(data)),
            "sm3": bend.get("sm3", sm3(data).hex()),
        }
        self.put(f"{name}.json", data)
        if not bend.get("halfway"):
            self.put(f"{name}.ok", bend.get("marker", json.dumps(manifest).encode()))
        return name

    def put(self, name: str, data: bytes) -> None:
        part = self.ours / f"{name}.tmp"
        part.write_bytes(data)
        part.rename(self.ours / name)

    def say(self, word: str, case: str, content: dict[str, Any], **more: Any) -> str:
        """An act on a case."""
        serial = more.pop("serial", "") or uuid.uuid4().hex
        return self.write({"lsh": serial, "lx": word, "tbbh": case, "ywlsh": f"HZ{len(case)}", "nr": content}, **more)

    def step(self, case: str, name: str = "审查", **more: Any) -> str:
        content = {
            "mc": name,
            "ry": "试验员",
            "yj": "符合条件",
            "sj": datetime.now(BEIJING).strftime("%Y-%m-%d %H:%M:%S"),
        }
        return self.say("HJ", case, content, **more)

    def accept(self, case: str) -> str:
        content = {"jg": "SL", "wh": "汉受字1号", "dw": "试验审批局", "ry": "试验员", "sj": int(time.time() * 1000)}
        return self.say("SL", case, content)

    def decide(self, case: str) -> str:
        at = datetime.now(BEIJING).strftime("%Y%m%d%H%M%S")
        return self.say("JD", case, {"jd": "Y", "wh": "汉决字1号", "dw": "试验审批局", "ry": "试验员", "sj": at})

    def answer_of(self, name: str) -> tuple[str, dict[str, Any]] | None:
        """``receipt`` or ``refused``, and what it says."""
        for word in ("refused", "receipt"):
            place = self.ours / f"{name}.{word}"
            if place.exists():
                return word, json.loads(place.read_bytes().decode("gb18030"))
        return None

    def work(self) -> int:
        """One round: what came is accepted, looked at and decided."""
        cases = [one["tbbh"] for one in self.take() if one["lx"] == "SQ"]
        for case in cases:
            self.accept(case)
            self.step(case)
            self.decide(case)
        return len(cases)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--once", action="store_true")
    options = parser.parse_args()
    hall = Hall(options.folder)
    while True:
        hall.work()
        if options.once:
            return
        time.sleep(0.5)


if __name__ == "__main__":
    main()
