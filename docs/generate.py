"""Write what the pages take from code and vectors: ``python docs/generate.py``."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from gateway.core.draw import states_page  # noqa: E402 - the checkout comes first on the path
from tests.vectors.sm2 import page as conformance  # noqa: E402

VECTORS = HERE.parent / "tests" / "vectors"
EXAMPLE = re.compile(r"<!-- vector: (\S+) (\S+) -->\n```\n.*?```\n", re.DOTALL)


def fill_examples(page: str) -> str:
    """The page with the block after each ``<!-- vector: FILE PATH -->`` holding that value of that file."""

    def fill(found: re.Match[str]) -> str:
        value = json.loads((VECTORS / found[1]).read_bytes())
        for key in found[2].split("."):
            value = value[int(key)] if isinstance(value, list) else value[key]
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)
        return f"<!-- vector: {found[1]} {found[2]} -->\n```\n{text.removesuffix(chr(10))}\n```\n"

    return EXAMPLE.sub(fill, page)


def main() -> None:
    """Every page anew."""
    (HERE / "states.md").write_text(states_page(), "utf-8")
    conformance.write(HERE)
    protocol = HERE / "protocol.md"
    protocol.write_text(fill_examples(protocol.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
