"""Caps on files and functions. There is no list of exceptions: what is too long is split."""

from __future__ import annotations

from tests.sizes import FILE_CAP, FUNCTION_CAP, PACKAGES, files, functions, sources


def test_no_file_is_longer_than_the_cap() -> None:
    long = [size for size in files(sources(*PACKAGES, "tests")) if size.lines > FILE_CAP]
    assert long == []


def test_no_function_is_longer_than_the_cap() -> None:
    long = [size for size in functions(sources(*PACKAGES, "tests")) if size.lines > FUNCTION_CAP]
    assert long == []
