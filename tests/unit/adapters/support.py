"""Profiles, platforms and the turned-round tables that the adapters' tests share."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from adapters.mapping import RuleMap
from adapters.mapping_compile import compile_maps
from adapters.profile import Profile, compile_profile, known_type
from adapters.registry import Platform, PlatformSettings, open_platform, read_profile
from adapters.soap.translate import SoapTranslator, Words
from schemas import codec
from schemas.validate import compile_xsd
from signing.providers import open_provider
from signing.sm2 import PrivateKey, Signer

ROOT = Path(__file__).resolve().parents[3]
PROFILES = ROOT / "adapters" / "profiles"
XSD = (PROFILES / "honggutan.xsd").read_bytes()
RESOURCES = {one.name: one.read_bytes() for one in PROFILES.iterdir() if one.suffix in (".xsd", ".toml")}
PROVIDER = open_provider("auto")
NUMBERS = {"item_version", "size", "limit_days"}
UNIT, LICENCE = "HGT-TEST", "licence-of-the-platform"
OUR_UNIT, OUR_LICENCE = "TB-TEST", "licence-of-the-gateway"


def toml(name: str) -> dict[str, Any]:
    """The TOML of a bundled profile, fresh."""
    return read_profile((PROFILES / f"{name}.toml").read_bytes(), RESOURCES)


def profile(name: str) -> Profile:
    """A bundled profile, compiled."""
    return compile_profile(toml(name))


def soap_translator(max_bytes: int = 16 << 20) -> SoapTranslator:
    """The translator of the SOAP profile."""
    compiled = profile("honggutan")
    words = msgspec.convert(compiled.text.soap, Words)
    return SoapTranslator(compiled, words, compile_xsd(XSD), max_bytes)


def signer(key: PrivateKey | None = None) -> Signer:
    """A signer over the open provider."""
    return Signer(PROVIDER, key or PROVIDER.generate())


def open_test(
    name: str,
    base_url: str = "http://127.0.0.1:9",
    *,
    key: PrivateKey | None = None,
    now_ms: int = 1_740_965_400_000,
    change: tuple[bytes, bytes] = (b"", b""),
    secrets: dict[str, bytes] | None = None,
    lab: bool = False,
    **settings: Any,
) -> Platform:
    """An open platform of a bundled profile, one place of its text changed; nonces count up."""
    counter = iter(range(10**9))
    given = PlatformSettings(
        id=name, profile=name, base_url=base_url, app_id="qk-window", unit=UNIT, licence=LICENCE, our_unit=OUR_UNIT,
        our_licence=OUR_LICENCE, **settings,
    )  # fmt: skip
    return open_platform(
        given, (PROFILES / f"{name}.toml").read_bytes().replace(*change), RESOURCES, lambda: signer(key), PROVIDER,
        lambda: f"nonce-{next(counter):020d}", lambda: now_ms, secrets, lab,
    )  # fmt: skip


def whole_seconds(type_: str, body: Any) -> Any:
    """The body with its times cut to seconds, as both dialects write them."""
    return codec.build(type_, _cut(msgspec.to_builtins(body, builtin_types=(datetime,))))


def _cut(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _cut(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_cut(entry) for entry in value]
    return value.replace(microsecond=0) if isinstance(value, datetime) else value


@lru_cache
def turned(name: str, direction: str) -> dict[str, RuleMap]:
    """The tables of one direction with every row turned round: what the other end of the wire would use."""
    raw = toml(name)
    tables = {
        table: {"rows": [row for rule in content["rows"] if (row := _turn(rule)) is not None]}
        for table, content in raw[direction].items()
    }
    other = {"in": "out", "out": "in"}[direction]
    return compile_maps(tables, other, raw.get("tables", {}))  # type: ignore[arg-type]


def _turn(rule: dict[str, Any]) -> dict[str, Any] | None:
    source = rule.get("each") or rule.get("source", "")
    if not source or source.startswith("$.") or rule["target"].startswith("form.") or rule["target"] == "inline":
        return None
    row = {key: rule[key] for key in ("codec", "table", "use") if key in rule}
    row["target"] = source
    if rule["target"] in NUMBERS or source in NUMBERS:
        row["codec"] = "int"
    row["each" if "each" in rule else "source"] = rule["target"]
    if "default" in rule:
        row["default"] = rule["default"]
    return row


def message_types(maps: dict[str, RuleMap]) -> list[str]:
    """Tables that are message types, without the notices."""
    return [name for name in maps if known_type(name) and name not in ("receipt", "status")]
