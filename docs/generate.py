"""Write the pages that are made from the code: ``python -m docs.generate`` or ``python docs/generate.py``."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from gateway.core.draw import states_page  # noqa: E402 - the checkout comes first on the path

PAGES = {"states.md": states_page}


def main() -> None:
    """Every page anew."""
    for name, page in PAGES.items():
        (HERE / name).write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
