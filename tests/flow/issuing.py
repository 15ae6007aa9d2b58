"""Certificates of nobody, put straight into a node's register, for tests that scan them."""

from __future__ import annotations

import os
from pathlib import Path

from gateway.core.ecert import State
from gateway.demo import world
from gateway.flow import issued
from gateway.flow.issued import Issued, Sheet, Step
from gateway.ids import Ids
from gateway.public import token
from gateway.store.journal import Journal, Tx
from gateway.store.vault import Vault
from signing.ecert import Metadata

_ids = Ids()


def with_public(side: world.Side, settings: str = "per_minute = 1000000\n") -> None:
    """Let a node show its public pages, on any free port."""
    text = side.config.read_text("utf-8")
    text = text.replace('public = ""\n', 'public = "127.0.0.1:0"\n')
    side.config.write_text(f"{text}\n[public]\n{settings}", "utf-8")


async def put(journal: Journal, vault: Vault, of: Metadata) -> tuple[str, str]:
    """A valid certificate in the register; its id and the token of its QR code."""
    made: tuple[str, str] = (await journal.submit(lambda tx: insert(tx, vault, of))).only()
    return made


def insert(tx: Tx, vault: Vault, of: Metadata) -> tuple[str, str]:
    """The same inside a transaction."""
    id_, secret = _ids(), token.make(os.urandom(token.RANDOM_BYTES))
    _, wrapped = vault.new_key()
    begin, end = issued.dates(of)
    row = Issued(
        id=id_, series=of.identifier[:-6] + id_, version=1, identifier=of.identifier + id_, type_code=of.type_code,
        state=State.VALID.value, platform="window", case_id="", holder=vault.blind(of.holder.code),
        token=token.digest(secret), valid_from=begin, valid_to=end, wrapped_key=wrapped,
        sealed=issued.seal_sheet(vault, wrapped, id_, Sheet(of)), file="", file_size=0, events=0, created_ms=tx.now_ms,
        updated_ms=tx.now_ms,
    )  # fmt: skip
    issued.insert(tx, row, of)
    issued.record(tx, _step(1, "stamp", State.VALID, "", tx.now_ms), id_, b"")
    return id_, secret


async def move(journal: Journal, certificate: str, state: State, permit: str = "") -> None:
    """Bring a certificate or one of its permits into a state."""

    def work(tx: Tx) -> None:
        found = issued.by_id(tx, certificate)
        assert found is not None
        issued.record(tx, _step(found.events + 1, "test", state, permit, tx.now_ms), certificate, b"")

    (await journal.submit(work)).only()


def _step(n: int, event: str, state: State, permit: str, at_ms: int) -> Step:
    return Step(n, _ids(), event, permit, state.value, "other-legal", "platform:window", 0, at_ms)


def store(side: world.Side) -> Path:
    return side.folder / "data" / "gateway.db"
