"""The city as a process of its own: what our pushes come to, its files, and a platform that wants signed headers as well."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from adapters import samples
from adapters.base import (
    Accepted,
    CannotAsk,
    Denied,
    Interrupted,
    NotThere,
    Presented,
    Refused,
    Signed,
    Temporary,
    Unclear,
)
from adapters.registry import Platform
from gateway.cli import root
from signing.sm3 import sm3
from tests.contract.platform_support import Backend, Scripted, Sim, http
from tests.contract.union_support import CASE, OURS, SECRETS, THEIRS, fresh, opened, standing
from tests.unit.adapters.support import PROFILES, PROVIDER, toml

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def standing_city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    gateway = {"gateway": "http://127.0.0.1:9", "gateway_token": THEIRS}
    with standing("union_city.py", tmp_path_factory.mktemp("city"), idle=True, **gateway) as ready:
        yield ready


@pytest.fixture
async def city(standing_city: dict[str, Any]) -> AsyncIterator[Sim]:
    async with fresh(standing_city) as running:
        yield running


FAULTS: list[tuple[str, type, type]] = [
    ("500", Temporary, NotThere), ("drop", Unclear, Accepted), ("garbage", Unclear, Accepted), ("twice", Accepted, Accepted),
    ("slow", Unclear, Accepted),
]  # fmt: skip
LONG = [pytest.param(*row, marks=[pytest.mark.long] if row[0] == "slow" else []) for row in FAULTS]


@pytest.mark.parametrize(("mode", "outcome", "asked"), LONG, ids=[row[0] for row in FAULTS])
async def test_what_a_bad_answer_means_is_what_happened(
    mode: str, outcome: type, asked: type, city: Sim, kept: list[Platform]
) -> None:
    platform = opened("zhengzhou", city.url, timeout_ms=500 if mode == "slow" else 20_000)
    kept.append(platform)
    wire = platform.translator.outbound(samples.outbound("acceptance"))
    await city.post("/sim/knobs", mode=mode, times=1, slow_ms=1500)
    assert isinstance(await platform.channel.send(wire), outcome)
    answer: Any = None
    for _ in range(200):  # what a slow platform took in it knows of a little later
        answer = await platform.channel.ask(wire.id)
        if isinstance(answer, asked):
            break
        await asyncio.sleep(0.05)
    assert isinstance(answer, asked)
    assert isinstance(await platform.channel.send(wire), Accepted)
    assert len((await city.get("/sim/state"))["messages"]) == 1, "twice is once"


async def test_every_kind_of_message_is_taken_and_a_bad_token_is_waited_out(city: Sim, kept: list[Platform]) -> None:
    platform, stranger = (
        opened("zhengzhou", city.url),
        opened("zhengzhou", city.url, secrets={**SECRETS, "token": b"x" * 16}),
    )
    kept += [platform, stranger]
    for number, type_ in enumerate(toml("zhengzhou")["send"]["operations"]):
        wire = platform.translator.outbound(samples.outbound(type_))
        sent = wire.__class__(
            id=f"M{number}", operation=wire.operation, body=wire.body.replace(wire.id.encode(), f"M{number}".encode())
        )
        assert isinstance(await platform.channel.send(sent), Accepted), type_
        assert await stranger.channel.send(sent) == Temporary("status-401")
    assert len((await city.get("/sim/state"))["messages"]) == 14


async def test_a_refusal_is_theirs_in_their_words(city: Sim, kept: list[Platform]) -> None:
    kept.append(opened("zhengzhou", city.url))
    wire = kept[0].translator.outbound(samples.outbound("application"))
    spoilt = wire.__class__(id=wire.id, operation=wire.operation, body=wire.body.replace(b'"applydate"', b'"applyday"'))
    assert await kept[0].channel.send(spoilt) == Refused("0", "缺少字段 applydate", "refused by the platform")


async def test_a_platform_without_the_question_cannot_be_asked(kept: list[Platform]) -> None:
    kept.append(opened("zhengzhou", can_ask=False))
    assert await kept[0].channel.ask("M1") == CannotAsk()


async def test_a_material_without_a_file_is_waited_for(city: Sim, kept: list[Platform]) -> None:
    """Its case would be taken without it; a profile may say that some have none."""
    text = (PROFILES / "zhengzhou.toml").read_bytes()
    lenient = text.replace(b"[union.detail]", b"[union.detail]\nempty = true")
    params = {**CASE, "materiallist": [*CASE["materiallist"], {"taskmaterialguid": "M2", "taskmaterialname": "章程"}]}
    call = json.dumps({"params": params}, ensure_ascii=False).encode()
    for changed, code, files in ((text, 5, 0), (lenient, 1, 1)):
        platform, backend = opened("zhengzhou", city.url, change=(text, changed)), Backend()
        kept.append(platform)
        await city.post(
            "/sim/papers", empty=[[CASE["projectguid"], "M2"]], put=[[CASE["projectguid"], "M1", "a.pdf", 3000]]
        )
        service: Any = platform.union
        said = await service.take("pushProject", call, lambda original, backend=backend: backend)
        told = json.loads(said if isinstance(said, bytes) else service.told(said))
        assert told["custom"]["code"] == code and sum(len(act.body.materials) for act in backend.acts) == files
        await city.post("/sim/reset")


# --- files, byte by byte ----------------------------------------------------------------------------------------------

FILES: list[tuple[str, int, bytes, Any]] = [
    ("whole", 0, http(200, b"0123456789", "application/pdf"), b"0123456789"),
    ("from there", 4, http(206, b"456789", "application/pdf", "Content-Range: bytes 4-9/10"), b"456789"),
    ("all of it, though asked from there", 4, http(200, b"0123456789", "application/pdf"), b"456789"),
    ("from elsewhere", 4, http(206, b"56789", "application/pdf", "Content-Range: bytes 5-9/10"), None),
    ("a part, though asked for all", 0, http(206, b"0123", "application/pdf", "Content-Range: bytes 0-3/10"), None),
    ("A17 elsewhere", 0, http(302, b"", "text/plain", "Location: http://127.0.0.1:9/x"), None), ("gone", 0, http(404, b"no"), None),
    ("ill", 0, http(503, b""), None), ("compressed", 0, http(200, b"x" * 10, "application/pdf", "Content-Encoding: br"), None),
    ("cut", 0, http(200, b"0123", "application/pdf", length=10), None), ("no HTTP", 0, b"\x16\x03\x01\r\n\r\n", None),
    ("nothing", 0, b"", None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "start", "answer", "content"), FILES, ids=[row[0] for row in FILES])
async def test_a_file_is_what_was_asked_for_or_none(
    name: str, start: int, answer: bytes, content: bytes | None, server: Scripted, kept: list[Platform]
) -> None:
    server.answer = answer
    kept.append(opened("zhengzhou", server.url + "/base"))
    channel: Any = kept[0].channel
    came = b""
    try:
        async for piece in channel.pieces("G-1", start):
            came += piece
    except Interrupted as cut:
        assert content is None and cut.zh
    else:
        assert came == content
    head = server.requests[0].decode().lower()
    assert len(set(server.requests)) == 1 and head.startswith(
        "get /base/rest/unionproject/getattach?attachguid=g-1 http/1.1"
    )
    assert f"token: {OURS}".lower() in head and (f"range: bytes={start}-" in head) == bool(start)


# --- signed headers ---------------------------------------------------------------------------------------------------

SIGNING = b"""[signing]
label = "TONGBAN-SM2-V1"
signature = { signer_id = "1234567812345678", form = "raw", text = "hex" }
separator = "\\n"
fields = ["label", "method", "host", "path", "query", "headers", "digest", "app", "time", "nonce"]
covered = ["content-type"]
time = "ms"
nonce = "[A-Za-z0-9_-]{16,64}"
headers = { app = "x-u-appid", time = "x-u-timestamp", nonce = "x-u-nonce", signature = "x-u-sign" }

[send]
"""


@pytest.mark.parametrize("token", [True, False])
async def test_a_profile_may_want_signed_headers_beside_a_token_or_in_its_place(
    token: bool, server: Scripted, kept: list[Platform]
) -> None:
    """What we send is what a platform of the same profile lets in; a bent byte, or a wrong token, is not."""
    key = PROVIDER.generate()
    text = (PROFILES / "zhengzhou.toml").read_bytes()
    changed = text.replace(b"[send]\n", SIGNING, 1)
    changed = changed if token else changed.replace(b'token = { place = "header", name = "token" }\n', b"")
    both = {"token": THEIRS.encode(), "their_token": THEIRS.encode()}
    platform = opened(
        "zhengzhou", server.url, change=(text, changed), key=key, our_app_id="qk-window", secrets=both,
        public_keys=(key.public.point.hex(),),
    )  # fmt: skip
    kept.append(platform)
    server.answer = http(200, b'{"status":{"code":1},"custom":{"code":1}}')
    assert await platform.channel.send(platform.translator.outbound(samples.outbound("step"))) == Accepted()
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    first, *rest = head.decode().split("\r\n")
    headers = tuple((name, value) for name, _, value in (line.partition(": ") for line in rest))
    method, target, _ = first.split(" ")

    def judged(body: bytes, headers: Any = headers) -> Signed | Denied:
        return platform.authenticate(Presented(method, target, "", headers, sm3(body)), 1_740_965_400_000)

    assert isinstance(judged(body), Signed)
    assert isinstance(judged(body + b" "), Denied)
    other = tuple((name, "x" * 24 if name == "token" else value) for name, value in headers)
    assert isinstance(judged(body, other), Denied) is token


# --- reading calls ----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("as_the_command_runs")
async def test_the_catalogue_the_items_and_the_points_are_read_from_the_command_line(tmp_path: Path) -> None:
    with standing("union_province.py", tmp_path) as ready:
        running = f"http://127.0.0.1:{ready['port']}"
        for name, word in SECRETS.items():
            (tmp_path / name).write_bytes(word)
        node = tmp_path / "tongban.toml"
        await asyncio.to_thread(_write_node, node, running)
        for call, key in (
            ("getCatalogue", "catalogueCode"),
            ("getItems", "itemCode"),
            ("getHandlingPoints", "pointCode"),
        ):
            found = await asyncio.to_thread(_run, "adapter", "read", "province", call, "--config", str(node), "--json")
            assert found.exit_code == 0, found.output
            assert key in json.loads(found.output.splitlines()[-1])["list"][0]
        assert (
            await asyncio.to_thread(_run, "adapter", "read", "province", "pushResult", "--config", str(node))
        ).exit_code == 64
    gone = await asyncio.to_thread(_run, "adapter", "read", "province", "getItems", "--config", str(node))
    assert gone.exit_code == 1 and "no-connection" in gone.output


def _run(*words: str) -> Any:
    return CliRunner().invoke(root, list(words))


def _write_node(path: Path, url: str) -> None:
    path.write_text(
        '[node]\nparty = "360113.11360113000000000Q"\nname = "x"\nlab = true\n[keys]\npassphrase = { env = "UNUSED" }\n'
        '[[platform]]\nid = "province"\nprofile = "nanchang"\n'
        f'base_url = "{url}"\nsecrets = {{ token = {{ file = "token" }}, their_token = {{ file = "their_token" }} }}\n'
    )
