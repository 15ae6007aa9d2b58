"""Files that are put in place whole and on disk: private ones for their owner alone, public ones for all to read (L10)."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from gateway.config import ConfigError


def write_private(path: Path, data: bytes) -> None:
    """A new file with mode 0600, on disk when this returns; FileExistsError rather than writing over a key."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def write_public(path: Path, data: bytes) -> None:
    """A file that anybody may read, put in place whole and on disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def private_bytes(path: Path) -> bytes:
    """The bytes of a private file; refused when it is a link, not ours, or readable by others."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError as error:
        raise ConfigError(
            str(path), f"读不到密钥文件（{error.strerror}）", f"cannot be read ({error.strerror})"
        ) from None
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_mode & 0o077 or status.st_uid != os.geteuid():
            zh = "密钥文件的属主或权限不对（应为本用户所有、0600）"
            raise ConfigError(str(path), zh, "owner or mode of the key file is wrong (ours and 0600 expected)")
        return file.read()
