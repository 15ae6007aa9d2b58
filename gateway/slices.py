"""A file on disk as bytes that are read slice by slice (``signing.ofd.package.Octets``), so that a large one costs no memory."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Self


class FileSlices:
    """``len()`` and slices without a step, as of ``bytes``. The length is that of the moment it was opened; what a file
    that shrinks meanwhile no longer holds is missing from its slices."""

    def __init__(self, path: str | Path) -> None:
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._size = os.fstat(self._file).st_size

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the file back."""
        os.close(self._file)

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, where: slice, /) -> bytes:
        begin, end, _ = where.indices(self._size)
        found, wanted = [], end - begin
        while wanted > 0:
            piece = os.pread(self._file, wanted, end - wanted)
            if not piece:
                break
            found.append(piece)
            wanted -= len(piece)
        return found[0] if len(found) == 1 else b"".join(found)
