"""What the handling place settles is under way once: a second correction waits for the answer to the first."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.problems import Refused
from schemas import canonical as c
from tests.flow import walks


def correction() -> c.Correction:
    return c.Correction({"说明": "已补"}, [], "", walks.now(), "窗口员甲")


async def test_a_second_correction_waits_for_the_answer_to_the_first(tmp_path: Path) -> None:
    async with walks.running(tmp_path / "w", joined=False) as pair:
        case = await walks.collect(pair, "ONE-1")
        await pair.a.journal.submit(lambda tx: tx.run("UPDATE case_file SET state = 'correction_requested'"))
        await pair.act(pair.a, "correction", "ONE-1", correction())
        with pytest.raises(Refused) as caught:
            await pair.act(pair.a, "correction", "ONE-1", correction())
        assert (caught.value.code, caught.value.extra.get("early")) == ("TB-5006", True)
        await pair.a.journal.submit(
            lambda tx: tx.run(
                "UPDATE delivery SET state = 'refused' WHERE case_id = ? AND destination LIKE 'peer:%'", case
            )
        )
        await pair.act(pair.a, "correction", "ONE-1", correction())
