"""Pages behind QR codes (扫码核验): a node's own register, every page read and decrypted afresh, and a snapshot's server."""

from __future__ import annotations

import sys
from pathlib import Path

from gateway.cli.node import Files
from gateway.config import load as read_config
from gateway.demo import world
from gateway.ids import now_ms
from gateway.public import register
from gateway.public.snapshot import write
from gateway.store import schema
from gateway.store.beside import change
from tests.bench import cases, ours
from tests.bench.measure import Figures, load, note
from tests.bench.procs import Server, start
from tests.flow import issuing
from tests.unit.public.shown import metadata

CERTIFICATES = 2000


def measure(folder: Path, seconds: float) -> tuple[Figures, Figures]:
    """Pages a second on one core: from the register, and from a snapshot of it."""
    made = ours.build(folder)
    issuing.with_public(made.a, "per_minute = 1000000000\n")
    files = Files(read_config(made.a.config), made.a.folder)
    schema.upgrade(files.store)
    note(f"issuing {CERTIFICATES} certificates")
    with change(files.store) as tx:
        tokens = [issuing.insert(tx, files.vault, metadata())[1] for _ in range(CERTIFICATES)]
    note("our page, from the register")
    with ours.serving(made.a, 0, folder / "a.log") as server:
        port = int(server.ready["public"])
        mine = _load(folder, server, port, tokens, seconds)
    return mine, _alone(folder, made.a, files, tokens, seconds)


def _alone(folder: Path, side: world.Side, files: Files, tokens: list[str], seconds: float) -> Figures:
    note("our page, from a snapshot")
    file, at_ms = folder / "status", now_ms()
    rows = register.entries(files.reader, files.vault)
    write(file, rows, side.place.party, at_ms, at_ms + 3_600_000, True, files.ring.signer("direct"))
    fingerprint = (side.folder / "fingerprint").read_text()
    server = start(
        [sys.executable, "-m", "gateway.cli", "public", "serve", "--snapshot", str(file), "--card",
         str(side.folder / "card.json"), "--fingerprint", fingerprint, "--listen", "127.0.0.1:0", "--per-minute", str(10**9)],
        core=0,
    )  # fmt: skip
    try:
        return _load(folder, server, int(server.ready["public"]), tokens, seconds)
    finally:
        server.stop()


def _load(folder: Path, server: Server, port: int, tokens: list[str], seconds: float) -> Figures:
    lines = "GET /v/{} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/html\r\n\r\n"
    prepared = cases.write(folder / "scans", [lines.format(token).encode() for token in tokens])
    return load(server, port, prepared, "--repeat", "--seconds", str(seconds))
