"""``tongban init``: a new node's folder, for the laboratory in one go, for a real place up to the certificate requests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.node import JSON, no, on_node
from gateway.lang import say

if TYPE_CHECKING:
    from gateway.ops.newnode import Listeners


_OPTIONS = (
    click.option("--id", "identifier", default="", metavar="ID", help=say("区划代码[.信用代码]", "division[.USCC]")),
    click.option("--uscc", default="", metavar="USCC", help=say("统一社会信用代码", "unified social credit code")),
    click.option("--name", default="", help=say("节点名称", "the node's name")),
    click.option(
        "--lab", is_flag=True, help=say("试验节点：CA 与印章均为样章·测试无效", "laboratory: its CA and seal are void")
    ),
    click.option(
        "--card", is_flag=True, help=say("第二步：用签回的证书生成名片", "step two: the card, from the certificates")
    ),
    click.option("--endpoint", default="", metavar="URL", help=say("名片上对端访问的地址", "our address for partners")),
    click.option(
        "--seal-anchor", "anchors", multiple=True, metavar="F", help=say("本地电子印章的根证书", "root of our e-seals")
    ),
    click.option(
        "--exchange", default="127.0.0.1:8443", show_default=True, help=say("对端监听", "listener for partners")
    ),
    click.option(
        "--platform", default="127.0.0.1:8080", show_default=True, help=say("平台监听", "listener for platforms")
    ),
    click.option("--admin", default="127.0.0.1:9443", show_default=True, help=say("管理监听", "admin listener")),
)


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command(
    help=say("新建节点目录；证书签回后再加 --card 生成名片", "A new node's folder; later, with --card, its card")
)
@click.argument("folder", metavar=say("目录", "DIR"), type=click.Path(file_okay=False))
@_options
@JSON
@on_node
def group(
    folder: str, identifier: str, uscc: str, name: str, lab: bool, card: bool, endpoint: str, anchors: tuple[str, ...],
    exchange: str, platform: str, admin: str, as_json: bool,
) -> None:  # fmt: skip
    """Exit 0 made, 1 the folder is in use, 64 wrong id, 65 a certificate is missing or another key's."""
    from gateway.ops.newnode import Listeners

    path = Path(folder)
    if card:
        _card(path, endpoint, anchors, as_json)
    division, party = _who(identifier, uscc, lab)
    if path.exists() and any(path.iterdir()):
        no(f"目录 {folder} 不是空的", f"the folder {folder} is not empty", as_json, "not-empty")
    title = name or _place(division)
    if len(title) > 48 or not title.isprintable() or set(title) & set('"\\'):
        raise click.BadParameter(
            say("名称至多 48 字，不含引号与反斜杠", "at most 48 characters, no quotes"), param_hint="--name"
        )
    path.mkdir(parents=True, exist_ok=True)
    listeners = Listeners(exchange, platform, admin)
    if lab:
        _lab(path, division, title, listeners, as_json)
    _real(path, party, title, listeners, as_json)


def _who(identifier: str, uscc: str, lab: bool) -> tuple[str, str]:
    """Division code and party id, checked; the laboratory makes up its credit code."""
    from agreements.samples import lab_party
    from gateway.tables import divisions
    from schemas.codes import check_uscc
    from schemas.errors import Invalid

    division, _, code = identifier.partition(".")
    if not division:
        raise click.UsageError(say("请给出 --id，如 --id 420104", "give --id, such as --id 420104"))
    resolved = divisions().resolve(division)
    if isinstance(resolved, Invalid):
        raise click.BadParameter(say(resolved.zh, resolved.en), param_hint="--id")
    if lab:
        return resolved.division.code, lab_party(resolved.division.code)
    code = code or uscc
    if not code:
        raise click.UsageError(say("生产节点须给出 --uscc（或 --lab）", "a real node needs --uscc (or use --lab)"))
    if (invalid := check_uscc(code)) is not None:
        raise click.BadParameter(say(invalid.zh, invalid.en), param_hint="--uscc")
    return resolved.division.code, f"{resolved.division.code}.{code}"


def _place(division: str) -> str:
    from gateway.tables import divisions

    return f"{divisions().full_name(division)}通办网关"


def _provider(lab: bool) -> Any:
    """One that can sign: in pure Python only in the laboratory."""
    from gateway.keys.keyring import provider

    found, warning = provider("auto", lab)
    if warning:
        click.echo(warning, err=True)
    return found


def _lab(path: Path, division: str, name: str, listeners: Listeners, as_json: bool) -> None:
    from datetime import UTC, datetime

    from gateway import lab
    from gateway.cli.output import finish

    place = lab.Place(division, name, listeners.exchange, listeners.platform, listeners.admin)
    made = lab.build(path, place, _provider(True), datetime.now(UTC))
    (path / "tongban.toml").write_text(lab.config_text(place), encoding="utf-8")
    fingerprint = (path / "fingerprint").read_text()
    lines = [
        say(
            f"试验节点 {made.party} 已建于 {path}（{lab.MARK}）", f"laboratory node {made.party} made in {path} (void)"
        ),
        say(f"  身份指纹 {fingerprint}", f"  identity fingerprint {fingerprint}"),
        *_next(path, ["tongban peer add", "tongban agreement sign", "tongban doctor", "tongban serve"]),
    ]
    finish(True, {"party": made.party, "folder": str(path), "fingerprint": fingerprint, "lab": True}, as_json, lines)


def _real(path: Path, party: str, name: str, listeners: Listeners, as_json: bool) -> None:
    from datetime import UTC, datetime

    from gateway.cli.output import finish
    from gateway.ops import newnode

    steps = ["tongban peer add", "tongban doctor", "tongban serve"]
    requests = [str(one) for one in newnode.begin(path, party, name, listeners, _provider(False), datetime.now(UTC))]
    lines = [
        say(f"节点 {party} 的目录已建：{path}", f"node {party}: folder made in {path}"),
        say(
            "证书请求（送 CA，签回后放在同一目录，名为 用途.pem）：",
            "certificate requests (answers go beside them as USE.pem):",
        ),
        *(f"  {one}" for one in requests),
        say(
            "口令在 keys/passphrase，请按配置中的说明改由 systemd 提供",
            "the passphrase is in keys/passphrase: see the configuration",
        ),
        *_next(path, [f"tongban init {path} --card --endpoint https://…", *steps]),
    ]
    finish(True, {"party": party, "folder": str(path), "requests": requests, "lab": False}, as_json, lines)


def _next(path: Path, steps: list[str]) -> list[str]:
    return [say(f"接下来（在 {path} 中）：", f"next (in {path}):"), *(f"  {step}" for step in steps)]


def _card(path: Path, endpoint: str, anchors: tuple[str, ...], as_json: bool) -> None:
    from datetime import UTC, datetime

    from gateway import config
    from gateway.cli.anchors import read_anchors
    from gateway.cli.output import finish
    from gateway.ops import newnode

    if not endpoint.startswith(("http://", "https://")):
        raise click.UsageError(say("--card 须用 --endpoint 给出对端访问的地址", "--card needs --endpoint URL"))
    settings = config.load(path / "tongban.toml")
    made, fingerprint = newnode.finish(settings, path, endpoint, read_anchors(anchors), datetime.now(UTC))
    lines = [
        say(f"名片第 {made.version} 版：{path / 'card.json'}", f"card version {made.version}: {path / 'card.json'}"),
        say(
            f"身份指纹 {fingerprint}（请当面或电话告知对端）",
            f"identity fingerprint {fingerprint} (tell it by other means)",
        ),
    ]
    data = {"party": made.party, "version": made.version, "card": str(path / "card.json"), "fingerprint": fingerprint}
    finish(True, data, as_json, lines)
