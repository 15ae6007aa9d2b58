"""10⁵ files of every kind at the look that intake takes at them: findings or none, in bounded time and memory (rows F04, F13)."""

from __future__ import annotations

import pytest

from gateway.core.content import FINDINGS, TAIL, Said, look
from tests.attacks import fuzz
from tests.attacks.fuzz import Target
from tests.unit.core.test_content import BAD, GOOD

SEEDS = [data for _, _, data in GOOD.values()] + [data for _, _, data, _ in BAD.values()]


def looked(data: bytes) -> tuple[str, ...]:
    """As a PDF, a picture, a certificate and a table, in one piece and in two."""
    half = len(data) // 2
    found: tuple[str, ...] = ()
    for media_type in ("application/pdf", "image/png", "application/ofd", "text/csv"):
        said = Said(media_type, "a.pdf", len(data))
        kind, found = look(said, [data], data[-TAIL:])
        assert (kind, found) == look(said, [data[:half], data[half:]], data[-TAIL:]) and set(found) <= FINDINGS.keys()
    return found


TARGET = Target("look at a file", looked, SEEDS, refusals=())


def test_fuzzed_files_get_their_findings() -> None:
    assert fuzz.attack(TARGET, fuzz.SHORT).total() == fuzz.SHORT


@pytest.mark.long
def test_many_files_each(capfd: pytest.CaptureFixture[str]) -> None:
    with capfd.disabled():
        assert fuzz.attack(TARGET, fuzz.LONG).total() == fuzz.LONG
