"""What a platform sealed is proved from the package on the platform's own bytes, however its message was translated."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.demo import world
from gateway.ids import now_ms
from gateway.ledger import evidence, trust
from gateway.ledger.messages import read_messages
from gateway.ledger.package import Package, read
from signing import certs
from signing.policy import CRL_IF_PRESENT
from signing.sm3 import sm3
from signing.verify import verify_stamp
from tests.flow import resting
from tests.flow.nodes import PROVIDER, Window, running, until
from tests.flow.test_results import Forge
from tests.scan import scan

APPLICANT = "测试申请人甲"


@pytest.fixture
async def handed_in(places: world.World, session: aiohttp.ClientSession) -> tuple[str, str, bytes, str]:
    """A case that crossed: its id, its first message, the bytes the window sent for it, the mapping that made a message of them."""
    async with running(places.a, places.b) as (a, _):
        window = Window(a, session, json.loads(a.side.platform_config.read_bytes()))
        papers = window.papers()
        papers["sqr"] = papers["sqr"] | {"xm": APPLICANT}
        said = json.dumps(papers, ensure_ascii=False, indent=3).encode()  # spelled as no translation would
        case = (await window.hand_in(said)).json["tbbh"]
        await until(lambda: a.one("SELECT count(*) FROM message WHERE receipt IS NOT NULL"))
        return case, a.one("SELECT id FROM message WHERE case_id = ?", case), said, a.node.platforms["window"].mapping


def exported(side: world.Side, case: str, out: Path, *options: str) -> tuple[Package, dict[str, Any]]:
    """The package of these options, found good by the command, and what the command tells."""
    assert resting.run(side.folder, "evidence", "export", case, "-o", out, *options).exit_code == 0
    found, findings = read(out.read_bytes())
    assert findings == []
    report = evidence.verify(out.read_bytes(), trust.compose(PROVIDER, [], now_ms=now_ms()))
    assert report.ok is (None if "--sealed" in options else True), report.reasons
    done = resting.really("evidence", "verify", out, "--json")
    return found, json.loads(done.stdout.splitlines()[-1])


async def test_K10_a_seal_over_the_original_holds_from_the_package_though_the_message_is_another(
    places: world.World, handed_in: tuple[str, str, bytes, str], tmp_path: Path
) -> None:
    """K10: the translated message does not have the seal's digest; the original in the package has, and the ledger proves it."""
    case, message, said, mapping = handed_in
    forge = Forge(places.a)
    stamp = forge.stamp(forge.seal(), said)
    package, told = exported(places.a, case, tmp_path / "e.jsonl", "--with-originals")
    [(_, original)] = package.originals
    [translated], _ = read_messages(package.messages, case)
    assert translated.content is not None and original.data is not None

    def holds(data: bytes) -> bool | None:
        return verify_stamp(
            stamp, sm3(data), at=datetime.now(UTC), provider=PROVIDER, policy=CRL_IF_PRESENT,
            anchors=[certs.parse((places.a.folder / "certs" / "ca.der").read_bytes())],
        ).ok  # fmt: skip

    assert original.data == said and holds(original.data) is True
    assert holds(translated.content.body) is False
    assert told["originals"] == [
        {"message": message, "party": original.party, "mapping": mapping, "sm3": sm3(said).hex(), "bytes": len(said)}
    ]
    assert told["checked"]["originals"] == 1


async def test_P09_the_original_stays_out_unless_asked_for_and_its_digest_and_mapping_are_told(
    places: world.World, handed_in: tuple[str, str, bytes, str], tmp_path: Path
) -> None:
    """P09: no more than needed: by default digests only, and no originals where not even the message keys are given."""
    case, message, said, mapping = handed_in
    for options in ((), ("--sealed",)):
        package, told = exported(places.a, case, tmp_path / "e.jsonl", *options)
        [(_, original)] = package.originals
        assert (original.id, original.mapping, original.data) == (message, mapping, None)
        [shown] = told["originals"]
        assert (shown["sm3"], shown["bytes"], told["checked"]["originals"]) == (sm3(said).hex(), None, 0)
    assert scan((tmp_path / "e.jsonl").read_bytes(), named=(APPLICANT,)) == set()
    config = ("--config", places.a.config, "--sealed", "--with-originals")
    assert resting.really("evidence", "export", case, "-o", tmp_path / "no", *config).returncode == 64
    assert not (tmp_path / "no").exists()
    there, told = exported(places.b, case, tmp_path / "b.jsonl", "--with-originals")
    assert there.originals == [] and told["originals"] == [], "only the own platform's originals are anybody's to give"
