"""``tongban config``: is the configuration usable, and which value is in effect and why. Secrets are never shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import click

from gateway.cli.node import CONFIG, JSON, on_node
from gateway.lang import say

SECRET = frozenset({"licence", "our_licence"})
_USERINFO = re.compile(r"//[^/@\s]*@")


class Setting(NamedTuple):
    """One value: dotted key, shown value, and where it comes from: ``file``, ``default`` or a variable's name."""

    key: str
    value: Any
    origin: str


@click.group(help=say("配置检查与查看", "Check and show configuration"))
def group() -> None:
    """The noun."""


@group.command(help=say("检查配置、密钥、名片与协议", "Check configuration, keys, cards and agreements"))
@CONFIG
@JSON
@on_node
def check(path: str, as_json: bool) -> None:
    """Exit 0 usable, 1 not usable, 65 the file cannot be read as TOML."""
    from pathlib import Path

    from gateway import config, ground, profiles
    from gateway.cli.output import finish
    from gateway.config import ConfigError

    _document(path)
    try:
        settings = config.load(Path(path))
        found = ground.ground(settings, Path(path).parent)
        profiles.check(settings, Path(path).parent)
        profiles.forms(settings, Path(path).parent)
    except ConfigError as error:
        text = f"{error.where}: {say(error.zh, error.en)}"
        finish(False, {"where": error.where, "text": text}, as_json, [text])
    counts = {"peers": len(settings.peer), "platforms": len(settings.platform), "agreements": len(found.book.held)}
    lines = [
        say("配置可用", "the configuration is usable"),
        say(
            "  对端 {peers}，平台 {platforms}，协议 {agreements}",
            "  peers {peers}, platforms {platforms}, agreements {agreements}",
        ).format(**counts),
    ]
    finish(
        True,
        {"party": settings.node.party, "warning": found.warning, **counts},
        as_json,
        [*lines, *([found.warning] if found.warning else [])],
    )


@group.command(help=say("查看配置；--effective 含默认值及来源", "Show settings; --effective with defaults and origins"))
@click.option("--effective", is_flag=True, help=say("连同默认值，并标明来源", "with defaults, each with its origin"))
@CONFIG
@JSON
@on_node
def show(effective: bool, path: str, as_json: bool) -> None:
    """Exit 0. Where a secret lies is shown, what it is is not."""
    from pathlib import Path

    import msgspec

    from gateway import config
    from gateway.cli.output import finish

    document = _document(path)
    settings = msgspec.to_builtins(config.load(Path(path)))
    found = [one for one in _settings(settings, document, "") if effective or one.origin == "file"]
    lines = [f"{one.key} = {_text(one.value)}" + (f"    # {_origin(one.origin)}" if effective else "") for one in found]
    finish(True, {"settings": [one._asdict() for one in found]}, as_json, lines)


def _document(path: str) -> dict[str, Any]:
    """The file as TOML, or exit 65."""
    import tomllib

    from gateway.cli.output import read_bytes, unreadable

    try:
        return tomllib.loads(read_bytes(path, 1 << 20).decode())
    except UnicodeDecodeError:
        unreadable(path, "文件不是 UTF-8 编码", "the file is not UTF-8")
    except tomllib.TOMLDecodeError as error:
        unreadable(path, f"TOML 语法错误：{error}", f"TOML syntax: {error}")


def _settings(values: dict[str, Any], said: Any, prefix: str) -> Iterator[Setting]:
    for name, value in values.items():
        key = f"{prefix}{name}"
        given = said.get(name) if isinstance(said, dict) else None
        if key == "keys.passphrase":
            yield Setting(key, {kind: place for kind, place in value.items() if place}, "file")
        elif isinstance(value, dict):
            yield from _settings(value, given, f"{key}.")
        elif isinstance(value, list | tuple) and value and isinstance(value[0], dict):
            for number, one in enumerate(value):
                yield from _settings(one, given[number] if given else None, f"{key}[{number}].")
        elif value != [] or given is not None:
            yield Setting(key, _shown(name, value), _from(key, value, given))


def _from(key: str, value: Any, given: Any) -> str:
    import os

    from signing.providers import VARIABLE

    if key == "keys.provider" and value == "auto" and os.environ.get(VARIABLE):
        return VARIABLE
    return "file" if given is not None else "default"


def _shown(name: str, value: Any) -> Any:
    if name in SECRET and value:
        return "***"
    return _USERINFO.sub("//***@", value) if isinstance(value, str) else value


def _text(value: Any) -> str:
    import msgspec

    return msgspec.json.encode(value).decode()


def _origin(origin: str) -> str:
    return {"file": say("文件", "file"), "default": say("默认", "default")}.get(origin, origin)
