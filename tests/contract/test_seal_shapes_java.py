"""Whom the seal doctor names as refusing a shape: BouncyCastle is asked about every defect of the table."""

from __future__ import annotations

from pathlib import Path

from signing.seal_doctor import examine
from signing.seal_shape import SHAPES
from tests import pki
from tests.contract import bouncy_castle as java
from tests.unit.signing.test_seal_doctor import DEFECTS
from tests.vectors.seals import generate as g

TOOL = Path(__file__).parent / "java" / "ShapeTool.java"
# What a part that cannot be read does to a reader depends on the part.
ASKED = {name: data for name, (data, codes) in DEFECTS.items() if codes & (SHAPES.keys() - {"unreadable-part"})}


def test_bouncy_castle_refuses_what_the_doctor_says_it_refuses_and_nothing_else_of_the_table() -> None:
    said = java.ask(java.command(TOOL), [g.seal()], *([data] for data in ASKED.values()))
    assert said[0] == "taken"
    named = {
        name: any("BouncyCastle" in one.readers for one in examine(data, pki.PROVIDER).findings)
        for name, data in ASKED.items()
    }
    assert named == {name: answer == "refused" for name, answer in zip(ASKED, said[1:], strict=True)}
