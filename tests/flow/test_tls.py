"""Mutual TLS between gateways: pinned by cards, tied to the sender; a proxy's word counts on its Unix socket only."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import msgspec
import pytest

from gateway import compose, config, service
from gateway.config import ConfigError
from gateway.demo import world
from gateway.exchange import request as signed
from gateway.exchange.tls import Tls
from gateway.ids import now_ms
from gateway.keys import keyring, tlskey
from gateway.ops import partners
from gateway.ops.partners import PATH
from gateway.web import peeridentity
from tests.flow import walks
from tests.flow.nodes import PROVIDER

CHECKPOINT = "/exchange/v1/checkpoint"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> world.World:
    return world.build(
        tmp_path_factory.mktemp("tls") / "w", PROVIDER, datetime.now(UTC), world.Settings(pdf_bytes=3000)
    )


@asynccontextmanager
async def listening(side: world.Side) -> AsyncIterator[int]:
    """One gateway; the port of its exchange listener."""
    node = await compose.build(config.load(side.config), side.folder)
    runners, ports = await service.listen(node)
    try:
        yield ports["exchange"]
    finally:
        await service.shut_down(node, runners, [])


def client(side: world.Side | None, certificate: tuple[Path, Path, str] | None = None) -> ssl.SSLContext:
    """A caller's context: with a gateway's own certificate, with another one, or with none. It judges no server."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if side is not None:
        word = (side.folder / "keys" / "passphrase").read_text().strip()
        certificate = (side.folder / "certs" / "tls.pem", side.folder / "keys" / "tls.pem", word)
    if certificate is not None:
        context.load_cert_chain(*certificate)
    return context


def call(sender: world.Side, to: world.Side, target: str = CHECKPOINT) -> dict[str, str]:
    """The headers of a signed call of one gateway to another."""
    ring = keyring.Keyring(
        sender.folder / "keys", (sender.folder / "keys" / "passphrase").read_bytes().strip(), PROVIDER
    )
    nonce = PROVIDER.random(16).hex()
    return signed.sign(ring.signer("direct"), "GET", target, b"", now_ms(), nonce, sender.place.party, to.place.party)


async def get(url: str, headers: dict[str, str], context: ssl.SSLContext | bool, **more: Any) -> tuple[int, str]:
    async with aiohttp.ClientSession(**more) as session, session.get(url, headers=headers, ssl=context) as answer:
        body = await answer.read()
        return answer.status, msgspec.json.decode(body).get("code", "") if answer.status != 200 else ""


def another(folder: Path) -> tuple[Path, Path, str]:
    """A certificate that no card names."""
    key, pem = tlskey.make(b"word")
    now = datetime.now(UTC)
    (folder / "x.key").write_bytes(pem)
    (folder / "x.pem").write_bytes(tlskey.certificate(key, "x", now - timedelta(days=1), now + timedelta(days=1)))
    return folder / "x.pem", folder / "x.key", "word"


async def test_a_partner_is_known_by_the_certificate_of_its_card_and_a_stranger_gets_the_card_only(
    made: world.World, tmp_path: Path
) -> None:
    async with listening(made.b) as port:
        url = f"https://127.0.0.1:{port}"
        assert await get(url + CHECKPOINT, call(made.a, made.b), client(made.a)) == (200, "")
        assert await get(url + CHECKPOINT, call(made.a, made.b), client(None)) == (403, "TB-2014")
        assert await get(url + PATH, {}, client(None)) == (200, "")
        with pytest.raises(aiohttp.ClientError):  # the handshake fails: nobody vouches for this certificate
            await get(url + CHECKPOINT, call(made.a, made.b), client(None, another(tmp_path)))
        with pytest.raises(aiohttp.ClientError):
            await get(f"http://127.0.0.1:{port}{PATH}", {}, True)


async def test_A11_anothers_signature_does_not_travel_on_our_connection(
    made: world.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peeridentity.tls, "party_of", lambda der, cards: "110101.11110101000000000X")
    async with listening(made.b) as port:
        answer = await get(f"https://127.0.0.1:{port}{CHECKPOINT}", call(made.a, made.b), client(made.a))
        assert answer == (403, "TB-2014"), "a good signature of A, on the connection of another partner"


async def test_cases_travel_over_tls_end_to_end(tmp_path: Path) -> None:
    async with walks.running(tmp_path / "w") as pair:
        assert config.load(pair.world.a.config).peer[0].url.startswith("https://")
        await walks.walk(pair, "4201042026000001")
        await pair.settled()


async def test_a_partner_that_shows_another_certificate_is_not_called(made: world.World, tmp_path: Path) -> None:
    """The calling side pins as well: our client refuses a server whose certificate is not the card's."""
    settings, side = config.load(made.a.config), made.a
    node = await compose.build(settings, side.folder)
    try:
        ours = Tls((side.folder / "certs" / "tls.pem", side.folder / "keys" / "tls.pem"), node_passphrase(side))
        runner = aiohttp.web.AppRunner(aiohttp.web.Application())
        await runner.setup()
        site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server_context(another(tmp_path)))
        await site.start()
        card = partners.cards.read(
            (side.folder / "peer.card.json").read_bytes(), settings.peer[0].fingerprint, PROVIDER
        )
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await get(f"https://127.0.0.1:{runner.addresses[0][1]}/", {}, ours.client(card))
        await runner.cleanup()
    finally:
        await node.close()


def node_passphrase(side: world.Side) -> bytes:
    return (side.folder / "keys" / "passphrase").read_bytes().strip()


def server_context(certificate: tuple[Path, Path, str]) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    return context


async def test_the_proxys_word_counts_on_its_socket_only(made: world.World, tmp_path: Path) -> None:
    short = Path(tempfile.mkdtemp(prefix="tb"))  # the path of a Unix socket has room for 107 bytes
    side = world.Side(made.b.place, tmp_path / "b", made.b.platform_config)
    shutil.copytree(made.b.folder, side.folder)
    text = side.config.read_text().replace("[keys]", f'socket = "{short / "x.sock"}"\n\n[keys]', 1)
    side.config.write_text(text)
    header = {"X-Client-Certificate": quote((made.a.folder / "certs" / "tls.pem").read_text())}
    wrong = {"X-Client-Certificate": quote((made.b.folder / "certs" / "tls.pem").read_text())}
    try:
        async with listening(side) as port:
            assert (short / "x.sock").stat().st_mode & 0o777 == 0o660
            for extra, expected in (
                (header, (200, "")), (wrong, (403, "TB-2014")), ({}, (403, "TB-2014")),
                ({"X-Client-Certificate": "%ff%00" * 100}, (403, "TB-2014")),
            ):  # fmt: skip
                over = {"connector": aiohttp.UnixConnector(str(short / "x.sock"))}
                answer = await get("http://b" + CHECKPOINT, call(made.a, made.b) | extra, True, **over)
                assert answer == expected, extra
            by_net = await get(f"https://127.0.0.1:{port}{CHECKPOINT}", call(made.a, made.b) | header, client(None))
            assert by_net == (403, "TB-2014"), "from the network the header says nothing"
    finally:
        shutil.rmtree(short)


async def test_ping_and_add_fetch_a_card_over_tls_before_the_certificate_is_known(made: world.World) -> None:
    async with listening(made.b) as port:
        stored = (made.b.folder / "card.json").read_bytes()
        print_ = (made.b.folder / "fingerprint").read_text()
        answer = await asyncio.to_thread(partners.ping, f"https://127.0.0.1:{port}", stored, print_, PROVIDER, 300_000)
        assert answer.ok is True and answer.card == "same"


async def test_openssl_sees_tls_1_3_and_no_old_versions(made: world.World) -> None:
    async with listening(made.b) as port:
        for flag, works in (("-tls1_3", True), ("-tls1_1", False)):
            words = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", flag, "-brief"]
            done = await asyncio.to_thread(subprocess.run, words, input=b"", capture_output=True, timeout=20)
            assert (b"CONNECTION ESTABLISHED" in done.stdout + done.stderr) is works


def test_a_key_that_does_not_fit_is_named_with_its_file(tmp_path: Path) -> None:
    certificate, _, _ = another(tmp_path)
    (tmp_path / "other.key").write_bytes(tlskey.make(b"word")[1])
    for key, word in ((tmp_path / "other.key", b"word"), (tmp_path / "x.key", b"wrong"), (tmp_path / "none", b"")):
        with pytest.raises(ConfigError) as caught:
            Tls((certificate, key), word)
        assert "TLS" in caught.value.zh


async def test_L07_a_new_key_serves_once_both_its_files_are_there_and_what_stands_goes_on(
    made: world.World, tmp_path: Path
) -> None:
    """The files are replaced one after the other: until they fit, the old pair goes on."""
    folder = tmp_path / "own"
    folder.mkdir()
    paths = (folder / "tls.pem", folder / "key.pem")
    shutil.copy(made.a.folder / "certs" / "tls.pem", paths[0])
    shutil.copy(made.a.folder / "keys" / "tls.pem", paths[1])
    word = (made.a.folder / "keys" / "passphrase").read_bytes().strip()
    ours, first = Tls(paths, word), paths[0].read_bytes()
    assert ours.server is not None
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=ours.server)
    port = server.sockets[0].getsockname()[1]

    def shown() -> bytes:
        return ssl.get_server_certificate(("127.0.0.1", port)).encode()

    assert ssl.PEM_cert_to_DER_cert((await asyncio.to_thread(shown)).decode()) == ssl.PEM_cert_to_DER_cert(
        first.decode()
    )
    stamp = ours.stamp()
    key, pem = tlskey.make(word)
    paths[1].write_bytes(pem)
    assert ours.stamp() != stamp
    with pytest.raises(ConfigError):
        ours.reload()
    assert ssl.PEM_cert_to_DER_cert((await asyncio.to_thread(shown)).decode()) == ssl.PEM_cert_to_DER_cert(
        first.decode()
    )
    begin = datetime.now(UTC) - timedelta(days=1)
    second = tlskey.certificate(key, made.a.place.party, begin, begin + timedelta(days=9))
    paths[0].write_bytes(second)
    ours.reload()
    assert ssl.PEM_cert_to_DER_cert((await asyncio.to_thread(shown)).decode()) == ssl.PEM_cert_to_DER_cert(
        second.decode()
    )
    server.close()
