"""Who may import whom, read from the source itself: a new file is held to the rule without being listed anywhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sizes import PACKAGES, ROOT, sources

# Which of our packages a package may import beside itself.
ARROWS = {
    "gateway": {"adapters", "agreements", "schemas", "signing"},
    "adapters": {"schemas", "signing"},
    "agreements": {"schemas", "signing"},
    "schemas": set(),
    "signing": set(),
}
IMPURE = {
    *("asyncio", "aiohttp", "sqlite3", "sqlalchemy", "socket", "time", "random", "secrets", "uuid", "logging"),
    *("structlog", "os", "pathlib", "subprocess", "threading", "ctypes"),
}
CLOCKS = {"now", "utcnow", "today"}
PURE_FILES = {
    "gateway/ledger/tree.py",
    "gateway/ledger/checkpoint.py",
    "gateway/ledger/evidence.py",
    "adapters/mapping.py",
    *(
        f"gateway/certificates/{name}.py"
        for name in ("fonts", "pdf_outline", "sheet", "svg", "svg_drawing", "svg_outline")
    ),
}
SCRIPTS = {"schemas/generate.py"}  # makes the generated schema files; nothing imports it


def is_pure(path: Path) -> bool:
    where = path.relative_to(ROOT).as_posix()
    if where in SCRIPTS or where.startswith("signing/providers/"):
        return False
    top = where.split("/")[0]
    return (
        top in {"schemas", "agreements", "signing"}
        or where.startswith("gateway/core/")
        or where in PURE_FILES
        or (top == "adapters" and path.name == "translate.py")
    )


def imports(path: Path) -> Iterator[str]:
    """Dotted names imported anywhere in the file, also inside functions and under TYPE_CHECKING."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"), str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            yield node.module or ""


def calls(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"), str(path))):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            yield name, node.lineno


PURE = [path for path in sources(*PACKAGES) if is_pure(path)]


@pytest.mark.parametrize("package", PACKAGES)
def test_arrows_point_down(package: str) -> None:
    allowed = ARROWS[package] | {package}
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources(package)
        for name in imports(path)
        if name.split(".")[0] in PACKAGES and name.split(".")[0] not in allowed
    }
    assert wrong == set()


def test_pure_rooms_import_no_io_clock_or_randomness() -> None:
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in PURE
        for name in imports(path)
        if name.split(".")[0] in IMPURE
    }
    assert wrong == set()


def test_pure_rooms_open_no_file_and_ask_no_clock() -> None:
    wrong = {
        f"{path.relative_to(ROOT)}:{line} calls {name}"
        for path in PURE
        for name, line in calls(path)
        if name == "open" or name in CLOCKS
    }
    assert wrong == set()


def test_pure_rooms_are_not_async() -> None:
    kinds = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
    wrong = {
        str(path.relative_to(ROOT))
        for path in PURE
        if any(isinstance(node, kinds) for node in ast.walk(ast.parse(path.read_text("utf-8"))))
    }
    assert wrong == set()


def test_S26_no_mersenne_twister_near_keys() -> None:
    wrong = {str(path.relative_to(ROOT)) for path in sources("signing") for name in imports(path) if name == "random"}
    assert wrong == set()


def test_gmssl_is_reached_from_one_provider_only() -> None:
    """The simulated platforms are other people's programs: they may use what they like."""
    reached = {
        path.relative_to(ROOT).as_posix()
        for path in sources(*PACKAGES)
        for name in imports(path)
        if name.split(".")[0] == "gmssl" and "platforms" not in path.parts
    }
    assert reached <= {"signing/providers/gmssl.py"}


def test_simulated_platforms_import_nothing_of_ours() -> None:
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources("gateway/demo/platforms")
        for name in imports(path)
        if name.split(".")[0] in PACKAGES and not name.startswith("gateway.demo.platforms")
    }
    assert wrong == set()
