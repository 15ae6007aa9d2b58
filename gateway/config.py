"""A node's configuration: TOML to frozen settings, strict, with a suggestion for a misspelt key.

Paths are relative to the configuration file. Codes are strings (TOML refuses ``011000`` without quotes). Secrets
never stand in the file: ``{file = …}``, ``{env = …}`` or ``{credential = …}`` (systemd) names where they are.
"""

from __future__ import annotations

import os
import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from adapters.registry import PlatformSettings
from adapters.sharing.registry import SharingSettings
from gateway.core import content
from gateway.stamping.family import AnswerWords, External, OrderWords
from signing.ecert_verify import Weight
from signing.ocsp import Digest
from signing.policy import Nonce, Partitions

ADDRESS = r"^(\[[0-9a-fA-F:]+\]|[0-9A-Za-z.-]+):\d{1,5}$"
Address = Annotated[str, Meta(pattern=ADDRESS)]
PageAddress = Annotated[str, Meta(pattern=r"^$|^https?://[^/\s?#]+(/[^\s?#]*)?[^/\s?#]$")]
OnlineUse = Annotated[str, Meta(pattern=r"^(checkpoint|direct|platform)$")]
PartyId = Annotated[str, Meta(pattern=r"^\d{6}\.[0-9A-Z]{18}$")]


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base: unknown keys are errors."""


class Secret(_Strict, frozen=True, kw_only=True):
    """Where a secret is: exactly one of the three."""

    file: str = ""
    env: str = ""
    credential: str = ""

    def __post_init__(self) -> None:
        if sum(map(bool, (self.file, self.env, self.credential))) != 1:
            raise ValueError("须且只须给出 file、env、credential 之一 (exactly one of file, env, credential)")


class Node(_Strict, frozen=True, kw_only=True):
    """``lab`` marks a demonstration node: lab CAs and software keys are trusted only there, and only there may the clock be
    set off by ``clock_skew_ms`` (drills)."""

    party: PartyId
    name: Annotated[str, Meta(min_length=1, max_length=64)]
    data: str = "data"
    lab: bool = False
    clock_skew_ms: Annotated[int, Meta(ge=-3_600_000, le=3_600_000)] = 0

    def __post_init__(self) -> None:
        if self.clock_skew_ms and not self.lab:
            raise ValueError("clock_skew_ms 只用于试验节点 (clock_skew_ms is for laboratory nodes)")


class Listen(_Strict, frozen=True, kw_only=True):
    """Where the listeners stand; port 0 takes any free one. ``public``: the pages behind certificates' QR codes, for anybody;
    empty: this node shows none."""

    exchange: Address = "127.0.0.1:8443"
    platform: Address = "127.0.0.1:8080"
    admin: Address = "127.0.0.1:9443"
    public: Annotated[str, Meta(pattern=rf"^$|{ADDRESS}")] = ""


class Public(_Strict, frozen=True, kw_only=True):
    """The public pages. ``url``: the address that QR codes lead to (``https://…``), before ``/v/``. ``per_minute``: how many
    pages one address gets. ``proxies``: addresses of reverse proxies, which name the caller's in ``address_header``."""

    url: PageAddress = ""
    per_minute: Annotated[int, Meta(ge=1, le=10**9)] = 120
    proxies: tuple[str, ...] = ()
    address_header: Annotated[str, Meta(pattern=r"^[A-Za-z][0-9A-Za-z-]{1,63}$")] = "X-Real-IP"


class Tls(_Strict, frozen=True, kw_only=True):
    """TLS of the exchange listener, mutual: PEM files, the key under the keyring's passphrase. Empty: no TLS here.

    ``socket``: a Unix socket for a reverse proxy on this machine that ends SM TLS; ``client_header``: where it puts the
    client's certificate (PEM, percent-encoded; nginx: ``$ssl_client_escaped_cert``). Believed on that socket only.
    """

    certificate: str = ""
    key: str = ""
    socket: str = ""
    client_header: Annotated[str, Meta(pattern=r"^[A-Za-z][0-9A-Za-z-]{1,63}$")] = "X-Client-Certificate"

    def __post_init__(self) -> None:
        if bool(self.certificate) != bool(self.key):
            raise ValueError("certificate 与 key 须同时给出 (certificate and key go together)")


class MachineSettings(_Strict, frozen=True, kw_only=True):
    """``[keys.machine]``: the PIN of the cryptographic machine, and the index of each use's key in it."""

    pin: Secret
    index: dict[OnlineUse, Annotated[int, Meta(ge=1)]]


class Keys(_Strict, frozen=True, kw_only=True):
    """The keyring: encrypted PKCS#8 files in ``dir``, opened with one passphrase. ``second_opinion``: a provider that is
    asked too about seals (``gmssl:``); it never decides, a difference raises an alarm. Empty: nobody. ``two_persons``: a
    laboratory may let one person activate and revoke keys; elsewhere it always takes two. ``kdf``: the PRF under which new
    keys are encrypted: ``sha256``, which OpenSSL 3.0 reads, or ``sm3``, all national algorithms (ADR 0012). ``machine`` with
    ``provider = "sdf:/library"``: keys that are used in a machine."""

    dir: str = "keys"
    provider: str = "auto"
    second_opinion: str = ""
    two_persons: bool = True
    kdf: Literal["sha256", "sm3"] = "sha256"
    passphrase: Secret
    machine: MachineSettings | None = None


class Delivery(_Strict, frozen=True, kw_only=True):
    """Outbox: back-off in ms, how often before a message is parked, how many travel in one batch."""

    base_ms: Annotated[int, Meta(ge=10)] = 500
    cap_ms: Annotated[int, Meta(ge=100)] = 900_000
    attempts: Annotated[int, Meta(ge=1)] = 200
    batch: Annotated[int, Meta(ge=1, le=256)] = 64
    parallel: Annotated[int, Meta(ge=1, le=64)] = 8
    timeout_ms: Annotated[int, Meta(ge=100)] = 30_000
    expires_ms: Annotated[int, Meta(ge=1000)] = 30 * 24 * 3_600_000


class Limits(_Strict, frozen=True, kw_only=True):
    """Sizes in bytes, times in ms. ``window_ms``: how far a signed time may be from ours (protocol: ± 5 min); ``use_code_ms``:
    how long a use code (用证码) lives; ``sharing_per_hour``: how often one platform may ask about holders' certificates."""

    body: int = 1 << 20
    range: int = 1 << 20
    part: int = 1 << 30
    batch: int = 32 << 20
    window_ms: int = 300_000
    upload_idle_ms: int = 24 * 3_600_000
    use_code_ms: Annotated[int, Meta(ge=1000, le=7 * 24 * 3_600_000)] = 2 * 3_600_000
    sharing_per_hour: Annotated[int, Meta(ge=1, le=10**9)] = 1000


class Peer(_Strict, frozen=True, kw_only=True):
    """A partner: its id, where its gateway answers, its card as exchanged out of band, its revocation list (file).

    ``ocsp``: where its authority's responder answers about the certificates of its seals; empty: nobody is asked.
    ``public``: the address that its certificates' QR codes lead to, before ``/v/``. ``seals_withdrawn``: its signed list of
    withdrawn seals (file). ``registry``: believed only while the registry of cards lists it with this fingerprint and is in
    force.
    """

    id: PartyId
    url: str
    card: str
    fingerprint: str
    crl: str = ""
    ocsp: Annotated[str, Meta(pattern=r"^(https?://[^/\s]+.*)?$")] = ""
    registry: bool = False
    seals_withdrawn: str = ""
    public: PageAddress = ""


class Revocation(_Strict, frozen=True, kw_only=True):
    """``[revocation]``: which news counts when it is asked whether the certificates behind a stamp have been revoked.

    ``required``: without fresh news of each of them nothing can be told; otherwise news counts where it is there.
    ``crl_grace_s``: seconds after its nextUpdate for which a list still counts as fresh. ``crl_partitions``: a list for a part
    of an authority's certificates speaks of those ``by-point`` (whose own distribution point it names), of none
    (``refuse``), or of all (``as-complete``: the authority writes its point into its complete list). ``ocsp_nonce``:
    an online answer must repeat our nonce (``require``), or may lack it (``optional``, for responders with prepared answers).
    ``ocsp_max_age_s``: for how many seconds an online answer is kept, and may be old if it does not say itself until when
    it counts. ``ocsp_digest``: by which digests we name a certificate to a responder. ``ocsp_timeout_ms``: how long one
    result waits for all answers about its stamps.
    """

    required: bool = False
    crl_grace_s: Annotated[int, Meta(ge=0, le=30 * 86_400)] = 0
    crl_partitions: Partitions = "by-point"
    ocsp_nonce: Nonce = "require"
    ocsp_max_age_s: Annotated[int, Meta(ge=60, le=30 * 86_400)] = 86_400
    ocsp_digest: Digest = "sm3"
    ocsp_timeout_ms: Annotated[int, Meta(ge=100, le=10_000)] = 3000


class RegistryFile(_Strict, frozen=True, kw_only=True):
    """Where the node keeps the registry of cards it imported (``tongban registry import``)."""

    file: str = "registry.json"


class OneFormFile(_Strict, frozen=True, kw_only=True):
    """One form for several items (一张表单), handed in as one."""

    file: str


class AgreementFile(_Strict, frozen=True, kw_only=True):
    """A signed agreement in force on this node."""

    file: str


class Stamp(_Strict, frozen=True, kw_only=True):
    """Who stamps results that arrive unstamped from the local platform.

    ``local:`` (lab and demo) with seal, certificate and key; ``external:http://…``, the city's certified system, with its
    table, a ``key`` (SM2) or ``secret`` (HMAC-SM3) that signs our calls, ``anchors`` (files) where the seal's root is not
    in our card, and ``crl`` (file); or nobody.
    """

    uri: str = ""
    seal: str = ""
    certificate: str = ""
    key: str = ""
    secret: Secret | None = None
    anchors: tuple[str, ...] = ()
    crl: str = ""
    external: External | None = None

    @property
    def url(self) -> str:
        """Where the external system answers; "" when there is none."""
        scheme, _, rest = self.uri.partition(":")
        return rest if scheme == "external" else ""


class CertificateSettings(_Strict, frozen=True, kw_only=True):
    """``[certificates]``: this node issues certificates (电子证照), sealed as ``[stamp]`` says. ``issuer_code``: the issuing body's
    USCC; ``templates``: a folder of them, the samples if empty."""

    issuer_name: Annotated[str, Meta(min_length=1, max_length=200)]
    issuer_code: Annotated[str, Meta(pattern=r"^[0-9A-Z]{18}$")]
    templates: str = ""


class Tsa(_Strict, frozen=True, kw_only=True):
    """The time-stamp authority that is asked for trusted time, none without ``url``. ``anchor``: its root certificate (file);
    ``policy``: the one to ask for (dotted), its own choice if empty; ``every_s``: how often our checkpoints are stamped."""

    url: str = ""
    anchor: str = ""
    policy: str = ""
    every_s: Annotated[int, Meta(ge=10)] = 600
    timeout_ms: Annotated[int, Meta(ge=100, le=60_000)] = 5000


class ApplicantSignatures(_Strict, frozen=True, kw_only=True):
    """Whose certificates vouch for applicants' signatures (event certificates, pads, apps): roots and a list, files."""

    anchors: tuple[str, ...] = ()
    crl: str = ""


class LocalPlatform(PlatformSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A regional platform (地方平台). ``secrets``: by the name its family knows (``password``, ``key``), where each is."""

    secrets: dict[Annotated[str, Meta(pattern=r"^[a-z0-9_]{1,32}$")], Secret] = msgspec.field(default_factory=dict)


class SharingPlatform(SharingSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A platform that certificates are taken from (证照共享平台, 免证办). ``types``: the certificate types it is asked for, all if
    empty. ``secret``: its password or token. ``key``: SM2 key (PEM, under the keyring's passphrase) that it encrypts data to.
    ``anchors``, ``crl``: by which the seals on its certificates are judged, files. ``identifier``: whether a certificate whose
    identifier is not after GB/T 36904 (its check character above all) is refused, or taken and the finding kept and told."""

    id: Annotated[str, Meta(pattern=r"^(?!own$)[0-9a-z-]{1,32}$")]
    types: tuple[str, ...] = ()
    secret: Secret
    key: str = ""
    anchors: Annotated[tuple[str, ...], Meta(min_length=1)]
    crl: str = ""
    identifier: Weight = "note"


Finding = Annotated[str, Meta(pattern=f"^({'|'.join(content.FINDINGS)})$")]


class Content(_Strict, frozen=True, kw_only=True):
    """``[content]``: files that are taken in are looked at. ``refuse``: which findings are refused, the others are noted;
    ``search_bytes``: how much of a file from its start is searched for what acts when opened. ``scanner``: a clamd outside
    (``unix:/run/clamav/clamd.ctl``, ``tcp:127.0.0.1:3310``), nobody if empty; while it cannot be asked, files ``wait`` (the
    sender tries again) or are taken with a note (``take``)."""

    refuse: tuple[Finding, ...] = content.REFUSED
    search_bytes: Annotated[int, Meta(ge=4096, le=1 << 30)] = 16 << 20
    scanner: Annotated[str, Meta(pattern=r"^$|^unix:/.+$|^tcp:[^\s/]+:\d{1,5}$")] = ""
    scanner_down: Literal["wait", "take"] = "wait"
    scanner_timeout_ms: Annotated[int, Meta(ge=100, le=600_000)] = 60_000


class Clocks(_Strict, frozen=True, kw_only=True):
    """``deem_accepted``: no notice within the agreement's notify term means accepted (视为受理, 行政许可法 32)."""

    deem_accepted: bool = True


class Config(_Strict, frozen=True, kw_only=True):
    """The whole file. ``national``: collectors of case data (办件归集), told of the cases that are handled here."""

    node: Node
    keys: Keys
    listen: Listen = Listen()
    public: Public = Public()
    tls: Tls = Tls()
    delivery: Delivery = Delivery()
    limits: Limits = Limits()
    stamp: Stamp = Stamp()
    tsa: Tsa = Tsa()
    clocks: Clocks = Clocks()
    content: Content = Content()
    applicant_signature: ApplicantSignatures = ApplicantSignatures()
    registry: RegistryFile = RegistryFile()
    revocation: Revocation = Revocation()
    certificates: CertificateSettings | None = None
    peer: tuple[Peer, ...] = ()
    platform: tuple[LocalPlatform, ...] = ()
    national: tuple[LocalPlatform, ...] = ()
    sharing: tuple[SharingPlatform, ...] = ()
    agreement: tuple[AgreementFile, ...] = ()
    one_form: tuple[OneFormFile, ...] = ()

    def __post_init__(self) -> None:
        if self.certificates is not None and not (self.stamp.uri and self.public.url):
            raise ValueError("签发证照须有 stamp.uri 与 public.url (certificates need stamp.uri and public.url)")
        listed = [code for one in self.platform for code in one.items]
        if len(set(listed)) < len(listed):
            raise ValueError("一个事项只归一个平台办理 (an item is handled by one platform)")
        ids = [one.id for one in (*self.platform, *self.national)]
        if len(set(ids)) < len(ids):
            raise ValueError("platform 与 national 的 id 不能重复 (platforms and collectors need ids of their own)")
        pages = [address for address in (self.public.url, *(one.public for one in self.peer)) if address]
        if len(set(pages)) < len(pages):
            raise ValueError("两方的二维码不能是同一网址 (two parties' QR codes cannot lead to one address)")


class ConfigError(Exception):
    """The file cannot be used: where, and a sentence in both languages."""

    def __init__(self, where: str, zh: str, en: str) -> None:
        super().__init__(f"{where}: {en}")
        self.where, self.zh, self.en = where, zh, en


def parse(data: bytes, where: str = "tongban.toml") -> Config:
    """Settings of the file's bytes. Raises ``ConfigError`` with the key's path and, for a typing slip, a suggestion."""
    try:
        document = tomllib.loads(data.decode())
    except UnicodeDecodeError:
        raise ConfigError(where, "文件不是 UTF-8 编码", "the file is not UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(where, f"TOML 语法错误：{error}", f"TOML syntax: {error}") from None
    try:
        return msgspec.convert(document, Config, strict=True)
    except msgspec.ValidationError as error:
        hint = _suggest(str(error))
        raise ConfigError(where, f"配置项有误：{error}{hint}", f"wrong setting: {error}{hint}") from None


def load(path: Path) -> Config:
    """Read and parse a configuration file."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            str(path), f"读不到配置文件（{error.strerror}）", f"cannot be read ({error.strerror})"
        ) from None
    return parse(data, str(path))


def secret(source: Secret, base: Path) -> bytes:
    """The secret's bytes, without a trailing line end. Raises ``ConfigError`` when it is not there."""
    if source.env:
        value = os.environ.get(source.env)
        if value is None:
            raise ConfigError(source.env, "环境变量未设置", "the environment variable is not set")
        return value.encode()
    path = base / source.file if source.file else Path(os.environ.get("CREDENTIALS_DIRECTORY", "/")) / source.credential
    try:
        return path.read_bytes().rstrip(b"\r\n")
    except OSError as error:
        raise ConfigError(
            str(path), f"读不到口令（{error.strerror}）", f"the secret cannot be read ({error.strerror})"
        ) from None


def _suggest(error: str) -> str:
    if "unknown field" not in error:
        return ""
    wrong = error.split("`")[1]
    known: list[str] = []
    for kind in (
        Config,
        Node,
        Listen,
        Public,
        Tls,
        MachineSettings,
        Keys,
        Delivery,
        Limits,
        Peer,
        AgreementFile,
        CertificateSettings,
        RegistryFile,
        Revocation,
        Stamp,
        Tsa,
        Clocks,
        Content,
        Secret,
        LocalPlatform,
        SharingPlatform,
        ApplicantSignatures,
        External,
        OrderWords,
        AnswerWords,
    ):
        known.extend(_fields(kind))
    near = get_close_matches(wrong, known, n=1)
    return f"（是否想写 {near[0]}？ did you mean {near[0]}?）" if near else ""


def _fields(kind: Any) -> list[str]:
    return [field.encode_name for field in msgspec.structs.fields(kind)]
