"""The software double of a GM/T 0018 machine, compiled once per run, and its switches.

What it needs: a C compiler (Debian ``gcc`` and ``libc6-dev``) and the libcrypto that Python uses. A library is loaded once per
path, so every test takes a copy of its own: fresh counters, fresh PIN tries.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest

from signing.errors import Unavailable
from signing.providers.libcrypto import open_libcrypto
from signing.sm2 import PrivateKey, PublicKey

SOURCE = Path(__file__).with_name("double.c")
PIN = b"Tb-3579"
SWITCHES = ("PIN", "GONE", "DELAY", "FAIL", "BAD", "PLAIN", "RANDOM")


@cache
def compiled() -> Path:
    """The shared library; skips the test where it cannot be made, saying what is missing."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler (Debian gcc, libc6-dev): the software double of a machine cannot be built")
    try:
        libcrypto = open_libcrypto().description.rpartition("(")[2].rstrip(")")
    except Unavailable:
        pytest.skip("no OpenSSL 3 libcrypto with SM2: the software double of a machine cannot be built")
    target = Path(tempfile.mkdtemp(prefix="sdf-double-")) / "libsdf.so"
    command = [compiler, "-O1", "-shared", "-fPIC", str(SOURCE), libcrypto, "-lpthread", "-o", str(target)]
    built = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if built.returncode and "fatal error" in built.stderr:  # a compiler without the C library's headers
        pytest.skip("the C library's headers are missing (Debian libc6-dev): the software double cannot be built")
    assert built.returncode == 0, built.stderr
    return target


class Double:
    """One machine of its own."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.path = Path(shutil.copy(compiled(), folder / "libsdf.so"))
        self._counters = ctypes.CDLL(str(self.path))
        self._patch = patch
        self.well()

    def uri(self, **options: object) -> str:
        asked = "&".join(f"{name}={value}" for name, value in options.items())
        return f"sdf:{self.path}" + (f"?{asked}" if asked else "")

    def well(self) -> None:
        """All faults off."""
        for name in SWITCHES:
            self._patch.delenv(f"SDF_DOUBLE_{name}", raising=False)

    def set(self, **faults: object) -> None:
        """Switch faults on: ``gone=1``, ``delay=500``, ``fail="InternalSign_ECC:0100000D:2"``, …"""
        for name, value in faults.items():
            self._patch.setenv(f"SDF_DOUBLE_{name.upper()}", str(value))

    def count(self, name: str) -> int:
        """``pins``, ``signs``, ``sessions``, ``devices``, ``clashes``."""
        return ctypes.c_int.in_dll(self._counters, f"double_{name}").value


def scalar_of(index: int) -> int:
    """The private key of an index, as the double's source has it."""
    return int.from_bytes(bytes([0x11 * index]) * 32, "big")


def key_of(index: int) -> PrivateKey:
    """The same as one of our keys."""
    return open_libcrypto().load(scalar_of(index))


def public_of(index: int) -> PublicKey:
    """Its public half, computed by us."""
    return key_of(index).public
