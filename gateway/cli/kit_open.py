"""What the commands of the kit start from: a profile, the settings of a platform as a node writes them, and a key.

The settings are the keys of ``[[platform]]`` in a node's configuration: in a TOML file of their own, or taken from a
configuration by the platform's id, with the node's own key. Secrets are read from files, never from the command line.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from gateway.cli.output import read_bytes, unreadable
from gateway.lang import say

if TYPE_CHECKING:
    from adapters.registry import PlatformSettings
    from gateway.config import LocalPlatform
    from signing.providers import Provider
    from signing.sm2 import PrivateKey


NOWHERE = {"front_db": "sqlite:////nowhere", "national_push": "sqlite:////nowhere", "file_drop": "file:///nowhere"}
"""Addresses for a platform that is only read from a recording, of families that are not reached by HTTP."""


class Chosen(NamedTuple):
    """``secrets``: what the settings keep elsewhere, by name; ``hidden``: the values that may be shown nowhere."""

    settings: LocalPlatform
    profile: bytes
    beside: dict[str, bytes]
    title: str
    secrets: dict[str, bytes]
    hidden: tuple[str, ...]


def chosen(profile: str, base_url: str, settings: str | None, timeout_ms: int = 0, otherwise: str = "") -> Chosen:
    """Exit 65 for a profile or settings that cannot be read. ``base_url`` counts before that of the settings, which counts
    before ``otherwise``."""
    import msgspec

    from gateway.cli import profile_files
    from gateway.config import ConfigError, LocalPlatform, secret

    files = profile_files.load(profile)
    compiled = profile_files.compiled(files)
    if isinstance(compiled, list):
        first = compiled[0]
        unreadable(files.where, f"{first.where} {first.zh}", f"{first.where} {first.en}")
    if compiled.text.national:
        zh, en = (
            "归集库不往来报文：用 adapter test 与 recon",
            "a collector exchanges no messages: see adapter test and recon",
        )
        unreadable(files.where, zh, en)
    given = {"id": "kit", "base_url": otherwise, **_table(settings, profile), "profile": compiled.text.name}
    given |= {"base_url": base_url} if base_url else {}
    given |= {"timeout_ms": timeout_ms} if timeout_ms else {}
    try:
        told = msgspec.convert(given, LocalPlatform)
        base = Path(settings).parent if settings else Path()
        secrets = {name: secret(source, base) for name, source in told.secrets.items()}
    except msgspec.ValidationError as error:
        unreadable(settings or profile, f"平台设置有误：{error}", f"bad platform settings: {error}")
    except ConfigError as bad:
        unreadable(bad.where, bad.zh, bad.en)
    hidden = (*_licences(told), *(value.decode("utf-8", "replace") for value in secrets.values()))
    return Chosen(told, files.toml, files.beside, compiled.text.title, secrets, hidden)


def _table(path: str | None, profile: str) -> dict[str, Any]:
    """The keys of a platform: the whole file, or its only ``[[platform]]``, or that of this profile."""
    import tomllib

    if path is None:
        return {}
    try:
        read = tomllib.loads(read_bytes(path, 1 << 20).decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        unreadable(path, f"不是合法的 TOML：{error}", f"not TOML: {error}")
    tables = read.get("platform", read)
    if isinstance(tables, dict):
        return tables
    name = Path(profile).name
    fits = [one for one in tables if len(tables) == 1 or str(one.get("profile", "")) in (profile, name)]
    if len(fits) != 1:
        unreadable(path, "分不清用哪个 [[platform]]", "which [[platform]] is meant is not clear")
    return dict(fits[0])


def _licences(settings: PlatformSettings) -> tuple[str, ...]:
    """What both sides show each other, of the settings themselves."""
    return tuple(one for one in (settings.licence, settings.our_licence) if one)


def bodies(given: tuple[str, ...]) -> dict[str, Any]:
    """Canonical bodies by type, of ``TYPE=FILE``; exit 65 where one is none."""
    from schemas import codec
    from schemas.errors import Invalid

    found = {}
    for one in given:
        type_, _, path = one.partition("=")
        try:
            value = codec.strict_json(read_bytes(path, 4 << 20), max_bytes=4 << 20)
            found[type_] = codec.build(type_, value if isinstance(value, dict) else {})
        except Invalid as bad:
            unreadable(path, f"{bad.path} {bad.zh}".strip(), f"{bad.path} {bad.en}".strip())
        except KeyError:
            unreadable(path, f"没有 {type_} 这类报文", f"there is no message type {type_}")
    return found


def provider_of() -> Provider:
    from signing.providers import open_provider

    return open_provider("auto")


def key_of(path: str | None, provider: Provider) -> PrivateKey:
    """A private key of a PEM file; a fresh one where none is named."""
    from signing.errors import SigningError
    from signing.keys import private_from_pem

    if path is None:
        return provider.generate()
    try:
        return private_from_pem(read_bytes(path, 1 << 16))
    except SigningError as bad:
        unreadable(path, f"私钥读不出（{bad.code}）", f"the key cannot be read ({bad.code})")


def public_of(path: str) -> str:
    """A public key of a PEM file as hex of 04||x||y."""
    from signing.errors import SigningError
    from signing.keys import public_from_pem

    try:
        return public_from_pem(read_bytes(path, 1 << 16)).point.hex()
    except SigningError as bad:
        unreadable(path, f"公钥读不出（{bad.code}）", f"the key cannot be read ({bad.code})")


def address(text: str, option: str) -> tuple[str, int]:
    """``host:port`` of an option; exit 64 for anything else."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise click.UsageError(say(f"--{option} 应为 主机:端口", f"--{option} is host:port"))
    return host, int(port)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def fresh_key_notice(public: str) -> str:
    """For who has not named a key."""
    return say(
        f"未给 --key，用临时密钥签名；对方须登记此公钥：{public}",
        f"no --key: a key made now signs; its public half is {public}",
    )
