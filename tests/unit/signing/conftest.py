"""What the code under test remembers is forgotten before a session: mutation runs fork one that has already run the tests."""

from __future__ import annotations

import pytest

from signing import certs, chains, crl
from tests import pki


@pytest.fixture(scope="session", autouse=True)
def nothing_remembered() -> None:
    for cached in (certs._parse, chains.signed_by, crl._holds, pki.root, pki.signer):
        cached.cache_clear()
