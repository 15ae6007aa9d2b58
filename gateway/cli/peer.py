"""``tongban peer``: partner gateways (对端): who they are, whether they answer, pause and resume, and adding one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.node import CONFIG, JSON, REASON, Files, no, on_node, open_node
from gateway.cli.peer_probe import probe
from gateway.lang import say

if TYPE_CHECKING:
    from gateway.config import Peer
    from gateway.exchange.card import Card
    from gateway.exchange.trail import HeldCard
    from gateway.ops.partners import Ping

_ADDRESS = re.compile(r"https?://(?:\[[0-9a-fA-F:]+\]|[0-9A-Za-z.-]+)(?::[0-9]{1,5})?(?:/[0-9A-Za-z._~/-]*)?")
_PEER = click.argument("peer", metavar=say("对端", "PEER"))


@click.group(help=say("对端网关：查看、探测、暂停、恢复、登记", "Partners: list, show, ping, pause, resume, add"))
def group() -> None:
    """The noun."""


group.add_command(probe)


@group.command("list", help=say("登记的对端与往来状态", "Registered partners and how exchange stands"))
@CONFIG
@JSON
@on_node
def list_(path: str, as_json: bool) -> None:
    """Reads the store only; ``ping`` asks the partner."""
    from gateway.cli.output import finish

    node = open_node(path)
    found = [_state(node, peer) for peer in node.config.peer]
    lines = [
        f"{one['id']}  {one['name']}  {say('往来', 'active') if one['state'] == 'active' else say('暂停', 'paused')}  "
        + say(f"待投递 {one['open']}  ", f"{one['open']} owed  ")
        + _fetched_line(one)
        for one in found
    ]
    finish(True, {"peers": found}, as_json, lines or [say("没有登记对端", "no partner is registered")])


def _state(node: Files, peer: Peer) -> dict[str, Any]:
    from gateway.flow.show import DONE, safe_cause

    row = node.reader.one("SELECT state, cause, held_size, told FROM peer WHERE id = ?", peer.id)
    state, cause, held, told = row if row is not None else ("active", "", 0, 0)
    owed = node.reader.one(
        f"SELECT count(*) FROM delivery WHERE destination = ? AND state NOT IN {DONE}", f"peer:{peer.id}"
    )
    party = node.config.node.party
    newest = {
        owner: node.reader.one("SELECT max(version) FROM card WHERE party = ?", owner) for owner in (peer.id, party)
    }
    told_card = node.reader.one("SELECT version, proof IS NOT NULL FROM card_told WHERE peer = ?", peer.id) or (0, 0)
    return {
        "id": peer.id, "name": node.names.get(peer.id, peer.id), "url": peer.url, "state": state,
        "cause": safe_cause(cause), "held_size": held, "told": told, "open": owed[0] if owed else 0,
        "card": {
            "theirs": (newest[peer.id] or (0,))[0] or 0, "ours": (newest[party] or (0,))[0] or 0,
            "fetched": told_card[0], "proved": bool(told_card[1]),
        },
    }  # fmt: skip


def _fetched_line(one: dict[str, Any]) -> str:
    """Whether the partner has our newest card."""
    card = one["card"]
    if card["fetched"] >= card["ours"]:
        return say(f"已取得我方名片第 {card['fetched']} 版", f"has our card {card['fetched']}")
    return say(
        f"我方名片：对方有第 {card['fetched']} 版，最新第 {card['ours']} 版",
        f"our card: they have {card['fetched']} of {card['ours']}",
    )


@group.command(help=say("对端的名片、密钥与账本", "A partner's card, keys and ledger"))
@_PEER
@CONFIG
@JSON
@on_node
def show(peer: str, path: str, as_json: bool) -> None:
    """By party id or division code."""
    from gateway.cli.output import finish
    from gateway.config import ConfigError

    node = open_node(path)
    found = _one(node, peer, as_json)
    try:
        card = _held(node, found).card
    except ConfigError as error:
        no(error.zh, error.en, as_json, "card")
    data = _state(node, found) | _card_data(found, card)
    finish(True, data, as_json, _card_lines(data))


def _card_data(found: Peer, card: Card) -> dict[str, Any]:
    from gateway.cli.times import rfc3339
    from signing import certs

    keys = [
        {
            "use": key.use, "id": key.id, "since": rfc3339(key.since_ms),
            "until": certs.parse(key.certificate).not_after.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        for key in card.keys
    ]  # fmt: skip
    return {
        "fingerprint": found.fingerprint, "division": card.division, "version": card.version, "origin": card.origin,
        "endpoint": card.endpoint, "keys": keys,
    }  # fmt: skip


def _card_lines(data: dict[str, Any]) -> Iterator[str]:
    yield f"{data['id']}  {data['name']}  {data['url']}"
    yield say(f"  身份指纹 {data['fingerprint']}", f"  identity fingerprint {data['fingerprint']}")
    yield say(
        f"  名片第 {data['version']} 版；{_fetched_line(data)}",
        f"  card version {data['version']}; {_fetched_line(data)}",
    )
    yield say(
        f"  账本 {data['origin']}：我方持有其 {data['held_size']} 条，对方持有我方 {data['told']} 条",
        f"  ledger {data['origin']}: we hold {data['held_size']} of theirs, they hold {data['told']} of ours",
    )
    for key in data["keys"]:
        yield f"  {key['use']:<12} {key['id']}  → {key['until']}"


def _one(node: Files, text: str, as_json: bool) -> Peer:
    found = [peer for peer in node.config.peer if text in (peer.id, peer.id[:6])]
    if len(found) != 1:
        no("没有登记这个对端", "no such partner is registered", as_json, "TB-2003")
    return found[0]


def _held(node: Files, peer: Peer) -> HeldCard:
    """The newest card of a partner that this node holds."""
    from gateway.exchange import trail

    return trail.of_peer(node.config, node.base, peer, node.ring.provider)[-1]


@group.command(help=say("探测：取名片，与登记的比对，并比时钟", "Fetch the card, compare it with ours, compare clocks"))
@_PEER
@CONFIG
@JSON
@on_node
def ping(peer: str, path: str, as_json: bool) -> None:
    """Exit 0 it answers and is the one we know, 1 not, 2 it has published a newer card or its clock is off."""
    from gateway.cli.output import finish
    from gateway.ops import partners

    node = open_node(path)
    found = _one(node, peer, as_json)
    answer = partners.ping(
        found.url, _held(node, found).data, found.fingerprint, node.ring.provider, node.config.limits.window_ms
    )
    finish(
        answer.ok, _ping_data(found, answer), as_json, [f"{found.id}  {found.url}", f"  {say(answer.zh, answer.en)}"]
    )


def _ping_data(found: Peer, answer: Ping) -> dict[str, Any]:
    return {
        "id": found.id, "url": found.url, "status": answer.status, "card": answer.card, "skew_s": answer.skew_s,
        "reason": answer.reason, "text": say(answer.zh, answer.en),
    }  # fmt: skip


@group.command(help=say("暂停往来（双向）；待投递的留着", "Pause exchange both ways; what is owed is kept"))
@_PEER
@REASON
@CONFIG
@JSON
@on_node
def pause(peer: str, reason: str, path: str, as_json: bool) -> None:
    """Takes effect with the next message either way."""
    from gateway.flow import operate

    node = open_node(path)
    found = _one(node, peer, as_json)
    if not reason.strip():
        raise click.UsageError(say("请用 --reason 说明事由", "give a --reason"))
    with node.change() as tx:
        operate.pause(tx, found.id, reason.strip())
    _changed(node, found, "paused", as_json, say("已暂停", "paused"))


@group.command(help=say("恢复往来", "Resume exchange"))
@_PEER
@REASON
@CONFIG
@JSON
@on_node
def resume(peer: str, reason: str, path: str, as_json: bool) -> None:
    """A pause for what was found against the partner ends only with a reason."""
    from gateway.exchange.trust import PAUSING
    from gateway.flow import operate
    from gateway.problems import CATALOGUE

    node = open_node(path)
    found = _one(node, peer, as_json)
    with node.change() as tx:
        cause = operate.resume(tx, found.id)
        if cause in PAUSING and not reason.strip():
            found_zh, found_en = CATALOGUE[cause].zh, CATALOGUE[cause].en
            raise click.UsageError(
                say(
                    f"暂停原因 {cause}：{found_zh}；恢复须用 --reason 说明已怎样查明",
                    f"paused for {cause}: {found_en}; --reason must say what was found out",
                )
            )
    _changed(node, found, "active", as_json, say("已恢复", "resumed"))


def _changed(node: Files, found: Peer, state: str, as_json: bool, text: str) -> None:
    from gateway.cli.output import finish

    heard = node.wake(f"peer:{found.id}")
    finish(True, {"id": found.id, "state": state, "gateway_told": heard}, as_json, [f"{found.id}  {text}"])


# --- add --------------------------------------------------------------------------------------------------------------


@group.command(
    help=say("登记对端：核对名片指纹后写入配置", "Register a partner: check its card, write the configuration")
)
@click.argument("card", metavar=say("名片", "CARD"))
@click.option(
    "--fingerprint",
    default="",
    metavar="HEX",
    help=say("当面或电话核对过的身份指纹", "identity fingerprint, told by other means"),
)
@click.option(
    "--url", default="", metavar="URL", help=say("对方网关地址（默认用名片上的）", "its gateway (default: the card's)")
)
@click.option("--crl", default="", metavar="F", help=say("对方的吊销列表文件", "its revocation list"))
@click.option(
    "--registry",
    is_flag=True,
    help=say("名片取自已导入的名册，CARD 写区划代码或主体", "take the card from the registry; CARD is the party"),
)
@CONFIG
@JSON
@on_node
def add(card: str, fingerprint: str, url: str, crl: str, registry: bool, path: str, as_json: bool) -> None:
    """CARD is a file or the address of the partner's gateway. Exit 1 when card and fingerprint do not belong together."""
    if registry == bool(fingerprint):
        raise click.UsageError(say("须且只须给出 --fingerprint 或 --registry", "give --fingerprint or --registry"))
    from gateway.cli.output import finish
    from gateway.exchange import card as cards
    from signing.providers import open_provider

    node = open_node(path)
    if registry:
        data, fingerprint = _listed(node, card, as_json)
    else:
        data = _fetched(card, as_json) if card.startswith(("http://", "https://")) else _read(card)
    print_ = fingerprint.replace(" ", "").replace(":", "").lower()
    try:
        found = cards.read(data, print_, open_provider(node.config.keys.provider))
    except cards.CardError as error:
        no(error.zh, error.en, as_json, "card")
    if found.party == node.config.node.party:
        no("这是本节点自己的名片", "this is our own card", as_json, "own-card")
    if any(peer.id == found.party for peer in node.config.peer):
        no("已登记过这个对端", "this partner is registered already", as_json, "known")
    address = url or found.endpoint
    if not _ADDRESS.fullmatch(address):
        no(
            "对方网关的地址不合规范，请用 --url 给出",
            "the gateway's address cannot be used: give --url",
            as_json,
            "address",
        )
    fields: dict[str, str | bool] = {"url": address, "fingerprint": print_, "crl": crl, "registry": registry}
    file = _register(Path(path), node.base, found, data, fields)
    lines = [
        say(f"已登记 {found.party} {found.name}", f"registered: {found.party} {found.name}"),
        say(f"  名片存为 {file}；重启网关后生效", f"  card kept as {file}; restart the gateway to use it"),
    ]
    finish(True, {"id": found.party, "name": found.name, "card": file, "url": address}, as_json, lines)


def _read(path: str) -> bytes:
    from gateway.cli.output import read_bytes

    return read_bytes(path, 1 << 20)


def _fetched(url: str, as_json: bool) -> bytes:
    from gateway.ops.partners import PATH
    from gateway.ops.probe import call

    answer = call("GET", url.rstrip("/") + PATH)
    if answer.status != 200:
        why = answer.reason or f"HTTP {answer.status}"
        no(f"没有取得名片（{why}）", f"no card was got ({why})", as_json, "unreachable", reason=why)
    return answer.body


def _listed(node: Files, text: str, as_json: bool) -> tuple[bytes, str]:
    """Card and fingerprint from the imported registry, by party id or division code."""
    from gateway.cli.anchors import open_checking_provider
    from gateway.exchange import registryfile
    from gateway.ids import now_ms

    held = registryfile.held(node.base / node.config.registry.file, open_checking_provider())
    if held is None or held.standing(now_ms()) == "refused":
        no("没有有效的名册，请先导入", "there is no registry in force: import one", as_json, "registry")
    found = [one for one in held.cards if text in (one.party, one.party[:6])]
    if len(found) != 1:
        no("名册中没有这一方", "the registry does not list this party", as_json, "not-listed")
    return found[0].card, found[0].fingerprint


def _register(config_file: Path, base: Path, found: Card, data: bytes, more: dict[str, str | bool]) -> str:
    """Keep the card, then add the partner to the configuration, which must still be good."""
    import shutil

    from gateway import config
    from gateway.cli.node import write_private

    name = f"peers/{found.party}.card.json"
    fields = {"id": found.party, "card": name, **more}
    rows = "".join(f"{key} = {_quoted(value)}\n" for key, value in fields.items() if value)
    title = "".join(letter for letter in found.name if letter.isprintable())[:64]
    text = config_file.read_bytes().rstrip(b"\n") + f"\n\n# {title}\n[[peer]]\n{rows}".encode()
    config.parse(text, str(config_file))
    (base / "peers").mkdir(exist_ok=True)
    (base / name).write_bytes(data)
    before = config_file.with_name(f"{config_file.name}.before")
    shutil.copy2(config_file, before)
    write_private(str(config_file), text)
    shutil.copymode(before, config_file)
    return name


def _quoted(value: str | bool) -> str:
    """A JSON string is a TOML basic string, and so with truth."""
    import msgspec

    return msgspec.json.encode(value).decode()
