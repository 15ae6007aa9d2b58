"""Files for ``tongban sm``: read in pieces, written whole or not at all.

An SM4 file is ``tongban/v1/sm4\\n``, the 12-byte prefix of its stream, and segments of 1 MiB (the last one shorter, and
marked as the last), each sealed as ``signing.sm4`` says.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

from gateway.cli.output import read_bytes, unreadable
from signing import sm4
from signing.errors import Malformed
from signing.sm3 import new

MAGIC = b"tongban/v1/sm4\n"
_PIECE = 1 << 20


class Exists(Exception):
    """A file that would be overwritten; its path."""


def _reading(path: str) -> contextlib.AbstractContextManager[IO[bytes]]:
    """The file or standard input; exit 65 if it cannot be opened."""
    if path == "-":
        return contextlib.nullcontext(sys.stdin.buffer)
    try:
        return Path(path).open("rb")
    except OSError as error:
        unreadable(path, f"读不到文件（{error.strerror}）", f"cannot be read ({error.strerror})")


def digest_file(path: str, prefix: bytes) -> bytes:
    """SM3(prefix || file), in pieces."""
    running = new()
    running.update(prefix)
    with _reading(path) as stream:
        while piece := stream.read(_PIECE):
            running.update(piece)
    return running.digest()


def read(path: str, limit: int) -> bytes:
    """The whole file or standard input; exit 65 above the limit."""
    if path != "-":
        return read_bytes(path, limit)
    data = sys.stdin.buffer.read(limit + 1)
    if len(data) > limit:
        unreadable(path, f"输入超过 {limit} 字节", f"the input is larger than {limit} bytes")
    return data


def write(path: str, data: bytes, mode: int = 0o644) -> None:
    """Replace a file in one step (``-`` is standard output). OSError if that cannot be done."""
    _replace(path, mode, lambda stream: stream.write(data))


def write_new(files: Sequence[tuple[str, bytes, int]], *, force: bool) -> None:
    """Write all files, or none where one exists and ``force`` is not given (Exists)."""
    fresh = [path for path, _, _ in files if not os.path.lexists(path)]
    for path, _, _ in files:
        if not force and path not in fresh:
            raise Exists(path)
    try:
        for path, data, mode in files:
            write(path, data, mode)
    except OSError:
        for path in fresh:
            Path(path).unlink(missing_ok=True)
        raise


def _replace(path: str, mode: int, fill: Callable[[IO[bytes]], object]) -> None:
    """Fill a file beside the target and rename it: a crash or refusal leaves what was there."""
    if path == "-":
        fill(sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    target = Path(path)
    if target.exists() and not stat.S_ISREG(target.stat().st_mode):
        with target.open("wb") as stream:  # a device or a pipe
            fill(stream)
        return
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            fill(stream)
            os.fchmod(stream.fileno(), mode)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read_sm4_key(path: str) -> bytes:
    """16 bytes, or 32 hex digits with white space around; exit 65 otherwise."""
    data = read_bytes(path, 1024)
    if len(data) != sm4.KEY:
        with contextlib.suppress(ValueError):
            data = bytes.fromhex(data.decode("ascii", "strict").strip())
    if len(data) != sm4.KEY:
        unreadable(path, "SM4 密钥应为 16 字节或 32 位十六进制", "an SM4 key is 16 bytes or 32 hex digits")
    return data


def seal_file(source: str, out: str, key: bytes, prefix: bytes) -> None:
    """Encrypt in segments."""

    def fill(target: IO[bytes]) -> None:
        target.write(MAGIC + prefix)
        with _reading(source) as stream:
            for index, piece, final in _pieces(stream, sm4.SEGMENT):
                target.write(sm4.seal_segment(key, prefix, index, final, piece))

    _replace(out, 0o644, fill)


def open_file(source: str, out: str, key: bytes) -> None:
    """Decrypt; Malformed("decrypt-failed") and no output if any segment is not authentic or the last is missing."""

    def fill(target: IO[bytes]) -> None:
        with _reading(source) as stream:
            head = stream.read(len(MAGIC) + sm4.NONCE)
            if len(head) != len(MAGIC) + sm4.NONCE or not head.startswith(MAGIC):
                raise Malformed("decrypt-failed", "解密失败", "decryption failed")
            for index, piece, final in _pieces(stream, sm4.SEGMENT + sm4.TAG):
                target.write(sm4.open_segment(key, head[len(MAGIC) :], index, final, piece))

    if out == "-":  # nothing leaves before all of it is authentic
        with tempfile.TemporaryFile() as whole:
            fill(whole)
            whole.seek(0)
            while piece := whole.read(_PIECE):
                sys.stdout.buffer.write(piece)
        return
    _replace(out, 0o600, fill)


def _pieces(stream: IO[bytes], size: int) -> Iterator[tuple[int, bytes, bool]]:
    """(index, piece, is the last): an empty stream is one empty last piece."""
    index, piece = 0, _full(stream, size)
    while True:
        following = _full(stream, size) if len(piece) == size else b""
        yield index, piece, not following
        if not following:
            return
        index, piece = index + 1, following


def _full(stream: IO[bytes], size: int) -> bytes:
    """Up to ``size`` bytes, fewer only at the end (a pipe gives less at a time)."""
    parts: list[bytes] = []
    while size and (part := stream.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
