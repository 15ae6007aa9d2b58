"""``tongban key backup | restore | rewrap``: the keys in one file, its secret in shares; the drill that proves they come back;
and closing the key files under another passphrase."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.node import CONFIG, JSON, Files, no, on_node, open_node
from gateway.lang import say

if TYPE_CHECKING:
    from gateway.keys.keybackup import Content, Proved
    from signing.split import Share

FILE = "keys.backup"


@click.command(help=say("分片备份全部密钥", "Back all keys up, the secret in shares"))
@click.option("--shares", type=click.IntRange(2, 32), default=3, show_default=True, help=say("分片数", "how many"))
@click.option(
    "--threshold", type=click.IntRange(2, 32), default=2, show_default=True, help=say("几片可恢复", "how many restore")
)
@click.option(
    "--holder", "holders", multiple=True, metavar="NAME", help=say("保管人，每片一名", "who keeps each share")
)
@click.option("--qr", is_flag=True, help=say("另写二维码（SVG）", "QR codes too (SVG)"))
@click.option("-o", "out", required=True, type=click.Path(), metavar="DIR", help=say("写入新目录", "into a new folder"))
@CONFIG
@JSON
@on_node
def backup(shares: int, threshold: int, holders: tuple[str, ...], qr: bool, out: str, path: str, as_json: bool) -> None:
    """Exit 1 when the folder exists. Each share belongs to its holder, on own paper or medium, away from the backup."""
    from gateway.cli.output import finish
    from gateway.files import write_private
    from gateway.ids import now_ms
    from gateway.keys import keybackup

    if threshold > shares or len(holders) not in (0, shares):
        raise click.UsageError(
            say("--threshold 不超过 --shares；--holder 每片一名", "threshold <= shares; one --holder each")
        )
    if Path(out).exists():
        no(f"{out} 已存在", f"{out} exists", as_json, "exists")
    node, at = open_node(path), now_ms()
    data, made = keybackup.make(node.ring, node.base, node.config.node.party, at, threshold, shares)
    Path(out).mkdir(mode=0o700, parents=True)
    write_private(Path(out) / FILE, data)
    files = [_put(Path(out), one, holders[one.index - 1] if holders else "", shares, node, qr) for one in made]
    _record(node, backup_ms=at)
    steps = [
        str(Path(out) / FILE), *files,
        say("接下来：分片各交保管人，与备份文件分开存放，本机上的删除；再演练 tongban key restore --drill",
            "next: each share to its holder, apart from the backup, none left here; then tongban key restore --drill"),
    ]  # fmt: skip
    finish(True, {"backup": str(Path(out) / FILE), "shares": files, "threshold": threshold}, as_json, steps)


@click.command(
    help=say("换口令，或按 keys.kdf 重新加密全部密钥文件", "Another passphrase, or key files anew as keys.kdf says")
)
@click.option(
    "--new-passphrase-file", "file", type=click.Path(), metavar="F",
    help=say("新口令（首行）；不给则口令不变", "its first line; without it the passphrase stays"),
)  # fmt: skip
@CONFIG
@JSON
@on_node
def rewrap(file: str | None, path: str, as_json: bool) -> None:
    """The keys stay the same. The old folder is kept as keys.before until somebody destroys it."""
    from gateway.cli.output import finish, read_bytes
    from gateway.keys import rewrap as rewrapping
    from gateway.ops import key_checks

    node = open_node(path)
    passphrase = read_bytes(file, 1 << 12).split(b"\n")[0].rstrip(b"\r") if file else node.ring.passphrase
    if len(passphrase) < key_checks.SHORTEST:
        zh = f"新口令须至少 {key_checks.SHORTEST} 字节"
        no(zh, f"a passphrase has at least {key_checks.SHORTEST} bytes", as_json, "passphrase-short")
    named = node.config.keys.passphrase.file
    before = rewrapping.rewrap(node.ring, passphrase, node.base / named if named else None)
    lines = [
        say(f"已重新加密；旧目录是 {before}", f"done; the old folder is {before}"),
        say("接下来：更新口令来源（如不在密钥目录中），重启网关，确认后销毁旧目录",
            "next: update the passphrase's source unless it lies in the key folder, restart, then destroy the old folder"),
    ]  # fmt: skip
    finish(True, {"before": str(before)}, as_json, lines)


def _put(folder: Path, share: Share, holder: str, count: int, node: Files, qr: bool) -> str:
    from gateway.files import write_private
    from signing import split

    name = "".join(letter for letter in holder if letter.isalnum())[:32]
    stem = f"share-{share.index}" + (f"-{name}" if name else "")
    text = split.write(share)
    lines = [
        "通办网关 密钥备份分片 Tongban key backup share",
        f"节点 node: {node.config.node.party}",
        f"备份 backup: {share.mark.hex()}",
        f"分片 share: {share.index}/{count}，任意 {share.threshold} 片可恢复 any {share.threshold} restore",
        f"保管人 holder: {holder or '________'}",
        "请封存，勿与备份文件或其他分片放在一起。Keep sealed, apart from the backup and the other shares.",
        "",
        text,
        "",
    ]
    write_private(folder / f"{stem}.txt", "\n".join(lines).encode())
    if qr:
        import io

        import segno

        picture = io.BytesIO()
        segno.make(text, error="m").save(picture, kind="svg", scale=4)
        write_private(folder / f"{stem}.svg", picture.getvalue())
    return str(folder / f"{stem}.txt")


@click.command(help=say("用分片恢复密钥，或只演练（--drill）", "Bring keys back from shares, or only try (--drill)"))
@click.argument("backup_file", metavar=say("备份", "BACKUP"), type=click.Path())
@click.argument("share_files", metavar=say("分片…", "SHARE..."), nargs=-1, required=True, type=click.Path())
@click.option("--drill", is_flag=True, help=say("只演练：试用每把密钥，不写密钥", "only try every key, write none"))
@click.option("-o", "out", type=click.Path(), metavar="DIR", help=say("恢复到新目录", "restore into a new folder"))
@CONFIG
@JSON
@on_node
def restore(
    backup_file: str, share_files: tuple[str, ...], drill: bool, out: str | None, path: str, as_json: bool
) -> None:
    """Exit 1 when the shares do not open the backup or a key in it does not work."""
    from gateway.cli.output import finish, read_bytes
    from gateway.keys import keybackup
    from signing.errors import Malformed
    from signing.providers import open_provider

    if drill is (out is not None):
        raise click.UsageError(say("用 --drill 演练，或用 -o 恢复到新目录", "either --drill, or -o DIR to restore"))
    if out is not None and Path(out).exists():
        no(f"{out} 已存在", f"{out} exists", as_json, "exists")
    try:
        shares = [_share(file) for file in share_files]
        content = keybackup.open_(read_bytes(backup_file, keybackup.LIMIT), shares, backup_file)
    except Malformed as error:
        no(error.zh, error.en, as_json, error.code)
    proved = keybackup.drill(content, open_node(path).ring.provider if drill else open_provider())
    if drill:
        _drilled(open_node(path), content, proved, as_json)
    assert out is not None  # noqa: S101 - asked above
    files = keybackup.restore(content, Path(out))
    step = say(f"口令在 {out}/keys/passphrase", f"the passphrase is in {out}/keys/passphrase")
    finish(True, {"node": content.node, "folder": out, "files": files}, as_json, [*_lines(proved), step])


def _drilled(node: Files, content: Content, proved: list[Proved], as_json: bool) -> None:
    """Record the date, and say which keys of today the backup has not."""
    from gateway.cli.output import finish
    from gateway.cli.times import local, rfc3339
    from gateway.ids import now_ms
    from gateway.keys import keybackup

    if content.node != node.config.node.party:
        no(f"备份是节点 {content.node} 的", f"the backup is of node {content.node}", as_json, "other-node")
    absent = [entry.use for entry in keybackup.missing(content, node.ring.entries())]
    _record(node, drill_ms=now_ms())
    lines = [
        *_lines(proved),
        say(f"演练成功：备份于 {local(content.made_ms)}", f"the drill succeeded: backup of {local(content.made_ms)}"),
    ]
    if absent:
        names = ", ".join(absent)
        lines.append(
            say(
                f"不在备份中：{names}（离线、在密码机中或其后生成）", f"not in it: {names} (offline, machine, or newer)"
            )
        )
    data: dict[str, Any] = {
        "node": content.node, "made": rfc3339(content.made_ms), "keys": len(proved), "missing": absent,
    }  # fmt: skip
    finish(True, data, as_json, lines)


def _share(file: str) -> Share:
    """The share in a file: its own text among what is printed around it, or what was typed."""
    from gateway.cli.output import read_bytes
    from signing import split
    from signing.errors import Malformed

    text = read_bytes(file, 64 << 10).decode("utf-8", "replace")
    last: Malformed | None = None
    for line in [*text.splitlines(), text]:
        try:
            return split.read(line)
        except Malformed as error:
            last = error if error.code == "share-check" or last is None else last
    assert last is not None  # noqa: S101 - there is at least the whole text
    raise Malformed(last.code, f"{file}：{last.zh}", f"{file}: {last.en}")


def _record(node: Files, **dates: int) -> None:
    """Write a date into the register."""
    import msgspec

    from signing.keyring import Register

    def work(register: Register) -> Register:
        changed: Register = msgspec.structs.replace(register, version=register.version + 1, **dates)
        return changed

    node.ring.change(work)


def _lines(proved: list[Proved]) -> list[str]:
    how = {"signs": say("可签名", "signs"), "opens": say("可打开", "opens")}
    return [f"✓ {one.name}  {one.id}  {how[one.how]}" for one in proved]
