"""A node's own ledger, looked at from beside it: whole, or the first bad leaf named; a cut tail found by the partner."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gateway.cli import root as command
from gateway.ids import now_ms
from gateway.ledger.evidence import verify
from gateway.ledger.trust import compose
from signing.providers import open_provider
from tests.flow import walks


def run(*arguments: object) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(command, [str(a) for a in (*arguments, "--json")], catch_exceptions=False)
    return result.exit_code, json.loads(result.output.splitlines()[-1])


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two nodes after one whole case, at rest."""
    import asyncio

    root = tmp_path_factory.mktemp("ledger") / "world"

    async def walk() -> None:
        async with walks.running(root) as pair:
            await walks.walk(pair, "LEDGER-1")

    asyncio.run(walk())
    return root


@pytest.fixture
def places(walked: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Fresh copies of both nodes' folders, A's and B's."""
    root = tmp_path / "w"
    shutil.copytree(walked, root)
    found = sorted(file.parent for file in root.rglob("tongban.toml"))
    by_division = {json.loads(Path(f / "card.json").read_bytes())["key"]: f for f in found}
    assert len(by_division) == 2
    roles = {}
    for folder in found:
        with sqlite3.connect(store(folder)) as connection:
            roles[connection.execute("SELECT role FROM case_file").fetchone()[0]] = folder
    return roles["collecting"], roles["handling"]


def store(folder: Path) -> Path:
    return next(folder.rglob("gateway.db"))


def edit(folder: Path, sql: str, *values: object) -> None:
    connection = sqlite3.connect(store(folder))
    assert connection.execute(sql, values).rowcount > 0
    connection.commit()
    connection.close()


def config(folder: Path) -> tuple[str, Path]:
    return "--config", folder / "tongban.toml"


def test_both_ledgers_are_whole_and_exported_ones_too(places: tuple[Path, Path], tmp_path: Path) -> None:
    for folder in places:
        code, answer = run("ledger", "verify", *config(folder))
        assert (code, answer["ok"], answer["first_bad"]) == (0, True, None), answer
        assert answer["size"] > 10
        file = tmp_path / f"{folder.name}.jsonl"
        assert run("ledger", "export", "-o", file, *config(folder))[0] == 0
        assert file.stat().st_mode & 0o077 == 0
        assert run("ledger", "verify", file)[1] == answer


@pytest.mark.parametrize("change", [
    "UPDATE leaf SET entry = zeroblob(32) WHERE idx = 4",
    "UPDATE leaf SET salt = zeroblob(32) WHERE idx = 4",
    "UPDATE node SET hash = zeroblob(32) WHERE level = 0 AND idx = 4",
    "DELETE FROM leaf WHERE idx = 4",
])  # fmt: skip
def test_L01_a_changed_store_is_named_to_the_leaf(places: tuple[Path, Path], change: str) -> None:
    edit(places[0], change)
    code, answer = run("ledger", "verify", *config(places[0]))
    assert (code, answer["first_bad"]) == (1, 4)


def test_L01_a_message_changed_in_the_store_is_named_by_its_leaf(places: tuple[Path, Path]) -> None:
    connection = sqlite3.connect(store(places[1]))
    index, name = connection.execute(
        "SELECT idx, message FROM leaf WHERE kind = 'accepted' ORDER BY idx DESC"
    ).fetchone()
    connection.close()
    edit(places[1], "UPDATE message SET header = header || ' ' WHERE id = ?", name)
    code, answer = run("ledger", "verify", *config(places[1]))
    assert (code, answer["first_bad"]) == (1, index)


def test_L01_a_cut_tail_is_found_by_what_the_partner_holds(places: tuple[Path, Path], tmp_path: Path) -> None:
    mine, theirs = places
    _, shown = run("ledger", "show", *config(theirs))
    [held] = shown["held"]
    witness = tmp_path / "partner.jsonl"
    witness.write_text(json.dumps(held["checkpoint"]) + "\n", "utf-8")
    assert run("ledger", "verify", *config(mine), "--witness", witness)[0] == 0
    size = int(held["checkpoint"]["text"].split("\n")[2])
    for change in (
        f"DELETE FROM leaf WHERE idx >= {size - 2}", f"DELETE FROM node WHERE ((idx + 1) << level) > {size - 2}",
        f"DELETE FROM checkpoint WHERE size > {size - 2}",
    ):  # fmt: skip
        edit(mine, change)
    assert run("ledger", "verify", *config(mine))[0] == 0, "alone it looks whole"
    code, answer = run("ledger", "verify", *config(mine), "--witness", witness)
    assert (code, answer["first_bad"]) == (1, size - 2)
    assert answer["reasons"][0]["code"] == "truncated"


def test_a_message_is_proved_out_of_the_store(places: tuple[Path, Path]) -> None:
    connection = sqlite3.connect(store(places[0]))
    (name,) = connection.execute("SELECT message FROM leaf WHERE kind = 'sent'").fetchone()
    connection.close()
    code, answer = run("ledger", "prove", "--message", name, "--kind", "sent", *config(places[0]))
    assert (code, answer["kind"], answer["id"]) == (0, "sent", name)


def test_a_store_that_is_not_there_is_unreadable(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, ["ledger", "verify", "--config", str(tmp_path / "none.toml")])
    assert result.exit_code == 65
    assert "Traceback" not in result.output


def test_both_sides_packages_hold_with_each_others_roots(places: tuple[Path, Path], tmp_path: Path) -> None:
    roots = []
    for folder in places:
        card = json.loads((folder / "card.json").read_bytes())
        import base64

        inner = json.loads(base64.b64decode(card["card"]))
        roots += [base64.b64decode(key["certificate"]) for key in inner["keys"] if key["use"] == "seal-anchor"]
    for folder in places:
        connection = sqlite3.connect(store(folder))
        (case,) = connection.execute("SELECT id FROM case_file").fetchone()
        connection.close()
        file = tmp_path / f"{folder.name}.evidence"
        assert run("evidence", "export", case, "-o", file, *config(folder))[0] == 0
        report = verify(file.read_bytes(), compose(open_provider(), roots, now_ms=now_ms()))
        assert (report.ok, report.grade, report.trust) == (True, "full", "anchored"), report.reasons
