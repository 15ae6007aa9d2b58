"""What went wrong travels between processes whole, and its text is its code with the English words."""

from __future__ import annotations

import pickle

import pytest

from signing.errors import KeyFault, Malformed, SigningError, Unavailable


@pytest.mark.parametrize("kind", [SigningError, Malformed, Unavailable, KeyFault])
def test_an_error_comes_whole_out_of_another_process(kind: type[SigningError]) -> None:
    error = kind("some-code", "出错", "it failed")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert (again.code, again.zh, again.en, str(again)) == ("some-code", "出错", "it failed", "some-code: it failed")
