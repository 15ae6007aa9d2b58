"""Opens a regional platform (地方平台) from its settings and its profile: the one place that knows the families.

A family is a module that exports ``open_family(opening) -> Platform``. A region's differences are data:
``adapters/profiles/<region>.toml``. A new family is one row of ``FAMILIES``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from adapters.base import Channel, Denied, Inbox, Presented, Signed, Translator, Untranslatable
from adapters.codecs import Codec
from adapters.functions import installed
from adapters.leaning import whole
from adapters.mapping_version import files_of, version_of
from adapters.profile import compile_profile

if TYPE_CHECKING:
    from adapters.again import Mapped
    from adapters.inlined import Inlined
    from adapters.soap.package_service import PackageService
    from adapters.soap.service import Service
    from adapters.union_json.service import UnionService
    from signing.providers import Provider
    from signing.sm2 import Signer

FAMILIES = {
    "rest_signed": "adapters.rest_signed.family",
    "soap": "adapters.soap.family",
    "message_set": "adapters.message_set.family",
    "front_db": "adapters.front_db.family",
    "file_drop": "adapters.file_drop.family",
    "webhook": "adapters.webhook.family",
    "union_json": "adapters.union_json.family",
    "national_push": "adapters.national_push.family",
}


class PlatformSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One local platform, as a node's configuration names it. Times in milliseconds, sizes in bytes.

    ``id``           our name for it, unique on the node; ``profile`` the region's profile
    ``base_url``     its registered address: REST base, the SOAP endpoint, a front database (see ``front_db.address``),
                     or ``file:///path`` or ``sftp://user@host/path`` of a shared folder; never with a password in it
    ``host_keys``    (SFTP) the server's registered keys, in OpenSSH's form; ``file_owner`` (files) the uid that theirs have
    ``addresses``    (webhook) the IP addresses or networks where the endpoint may be; without them, public ones
    ``app_id``       (REST) the id it signs with
    ``public_keys``  (REST) its keys, PEM or (SM2) hex of 04||x||y: more than one while it changes keys; shared secrets are
                     among the platform's ``secrets``: ``secret``, ``former_secret``, ``key`` (ours), ``body_key`` (SM4)
    ``our_app_id``   (REST) the id we sign our callbacks with
    ``unit`` and ``licence``          (SOAP) what it must show us; ``our_unit`` and ``our_licence`` what we show it
    ``party``        whose it is, where it belongs to another party than the node's (a guest 客方, by its party id)
    ``items``        the items (事项) that it handles when a partner sends them, by code, or by ``QX-SB-*``; a platform that
                     lists none handles what no other lists
    ``can_ask``      False for a platform that cannot be asked what it has: an unclear outcome waits for a person
    """

    id: str
    profile: str
    base_url: str
    app_id: str = ""
    public_keys: tuple[str, ...] = ()
    our_app_id: str = "tongban"
    unit: str = ""
    licence: str = ""
    our_unit: str = ""
    our_licence: str = ""
    host_keys: tuple[str, ...] = ()
    file_owner: int | None = None
    addresses: tuple[str, ...] = ()
    party: str = ""
    items: tuple[str, ...] = ()
    can_ask: bool = True
    window_ms: int = 300_000
    connect_timeout_ms: int = 5_000
    timeout_ms: int = 30_000
    max_answer_bytes: int = 1 << 20
    max_message_bytes: int = 16 << 20

    def __post_init__(self) -> None:
        if ":" in self.base_url.partition("://")[2].partition("/")[0].rpartition("@")[0]:
            raise ValueError(
                "base_url 不得含口令，以 secrets 指明 (no password in base_url: say by secrets where it is)"
            )

    def __repr__(self) -> str:
        return f"PlatformSettings(id={self.id!r}, profile={self.profile!r}, base_url={self.base_url!r})"


@dataclass(frozen=True, slots=True)
class Opening:
    """All that a family needs to open a platform. ``profile`` is the parsed TOML; ``resources`` are files it names; ``signer``
    gives the key that signs our calls now; ``secrets`` what the settings keep elsewhere (passwords, keys), by name; ``lab``: on a
    demonstration node what needs TLS elsewhere may go without."""

    settings: PlatformSettings
    profile: Mapping[str, Any]
    resources: Mapping[str, bytes]
    signer: Callable[[], Signer]
    provider: Provider
    new_nonce: Callable[[], str]
    now_ms: Callable[[], int]
    functions: Mapping[str, Codec]
    secrets: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    lab: bool = False


class Row(Protocol):
    """A row that stands at a collector: its table, and the columns that hold something."""

    @property
    def table(self) -> str: ...
    @property
    def values(self) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True)
class Collecting:
    """Of a platform that collects case data (办件归集) and hands in no cases: the events that it is told, how often new ones are
    looked for, and what a reconciliation (对账) asks. ``held``: our rows of the days from one to another (``yyyy-MM-dd``);
    ``rows``: the same of a frozen report; ``key``, ``case``, ``time``: columns; ``once``: tables in which a case has one row."""

    events: frozenset[str]
    every_s: float
    held: Callable[[str, str], Awaitable[Sequence[Row]]]
    rows: Callable[[bytes], Sequence[Row]]
    key: str
    case: str
    time: str
    once: frozenset[str]


@dataclass(frozen=True, slots=True)
class Platform:
    """An open platform. ``service``: for callers that speak SOAP to us; ``union``: for those that call by paths of their own;
    ``inbox``: where its messages wait for us; ``inlined``: puts files into messages for who cannot fetch them; ``reach``: looks
    whether the platform can be worked with, for those that are no HTTP service: None, or what is wrong (Chinese, English);
    ``app_of``: reads the app id from headers; ``silent``: types of messages that it does without; ``collecting``: of a
    collector of case data; ``mapping``: which version of its profile it works by, ``files`` what that is made of."""

    id: str
    family: str
    profile: str
    translator: Translator
    channel: Channel
    authenticate: Callable[[Presented, int], Signed | Denied]
    app_of: Callable[[Iterable[tuple[str, str]]], str] | None = None
    app_id: str = ""
    service: Service | PackageService | None = None
    union: UnionService | None = None
    inbox: Inbox | None = None
    inlined: Inlined | None = None
    reach: Callable[[], Awaitable[tuple[str, str] | None]] | None = None
    silent: frozenset[str] = frozenset()
    collecting: Collecting | None = None
    mapping: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict)


def read_profile(data: bytes, resources: Mapping[str, bytes] = MappingProxyType({})) -> dict[str, Any]:
    """The TOML of a profile, with that of ``resources`` which it leans on; raises Untranslatable when it is not TOML or names
    no known family."""
    try:
        profile = tomllib.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        where = f"{error}"
        raise Untranslatable("profile-unreadable", f"方案文件不是合法的 TOML：{where}", f"not TOML: {where}") from None
    profile = whole(profile, resources)
    if profile.get("family") not in FAMILIES:
        known = "、".join(FAMILIES)
        raise Untranslatable(
            "family-unknown", f"方案的 family 须为：{known}", f"family must be one of {known}", "family"
        )
    return profile


def family_of(name: str) -> Any:
    """The module of a family: it exports ``open_family`` and ``open_translator``."""
    return import_module(FAMILIES[name])


def open_platform(
    settings: PlatformSettings,
    profile: bytes,
    resources: Mapping[str, bytes],
    signer: Callable[[], Signer],
    provider: Provider,
    new_nonce: Callable[[], str],
    now_ms: Callable[[], int],
    secrets: Mapping[str, bytes] | None = None,
    lab: bool = False,
) -> Platform:
    """Compile the profile and open its family's channel. Raises Untranslatable for a profile that cannot work."""
    read = read_profile(profile, resources)
    opening = Opening(settings, read, resources, signer, provider, new_nonce, now_ms, installed(), secrets or {}, lab)
    platform: Platform = family_of(read["family"]).open_family(opening)
    files = files_of(profile, read, resources)
    silent = frozenset(read.get("send", {}).get("silent", ()))
    return replace(platform, silent=silent, mapping=version_of(read, files), files=files)


def open_translator(profile: bytes, resources: Mapping[str, bytes], max_bytes: int = 64 << 20) -> Mapped:
    """The translator of a profile alone, for stored bytes and samples. Raises Untranslatable or Faulty."""
    read = read_profile(profile, resources)
    family = family_of(read["family"])
    translator: Mapped = family.open_translator(compile_profile(read, installed()), resources, max_bytes)
    return translator


def needs_tls(profile: Mapping[str, Any]) -> bool:
    """Whether a platform of this profile is safe by TLS alone: what it proves by itself leaves the body uncovered."""
    asked: Callable[[Mapping[str, Any]], bool] | None = getattr(family_of(profile["family"]), "needs_tls", None)
    return asked is not None and asked(profile)


def find_caller(platforms: Iterable[Platform], headers: Iterable[tuple[str, str]]) -> Platform | None:
    """Which REST platform's app id these headers carry; None when none or an unknown one (then deny)."""
    pairs = tuple(headers)
    for platform in platforms:
        if platform.app_of is not None and platform.app_id and platform.app_of(pairs) == platform.app_id:
            return platform
    return None
