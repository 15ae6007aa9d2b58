"""A new node for a real place, in two steps, because certificates come from a licensed CA and not from us.

1. ``begin``: keys, one certificate request for each use, the content vault, an empty store, a configuration with comments.
2. ``finish``, when the certificates are back: each is held against its key, and the party card is signed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import msgspec

from gateway import files
from gateway.config import Config, ConfigError
from gateway.exchange import card as cards
from gateway.exchange import tls
from gateway.exchange.card import Card, CardKey
from gateway.keys import keyfacts, keyring, nextcard, tlskey
from gateway.store import schema
from gateway.store.schema import DATABASE
from signing import certs, dual, issue
from signing.certs import Certificate
from signing.errors import Malformed
from signing.keys import to_pem
from signing.providers import Provider
from signing.sm2 import Signer

PASSPHRASE = "passphrase"  # noqa: S105 - a file name
PEM_REQUEST = "CERTIFICATE REQUEST"
DAY, TLS_TERM = timedelta(days=1), timedelta(days=1095)
# use -> title in the subject
USES = {
    "identity": "身份密钥", "checkpoint": "检查点密钥", "direct": "直签密钥", "encryption": "加密密钥",
    "platform": "平台接口密钥",
}  # fmt: skip

TEMPLATE = """\
# 通办网关节点配置。路径相对于本文件。编码须写成字符串。改后运行 tongban config check。
# Configuration of a Tongban node. Paths are relative to this file. Check with: tongban config check

[node]
party = "{party}"        # 区划代码.统一社会信用代码 division code and credit code
name = {name}
data = "data"            # 数据库与材料 store and materials
lab = false              # 生产节点不信任样章证书 a production node trusts no laboratory certificate

[listen]
exchange = "{exchange}"  # 对端网关 partners
platform = "{platform}"  # 本地平台 local platforms
admin = "{admin}"        # 健康检查与指标，只对本机 health and metrics, this machine only
# public = "127.0.0.1:8090"  # 扫码核验页，给任何人看 pages behind QR codes, for anybody: docs/howto/public-page.md

# 对端之间双向 TLS；证书由名片公布，自签即可，也可换成 CA 签发的（请求在 certs/tls.csr），换后重签名片。
# 国密 TLS 在本机反向代理终结：socket = "run/exchange.sock"，并由代理在 client_header 中给出对端证书。
# Mutual TLS between partners, pinned by the cards: self-signed serves; for one of a CA send certs/tls.csr, then a new card.
# SM TLS ends in a reverse proxy on this machine: socket = "run/exchange.sock", the client's certificate in client_header.
[tls]
certificate = "certs/tls.pem"
key = "keys/tls.pem"

[keys]
dir = "keys"
provider = "auto"        # libcrypto 优先 OpenSSL first
# 身份私钥 identity.pem 只在签发名片时使用，平时请离线保存。identity.pem is needed for a new card only: keep it offline.
# 口令：file、env 或 credential（systemd LoadCredential）。生产环境建议 credential，并删去 keys/passphrase。
# The passphrase: file, env or credential. Prefer credential in production and remove keys/passphrase then.
passphrase = {{ file = "keys/passphrase" }}

# 本地平台，每个一段。A section for each local platform:
# [[platform]]
# id = "window"
# profile = "qiaokou"            # adapters/profiles
# base_url = "http://10.0.0.5:8080"
# app_id = "…"
# public_keys = ["04…"]          # 平台的 SM2 公钥 its SM2 public key

# 向国家、省归集库上报本地办理的办件，对账用 tongban recon。Cases handled here are reported to a collector of case data.
# [[national]]
# id = "nation"
# profile = "national"
# base_url = "mariadb://tongban@10.0.0.5:3306/collect"
# secrets.password = {{ file = "keys/collect.password" }}

# 签发电子证照：另须 [stamp]（印章系统）与 [public] url。Issuing e-certificates; needs [stamp] and [public] url as well.
# [certificates]
# issuer_name = "…"
# issuer_code = "…"              # 颁发机构统一社会信用代码 credit code of the issuing body
# templates = "templates"

# 对端用 tongban peer add 登记；双方签署的协议：Partners are added by `tongban peer add`; agreements signed by both:
# [[agreement]]
# file = "agreement.toml"
"""


class Listeners(msgspec.Struct, frozen=True):
    """Where the node listens, host:port."""

    exchange: str = "127.0.0.1:8443"
    platform: str = "127.0.0.1:8080"
    admin: str = "127.0.0.1:9443"


def begin(folder: Path, party: str, name: str, listeners: Listeners, provider: Provider, now: datetime) -> list[Path]:
    """Make the node's folder; the certificate requests. FileExistsError where a key is already."""
    passphrase = provider.random(24).hex().encode()
    files.write_private(folder / "keys" / PASSPHRASE, passphrase + b"\n")
    requests = []
    (folder / "certs").mkdir(exist_ok=True)
    for use, title in USES.items():
        signer = Signer(provider, provider.generate())
        keyring.write_key(folder / "keys", use, signer, passphrase, provider.random)
        subject = (("C", "CN"), ("O", name), ("OU", party), ("CN", f"{name}{title}"))
        path = folder / "certs" / f"{use}.csr"
        path.write_bytes(to_pem(PEM_REQUEST, issue.build_csr(signer, subject=subject)))
        requests.append(path)
    _make_tls(folder, party, passphrase, now)
    keyring.write_vault(folder / "keys", passphrase, provider.random)
    schema.upgrade(folder / "data" / "gateway.db")
    text = TEMPLATE.format(party=party, name=msgspec.json.encode(name).decode(), **msgspec.to_builtins(listeners))
    (folder / "tongban.toml").write_text(text, encoding="utf-8")
    return requests


def _make_tls(folder: Path, party: str, passphrase: bytes, now: datetime) -> None:
    key, pem = tlskey.make(passphrase)
    files.write_private(folder / "keys" / "tls.pem", pem)
    (folder / "certs" / "tls.pem").write_bytes(tlskey.certificate(key, party, now - DAY, now + TLS_TERM))
    (folder / "certs" / "tls.csr").write_bytes(tlskey.request(key, party))


def finish(config: Config, base: Path, endpoint: str, anchors: Sequence[bytes], now: datetime) -> tuple[Card, str]:
    """Sign the party card with the certificates that have come; the card and the identity fingerprint.

    ``anchors``: roots (DER) of the place's e-seals. A card that exists gets a successor: keys that stay keep their date, and a
    rotation that is under way stays as it is.
    """
    ring, _ = keyring.open_ring(config, base)
    if not ring.registered:
        for use in USES:
            _certificate(base / "certs", use, ring.signer(use))
    identity, now_ms = ring.signer("identity"), int(now.timestamp() * 1000)
    before = _before(base / "card.json", identity.key_id, ring.provider)
    first = before if before is not None else _unwritten(config, now_ms)
    last_good = partial(keyfacts.last_good, base / config.node.data / DATABASE)
    card = nextcard.follow(first, ring.register(), ring.certificate_of, last_good, now_ms)
    known = {key.id: key.since_ms for key in first.keys}
    keys = [key for key in card.keys if key.use in nextcard.CARDED]
    keys += [_anchor(der, known, now_ms) for der in anchors]
    if config.tls.certificate:
        keys.append(_pinned(base / config.tls.certificate, known, now_ms))
    card = msgspec.structs.replace(
        card, name=config.node.name, endpoint=endpoint, body_limit=config.limits.body, part_limit=config.limits.part,
        keys=tuple(keys),
    )  # fmt: skip
    files.write_public(base / "card.json", cards.sign(card, identity, ring.certificate("identity")))
    (base / "fingerprint").write_text(identity.key_id)
    return card, identity.key_id


def _unwritten(config: Config, now_ms: int) -> Card:
    """What the first card follows: version 0, without keys."""
    return Card(
        party=config.node.party, name=config.node.name, division=config.node.party[:6], version=0, issued_ms=now_ms,
        endpoint="", body_limit=0, part_limit=0, origin=f"{config.node.party}/1", keys=(),
    )  # fmt: skip


def _anchor(der: bytes, known: dict[str, int], since: int) -> CardKey:
    public = certs.parse(der).public_key
    if public is None:
        raise ConfigError(
            "--seal-anchor", "印章根证书不是 SM2 证书", "the root of our e-seals is not an SM2 certificate"
        )
    return CardKey("seal-anchor", public.thumbprint, der, known.get(public.thumbprint, since))


def _pinned(path: Path, known: dict[str, int], since: int) -> CardKey:
    try:
        found = tls.pin(path.read_text(), since)
    except (OSError, ValueError):
        raise ConfigError(str(path), "TLS 证书读不出", "the TLS certificate cannot be read") from None
    return msgspec.structs.replace(found, since_ms=known.get(found.id, since))


def _certificate(folder: Path, use: str, signer: Signer) -> Certificate:
    """The certificate that came back for one use, PEM or DER, kept as DER; it must be this key's."""
    for path in (folder / f"{use}.der", folder / f"{use}.pem", folder / f"{use}.crt", folder / f"{use}.cer"):
        if path.exists():
            break
    else:
        zh, en = "还没有放入 CA 签发的证书", "the CA's certificate has not been put here yet"
        raise ConfigError(str(folder / f"{use}.pem"), zh, en)
    try:
        found = certs.load(path.read_bytes())[0]
    except Malformed as error:
        raise ConfigError(str(path), error.zh, error.en) from None
    if found.public_key != signer.public:
        raise ConfigError(str(path), "证书不是这把密钥的", "the certificate is not this key's")
    if not (dual.may_encrypt if use == "encryption" else dual.may_sign)(found):
        zh, en = "证书的密钥用途与这把密钥的用途不符", "the certificate's key usage is not what this key is for"
        raise ConfigError(str(path), zh, en)
    (folder / f"{use}.der").write_bytes(found.der)
    return found


def _before(path: Path, fingerprint: str, provider: Provider) -> Card | None:
    if not path.exists():
        return None
    try:
        return cards.read(path.read_bytes(), fingerprint, provider)
    except cards.CardError as error:
        raise ConfigError(str(path), error.zh, error.en) from None
