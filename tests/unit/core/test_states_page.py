"""The page of the state machines is made from the tables and is current."""

from __future__ import annotations

from pathlib import Path

from gateway.core import case, delivery, ecert, use_code
from gateway.core.draw import states_page
from signing import keyring


def test_the_page_is_current(root: Path) -> None:
    """After a change of a table: ``python docs/generate.py``."""
    assert (root / "docs" / "states.md").read_text("utf-8") == states_page()


def test_every_row_stands_on_the_page() -> None:
    page = states_page()
    for state, event in case.TABLE:
        assert f"`{state}` |" in page and f"`{event}` |" in page
    for one, what in delivery.TABLE:
        assert f"`{one}` | `{what}` |" in page
    for held, act in keyring.ROWS:
        assert f"`{held}` | `{act}` |" in page
    for stood, happened in ecert.TABLE:
        assert f"`{stood}` | {ecert.ACTS[happened][0]} `{happened}`" in page
    for code, done in use_code.TABLE:
        assert f"`{code}` | {use_code.ACTS[done]} `{done}`" in page


def test_the_diagrams_name_every_state() -> None:
    diagrams = states_page().split("```mermaid")[1:]
    assert len(diagrams) == 5
    for diagram, states in zip(
        diagrams, (case.State, delivery.State, keyring.State, ecert.State, use_code.State), strict=True
    ):
        for state in states:
            assert f"    {state} : " in diagram
