"""``tongban db``: the store's schema, its backup while the gateway runs, and putting one back."""

from __future__ import annotations

import click

from gateway.cli.node import CONFIG, JSON, no, on_node, open_node
from gateway.lang import say


@click.group(help=say("数据库：升级、备份、恢复", "The store: upgrade, backup, restore"))
def group() -> None:
    """The noun."""


@group.command(help=say("建立数据库或升级到本程序的版本", "Make the store, or bring it to this program's schema"))
@CONFIG
@JSON
@on_node
def upgrade(path: str, as_json: bool) -> None:
    """Exit 0 also when there was nothing to do; 1 when the gateway is running or the store is newer."""
    from gateway.cli.output import finish
    from gateway.store import backup, schema

    node = open_node(path)
    before = schema.revision(node.store)
    if before > schema.HEAD:
        zh, en = f"数据库版本 {before} 比本程序新", f"the store's revision {before} is newer than this program"
        no(zh, en, as_json, "newer-schema", revision=before)
    if before != schema.HEAD:
        if node.store.exists() and backup.in_use(node.store):
            no("数据库正在使用：先停止网关", "the store is in use: stop the gateway first", as_json, "in-use")
        schema.upgrade(node.store)
    after = schema.revision(node.store)
    text = say(f"数据库版本 {before or '无'} → {after}", f"revision {before or 'none'} -> {after}")
    finish(after == schema.HEAD, {"before": before, "revision": after}, as_json, [text])


@group.command(
    "backup", help=say("在线备份到新目录（库与材料，不含密钥）", "Online backup into a new folder, without keys")
)
@click.option("--out", "-o", required=True, type=click.Path(), metavar="DIR", help=say("新目录", "a new folder"))
@CONFIG
@JSON
@on_node
def backup_(out: str, path: str, as_json: bool) -> None:
    """Exit 0 done, 1 the store is damaged, 64 the folder exists."""
    from pathlib import Path

    import msgspec

    from gateway.cli.output import finish, unreadable
    from gateway.ids import now_ms
    from gateway.store import backup

    node = open_node(path)
    try:
        made = backup.backup(node.store.parent, Path(out), node.config.node.party, now_ms())
    except FileExistsError:
        raise click.BadParameter(say("目录已存在", "the folder exists"), param_hint="--out") from None
    except backup.CannotRestore as error:
        no(error.zh, error.en, as_json, error.code)
    except OSError as error:
        unreadable(out, f"写不了（{error.strerror}）", f"cannot be written ({error.strerror})")
    lines = [
        say(
            f"已备份到 {out}：账本 {made.size} 条，文件 {made.parts} 个",
            f"{out}: {made.size} leaves, {made.parts} files",
        ),
        say("密钥与配置不在其中，请另行保管", "keys and configuration are not in it: keep them apart"),
    ]
    finish(True, {"folder": out, **msgspec.to_builtins(made)}, as_json, lines)


@group.command(
    help=say("恢复备份；不覆盖在用的或更新的数据库", "Restore; never over a store in use or one gone further")
)
@click.argument("folder", type=click.Path())
@CONFIG
@JSON
@on_node
def restore(folder: str, path: str, as_json: bool) -> None:
    """Exit 0 done, 1 refused, 65 not a backup."""
    from pathlib import Path

    import msgspec

    from gateway.cli.output import finish, unreadable
    from gateway.store import backup

    node = open_node(path)
    try:
        made = backup.restore(Path(folder), node.store.parent, node.config.node.party)
    except backup.CannotRestore as error:
        if error.code == "not-a-backup":
            unreadable(folder, error.zh, error.en)
        no(error.zh, error.en, as_json, error.code)
    except OSError as error:
        unreadable(folder, f"读写失败（{error.strerror}）", f"cannot be read or written ({error.strerror})")
    lines = [
        say(f"已恢复：账本 {made.size} 条", f"restored: {made.size} leaves"),
        say(
            "若对端持有更新的检查点，会以 TB-2008 或 TB-2012 指出，请先与对端核对再投入运行",
            "where a partner holds a newer checkpoint it will say so (TB-2008, TB-2012): compare before going on",
        ),
    ]
    finish(True, msgspec.to_builtins(made), as_json, lines)
