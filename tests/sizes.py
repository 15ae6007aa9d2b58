"""How long files and functions are: caps that a test holds, aims that ``python -m tests.sizes`` prints."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("gateway", "adapters", "signing", "schemas", "agreements")
FILE_CAP, FUNCTION_CAP = 500, 60
FILE_AIM, FUNCTION_AIM, FUNCTION_P90_AIM = 150, 8, 30


@dataclass(frozen=True, slots=True)
class Size:
    """``where`` is path or path:line name; ``lines`` counts from the def (or first line) to the last line."""

    where: str
    lines: int


def sources(*tops: str) -> list[Path]:
    """Every Python file below these top-level folders."""
    return sorted(path for top in tops for path in (ROOT / top).rglob("*.py"))


def files(paths: list[Path]) -> list[Size]:
    return [Size(str(path.relative_to(ROOT)), path.read_text("utf-8").count("\n")) for path in paths]


def functions(paths: list[Path]) -> list[Size]:
    """Methods and nested functions count too, each by itself."""
    found = []
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text("utf-8"), str(path))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                found.append(Size(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", lines))
    return found


def report() -> str:
    """One line beside the aims, over the five packages."""
    paths = [path for path in sources(*PACKAGES) if path.stat().st_size]
    by_file, by_function = files(paths), functions(paths)
    lengths = [size.lines for size in by_function]
    longest_file = max(by_file, key=lambda size: size.lines)
    longest = max(by_function, key=lambda size: size.lines)
    return (
        f"files {len(by_file)}: median {median(size.lines for size in by_file):.0f} (aim {FILE_AIM}), "
        f"longest {longest_file.lines} {longest_file.where}\n"
        f"functions {len(lengths)}: median {median(lengths):.0f} (aim {FUNCTION_AIM}), "
        f"p90 {quantiles(lengths, n=10)[8]:.0f} (aim {FUNCTION_P90_AIM}), longest {longest.lines} {longest.where}"
    )


if __name__ == "__main__":
    print(report())
