"""Opens a sharing platform from its settings and its profile: the one place that knows the dialects' families."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import resources
from typing import Annotated

import msgspec
from msgspec import Meta

from adapters.base import Untranslatable
from adapters.sharing.base import Sharing
from adapters.sharing.cert_share import CertShare
from adapters.sharing.license_app import LicenseApp
from adapters.sharing.line import Caller, Decrypt
from adapters.sharing.relay import Relay
from adapters.sharing.translate import Dialect, read_dialect
from adapters.transport import Line

# What a family cannot do without: its paths and the names it asks with.
NEEDS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "cert_share": (
        ("query", "data", "file", "verify"),
        ("holder_code", "holder_type", "type_code", "identifier", "copy_identifier", "copy_cause", "copy_expires", "verify_file"),
    ),
    "relay": (
        ("login", "query", "data", "place", "file"),
        ("account", "password", "session", "org", "holder_code", "holder_type", "holder_name", "type_code", "identifier",
         "place", "url", "format"),
    ),
    "license_app": (("query", "data", "file"), ("token", "ticket", "holder_code", "type_code")),
}  # fmt: skip


class SharingSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One sharing platform as a node's configuration names it (part of ``[[sharing]]``). Times in ms, sizes in bytes.

    ``org``: the asking office's name where the dialect wants it.
    """

    profile: str
    url: str = ""
    account: str = ""
    org: str = ""
    connect_timeout_ms: Annotated[int, Meta(ge=100)] = 5_000
    timeout_ms: Annotated[int, Meta(ge=100)] = 30_000
    max_answer_bytes: Annotated[int, Meta(ge=1024)] = 32 << 20


def bundled() -> list[str]:
    """Names of the profiles in the package."""
    folder = resources.files("adapters") / "sharing" / "profiles"
    return sorted(one.name.removesuffix(".toml") for one in folder.iterdir() if one.name.endswith(".toml"))


def profile(name: str) -> Dialect:
    """A profile of the package. Raises Untranslatable for a name that is none, or tables that cannot work."""
    file = resources.files("adapters") / "sharing" / "profiles" / f"{name}.toml"
    if not name.replace("-", "").isalnum() or not file.is_file():
        raise Untranslatable(
            "profile-unknown", f"没有共享方案 {name}", f"there is no sharing profile {name}", "profile"
        )
    return checked(read_dialect(file.read_bytes()))


def checked(dialect: Dialect) -> Dialect:
    """The dialect, if it has all that its family needs."""
    paths, names = NEEDS[dialect.family]
    missing = [f"paths.{one}" for one in paths if one not in dialect.paths]
    missing += [f"ask.{one}" for one in names if one not in dialect.ask]
    if missing:
        listed = "、".join(missing)
        raise Untranslatable(
            "profile-incomplete", f"共享方案缺少：{listed}", f"the sharing profile lacks {listed}", missing[0]
        )
    return dialect


def open_sharing(
    settings: SharingSettings, secret: str, decrypt: Decrypt | None, now_ms: Callable[[], int], dialect: Dialect
) -> Sharing:
    """The platform behind the port."""
    caller = Caller(
        Line(), settings.url, settings.connect_timeout_ms, settings.timeout_ms, settings.max_answer_bytes
    )  # fmt: skip
    if dialect.family == "cert_share":
        return CertShare(dialect, caller, settings.account, secret, decrypt, now_ms)
    if dialect.family == "relay":
        return Relay(dialect, caller, settings.account, secret, settings.org)
    return LicenseApp(dialect, caller, secret)
