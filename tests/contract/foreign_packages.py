"""Foreign packages that only some contract tests talk to: installed by their own lock into a place of their own, once.

They are no part of our environment. ``python -m tests.contract.foreign_packages`` (the check on a clean machine runs it)
installs them all and says what could not be had; a test whose package is missing says so and is left out.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
NODE = HERE / "node"
NPM_SOAP = NODE / "soap"
SUDS = HERE / "suds"


class Missing(Exception):
    """Why a package is not here."""


def _installed(lock: Path, command: list[str], more: tuple[Path, ...] = ()) -> Path:
    """The folder that ``command`` has filled from this lock; made on first use."""
    from signing import sm3

    mark = sm3.sm3(lock.read_bytes()).hex()[:16]
    cache = Path(tempfile.gettempdir()) / f"tongban-foreign-{os.getuid()}-{mark}"
    if (cache / "done").exists():
        return cache
    cache.mkdir(mode=0o700, exist_ok=True)
    for path in (lock, *more):
        shutil.copy(path, cache / path.name)
    try:
        done = subprocess.run(command, cwd=cache, capture_output=True, text=True, check=False, timeout=180)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Missing(f"{command[0]}: {error}") from None
    if done.returncode:
        raise Missing(f"{' '.join(command[:3])}: {done.stderr.strip()[-200:]}")
    (cache / "done").touch()
    return cache


def node_modules(folder: Path) -> Path:
    """``node_modules`` of a folder with a package.json and its lock."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise Missing("no node with npm is installed (Debian: nodejs, npm)")
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    return _installed(folder / "package-lock.json", command, (folder / "package.json",)) / "node_modules"


def suds() -> Path:
    """Where suds can be imported from."""
    command = [sys.executable, "-m", "pip", "install", "-qq", "--no-input", "--no-deps", "--require-hashes"]
    return _installed(SUDS / "requirements.txt", [*command, "--target", ".", "-r", "requirements.txt"])


def main() -> None:
    for name, install in (
        ("npm sm-crypto", lambda: node_modules(NODE)),
        ("npm soap", lambda: node_modules(NPM_SOAP)),
        ("suds", suds),
    ):
        try:
            install()
        except Missing as missing:
            print(f"not installed: {name}: {missing}", file=sys.stderr)


if __name__ == "__main__":
    main()
