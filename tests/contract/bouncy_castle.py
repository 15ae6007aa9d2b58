"""BouncyCastle asked through a program in ``java/``: one question a line, one answer a line."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

TOOL = Path(__file__).parent / "java" / "CertTool.java"


def command(tool: Path = TOOL) -> list[str]:
    """How to start it; a skip that names what is missing."""
    folder = Path(os.environ.get("TONGBAN_BCPROV_JAR", "/usr/share/java/bcprov.jar")).parent
    if shutil.which("java") is None or shutil.which("javac") is None:
        pytest.skip("no Java compiler is installed (Debian: default-jdk-headless)")
    jars = [folder / f"{name}.jar" for name in ("bcprov", "bcpkix", "bcutil")]
    if not all(jar.exists() for jar in jars[:2]):
        pytest.skip(f"no BouncyCastle in {folder} (Debian: libbcprov-java libbcpkix-java, or set TONGBAN_BCPROV_JAR)")
    path = os.pathsep.join(str(jar) for jar in jars if jar.exists())
    return ["java", "-Xshare:auto", "-Dfile.encoding=UTF-8", "-cp", path, str(tool)]


def ask(started: list[str], *questions: Sequence[str | bytes]) -> list[str]:
    """The answers, in the order of the questions."""
    lines = (" ".join(part.hex() if isinstance(part, bytes) else part for part in question) for question in questions)
    done = subprocess.run(
        started, input="\n".join(lines) + "\n", capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
