"""A laboratory node: its own CA, keys, seal, card and configuration, all marked 样章·测试无效 (test only, void).

What a real place gets from its CA, its seal maker and its key custodians is made here in one go for demos and tests.
``doctor`` fails where such a CA is trusted outside a lab node.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agreements.samples import lab_party
from gateway import files
from gateway.exchange import card as cards
from gateway.exchange import tls
from gateway.keys import keyring, tlskey
from gateway.store import schema
from signing import certs, issue
from signing.providers import Provider
from signing.seal_build import build_seal
from signing.seal_picture import round_seal
from signing.sm2 import Signer

MARK = "样章·测试无效"
PASSPHRASE = "passphrase"  # noqa: S105 - a file name
YEARS = timedelta(days=3650)
ROUNDS = 1000  # the lab passphrase has 192 random bits: stretching it would only slow the start


@dataclass(frozen=True)
class Place:
    """Who the node is: division code and name, where its listeners stand (host:port; ``public`` "" for none), and whether
    partners come by TLS."""

    division: str
    name: str
    exchange: str
    platform: str
    admin: str
    tls: bool = True
    public: str = ""

    @property
    def party(self) -> str:
        """The lab party id of the division."""
        return lab_party(self.division)


def build(folder: Path, place: Place, provider: Provider, now: datetime) -> cards.Card:
    """Make the node's directory: keys, certificates, seal, card, empty store. The configuration is written apart."""
    folder.mkdir(parents=True, exist_ok=True)
    passphrase = provider.random(24).hex().encode()
    files.write_private(folder / "keys" / PASSPHRASE, passphrase + b"\n")
    root = Signer(provider, provider.generate())
    begin = now.replace(microsecond=0) - timedelta(days=1)
    root_der = issue.build_root(
        root, subject=_subject(place, "试验根证书"), serial=_serial(provider), not_before=begin, not_after=begin + YEARS
    )
    authority = issue.Authority(root, certs.parse(root_der))
    keyring.write_key(folder / "lab", "ca", root, passphrase, provider.random, ROUNDS)
    _write(folder / "certs" / "ca.der", root_der)
    _write(folder / "certs" / "ca.pem", certs.to_pem(root_der))
    signers = {}
    for use, profile, title in (
        ("identity", "identity", "身份密钥"),
        ("checkpoint", "checkpoint", "检查点密钥"),
        ("direct", "direct", "直签密钥"),
        ("encryption", "encryption", "加密密钥"),
        ("platform", "direct", "平台接口密钥"),
        ("seal-maker", "seal-maker", "制章"),
        ("seal", "seal-signer", "政务服务专用章"),
    ):
        signers[use] = _issue(folder, authority, place, use, profile, title, begin, provider, passphrase)
    _make_seal(folder, place, signers, begin, provider)
    _make_tls(folder, place, begin, passphrase)
    keyring.write_vault(folder / "keys", passphrase, provider.random, ROUNDS)
    card = _card(folder, place, signers, now)
    schema.upgrade(folder / "data" / "gateway.db")
    return card


def revoke(folder: Path, provider: Provider, use: str, at: datetime, now: datetime) -> Path:
    """A revocation list of the lab CA that lists the certificate of one use, revoked at ``at``."""
    ring = keyring.Keyring(folder / "lab", (folder / "keys" / PASSPHRASE).read_bytes().strip(), provider)
    authority = issue.Authority(ring.signer("ca"), certs.parse((folder / "certs" / "ca.der").read_bytes()))
    certificate = certs.parse((folder / "certs" / f"{use}.der").read_bytes())
    crl = issue.build_crl(
        authority, number=1, this_update=now, next_update=now + timedelta(days=30),
        revoked=[issue.Revoked(certificate.serial, at)],
    )  # fmt: skip
    path = folder / "certs" / "ca.crl"
    path.write_bytes(crl)
    return path


def _issue(
    folder: Path,
    authority: issue.Authority,
    place: Place,
    use: str,
    profile: str,
    title: str,
    begin: datetime,
    provider: Provider,
    passphrase: bytes,
) -> Signer:
    signer = Signer(provider, provider.generate())
    certificate = issue.build_certificate(
        authority, subject=_subject(place, title), public_key=signer.public, serial=_serial(provider),
        not_before=begin, not_after=begin + YEARS, profile=profile,
    )  # fmt: skip
    keyring.write_key(folder / "keys", use, signer, passphrase, provider.random, ROUNDS)
    _write(folder / "certs" / f"{use}.der", certificate)
    return signer


def _make_tls(folder: Path, place: Place, begin: datetime, passphrase: bytes) -> None:
    key, pem = tlskey.make(passphrase)
    files.write_private(folder / "keys" / "tls.pem", pem)
    _write(folder / "certs" / "tls.pem", tlskey.certificate(key, place.party, begin, begin + YEARS, MARK))


def _make_seal(folder: Path, place: Place, signers: dict[str, Signer], begin: datetime, provider: Provider) -> None:
    name = f"{place.name}政务服务专用章"
    seal = build_seal(
        signers["seal-maker"], (folder / "certs" / "seal-maker.der").read_bytes(),
        es_id=f"{place.division}{int.from_bytes(provider.random(4), 'big') % 10**8:08d}", name=f"{name}（{MARK}）",
        certificates=[(folder / "certs" / "seal.der").read_bytes()], created=begin, valid_from=begin,
        valid_until=begin + YEARS, picture=round_seal(name),
    )  # fmt: skip
    _write(folder / "seals" / "seal.esl", seal)


def _card(folder: Path, place: Place, signers: dict[str, Signer], now: datetime) -> cards.Card:
    since = int(now.timestamp() * 1000)
    keys = [
        cards.CardKey(use, signers[use].key_id, (folder / "certs" / f"{use}.der").read_bytes(), since)
        for use in ("checkpoint", "direct", "encryption")
    ]
    root = (folder / "certs" / "ca.der").read_bytes()
    public = certs.parse(root).public_key
    assert public is not None  # noqa: S101 - we made it
    keys.append(cards.CardKey("seal-anchor", public.thumbprint, root, since))
    if place.tls:
        keys.append(tls.pin((folder / "certs" / "tls.pem").read_text(), since))
    scheme = "https" if place.tls else "http"
    card = cards.Card(
        party=place.party, name=place.name, division=place.division, version=1, issued_ms=since,
        endpoint=f"{scheme}://{place.exchange}", body_limit=1 << 20, part_limit=1 << 30, origin=f"{place.party}/1",
        keys=tuple(keys),
    )  # fmt: skip
    identity = (folder / "certs" / "identity.der").read_bytes()
    _write(folder / "card.json", cards.sign(card, signers["identity"], identity))
    _write(folder / "fingerprint", signers["identity"].key_id.encode())
    return card


def _subject(place: Place, title: str) -> tuple[tuple[str, str], ...]:
    return (("C", "CN"), ("O", place.name), ("OU", place.party), ("OU", MARK), ("CN", f"{title} {MARK}"))


def _serial(provider: Provider) -> int:
    return int.from_bytes(provider.random(15), "big") | 1


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


TLS = """[tls]
certificate = "certs/tls.pem"
key = "keys/tls.pem"

"""


def config_text(place: Place, peers: str = "", platforms: str = "", agreements: str = "", delivery: str = "") -> str:
    """The configuration of a lab node; the arguments are ready TOML blocks."""
    return f"""# {place.name}（试验节点，{MARK}）
[node]
party = "{place.party}"
name = "{place.name}"
data = "data"
lab = true

[listen]
exchange = "{place.exchange}"
platform = "{place.platform}"
admin = "{place.admin}"
public = "{place.public}"

{TLS if place.tls else ""}[keys]
dir = "keys"
provider = "auto"
two_persons = false
passphrase = {{ file = "keys/{PASSPHRASE}" }}

[stamp]
uri = "local:"
seal = "seals/seal.esl"
certificate = "certs/seal.der"
key = "seal"
{delivery}{peers}{platforms}{agreements}"""


def now_utc() -> datetime:
    """The clock, for callers that are not pure."""
    return datetime.now(UTC)
