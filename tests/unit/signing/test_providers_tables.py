"""``tables:`` answers as libcrypto does, before and after a key has earned its table, and never refuses by a table alone."""

from __future__ import annotations

import secrets

from signing import sm2
from signing.providers import open_provider
from signing.providers.pure import PROMOTE
from signing.providers.tables import Tables
from signing.sm2 import DEFAULT_ID, N

LIBCRYPTO = open_provider("libcrypto:")


def test_answers_agree_with_libcrypto_before_and_after_the_table() -> None:
    tables = open_provider("tables:")
    for _ in range(20):
        private = tables.generate()
        for n in range(PROMOTE + 6):
            message = secrets.token_bytes(40)
            signature = sm2.sign(tables, private, message, signer_id=DEFAULT_ID)
            assert sm2.verify(tables, private.public, message, signature, signer_id=DEFAULT_ID)
            assert sm2.verify(LIBCRYPTO, private.public, message, signature, signer_id=DEFAULT_ID)
            assert not sm2.verify(tables, private.public, message + b"x", signature, signer_id=DEFAULT_ID), n


def test_S01_S05_impossible_values_are_refused_for_a_known_key() -> None:
    tables = open_provider("tables:")
    private = tables.generate()
    e = secrets.token_bytes(32)
    r, s = tables.sign_digest(private, e)
    for _ in range(PROMOTE + 2):
        assert tables.verify_digest(private.public, e, r, s)
    for bad in ((0, s), (r, 0), (r + N, s), (r, s + N), (-r, s), (s, r), (N, s), (r, N - r)):
        assert not tables.verify_digest(private.public, e, *bad)


def test_a_tables_no_is_asked_again_and_a_disagreement_is_counted() -> None:
    tables = Tables(LIBCRYPTO)
    private = LIBCRYPTO.generate()
    e = secrets.token_bytes(32)
    r, s = LIBCRYPTO.sign_digest(private, e)
    for _ in range(PROMOTE + 1):
        assert tables.verify_digest(private.public, e, r, s)
    tables._pure.verify_digest = lambda *_: False  # type: ignore[method-assign]  # a broken table
    assert tables.verify_digest(private.public, e, r, s)
    assert tables.disagreements == 1
