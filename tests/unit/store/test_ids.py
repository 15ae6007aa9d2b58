"""Ids: 26 characters, strictly increasing within a process, also within one millisecond and from several threads."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

from gateway.exchange.message import MessageId
from gateway.ids import Ids


def test_ids_increase_and_fit_the_wire() -> None:
    ids = Ids()
    made = [ids() for _ in range(5000)]
    assert made == sorted(set(made))
    pattern = MessageId.__metadata__[0].pattern
    assert all(re.match(pattern, one) for one in made)


def test_ids_from_several_threads_are_distinct() -> None:
    ids = Ids()
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: ids(), range(4000)))
    assert len(set(made)) == 4000
