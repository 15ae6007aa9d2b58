"""What the store knows of our own keys: which card named one first, who holds that card, what still rests on a key."""

from __future__ import annotations

from pathlib import Path

from gateway.exchange import card as cards
from gateway.flow.show import DONE
from gateway.ledger.checkpoint import parse_text
from gateway.store.beside import snapshot


def first_listing(store: Path, party: str, key: str) -> int:
    """The version of our card, among those that the gateway has shown, that named the key first; 0 for none."""
    connection, first = snapshot(store), 0
    try:
        rows = connection.execute("SELECT version, data FROM card WHERE party = ? ORDER BY version DESC", (party,))
        for version, data in rows:
            if key not in {one.id for one in cards.content(data).keys}:
                break
            first = int(version)
    finally:
        connection.close()
    return first


def told(store: Path) -> dict[str, int]:
    """Which version of our card each partner holds, as far as is known."""
    connection = snapshot(store)
    try:
        return dict(connection.execute("SELECT peer, version FROM card_told"))
    finally:
        connection.close()


def last_good(store: Path, key: str) -> tuple[int, str]:
    """The last state of our ledger that a key signed: what our own store has is good."""
    connection = snapshot(store)
    try:
        row = connection.execute(
            "SELECT text FROM checkpoint WHERE key = ? ORDER BY size DESC LIMIT 1", (key,)
        ).fetchone()
    finally:
        connection.close()
    found = parse_text(row[0].encode()) if row is not None else None
    return (0, "") if found is None else (found.size, found.root.hex())


def open_before(store: Path, ms: int) -> int:
    """Deliveries still open of messages made before a time."""
    connection = snapshot(store)
    try:
        row = connection.execute(
            f"SELECT count(*) FROM delivery d JOIN message m ON m.id = d.message "  # noqa: S608 - constants
            f"WHERE d.state NOT IN {DONE} AND m.created_ms < ?", (ms,),
        ).fetchone()  # fmt: skip
    finally:
        connection.close()
    return int(row[0])
