"""Mutual TLS between gateways: whom a connection comes from, by the certificates that the parties' cards name.

No outside authority decides here. A partner's TLS certificate is the one its card pins under use ``tls``; the identity key
signed the card. So a certificate that is issued anew needs a new card and nothing else. SM TLS (TLCP, RFC 8998) ends in a
reverse proxy on this machine, which hands the client's certificate on over a Unix socket; from nowhere else is it believed.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote

from gateway.config import ConfigError
from gateway.exchange.card import Card, CardKey
from signing.sm3 import sm3

USE = "tls"
MAX_HEADER = 16_384


def certificate_id(der: bytes) -> str:
    """The id of a TLS certificate on a card: SM3 of its DER, the first 16 bytes, hex. Its key need not be SM2."""
    return sm3(der)[:16].hex()


def pinned(card: Card) -> tuple[bytes, ...]:
    """The TLS certificates (DER) that a card names."""
    return tuple(key.certificate for key in card.keys if key.use == USE and certificate_id(key.certificate) == key.id)


def pin(pem: str, since_ms: int) -> CardKey:
    """The card's line for the first certificate of a PEM text. ValueError if there is none."""
    der = ssl.PEM_cert_to_DER_cert(pem)
    return CardKey(USE, certificate_id(der), der, since_ms)


def party_of(der: bytes, cards: Iterable[Card]) -> str:
    """The party whose card pins this certificate, "" if none does."""
    return next((card.party for card in cards if der in pinned(card)), "")


class Tls:
    """Contexts for both directions, of our own certificate and key (PEM files); ``ConfigError`` when these do not fit.

    ``own`` None: a gateway without a TLS listener, which can still call others. ``proxy``: the Unix socket of a proxy that
    ends SM TLS.
    """

    def __init__(self, own: tuple[Path, Path] | None, passphrase: bytes, proxy: Path | None = None) -> None:
        self._own, self._passphrase, self.proxy = own, passphrase, proxy
        self.server = self._context(ssl.PROTOCOL_TLS_SERVER) if own else None
        if self.server is not None:
            self.server.verify_mode = ssl.CERT_OPTIONAL  # anybody may fetch the card; all other calls want a name
        self._client_for = lru_cache(maxsize=1024)(self._client)

    def trust(self, card: Card) -> None:
        """Let the holder of this card connect from now on. What a card no longer pins is refused by ``party_of``."""
        if self.server is not None:
            for der in pinned(card):
                _add(self.server, der)

    def client(self, card: Card) -> ssl.SSLContext:
        """For calls to the card's party: its pinned certificates; without any, the system's roots and the host name."""
        return self._client_for(pinned(card))

    def reload(self) -> None:
        """Take our files anew, for connections from now on: the key was replaced. ``ConfigError``, and nothing changes, while
        certificate and key do not fit (one of the two files is there already, the other not yet)."""
        self._context(ssl.PROTOCOL_TLS_CLIENT)
        if self.server is not None:
            self._load(self.server)
        self._client_for.cache_clear()

    def stamp(self) -> tuple[int, ...]:
        """Changes when one of our files does."""
        return tuple(path.stat().st_mtime_ns for path in self._own or () if path.exists())

    def _client(self, theirs: tuple[bytes, ...]) -> ssl.SSLContext:
        context = self._context(ssl.PROTOCOL_TLS_CLIENT)
        if theirs:
            context.check_hostname = False  # the certificate itself is pinned
            for der in theirs:
                _add(context, der)
        else:
            context.load_default_certs()
        return context

    def _context(self, protocol: int) -> ssl.SSLContext:
        context = ssl.SSLContext(protocol)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # a pinned certificate is an anchor by itself
        self._load(context)
        return context

    def _load(self, context: ssl.SSLContext) -> None:
        if self._own is None:
            return
        try:
            context.load_cert_chain(*self._own, self._passphrase.decode())
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__
            zh, en = f"TLS 证书或私钥不能使用（{why}）", f"TLS certificate or key cannot be used ({why})"
            raise ConfigError(str(self._own[0]), zh, en) from None


def _add(context: ssl.SSLContext, der: bytes) -> None:
    try:
        context.load_verify_locations(cadata=der)
    except ssl.SSLError:
        return  # unreadable, or there already: whoever comes with it is not believed


def from_proxy(header: str) -> bytes:
    """The client's certificate (DER) as the proxy hands it on: PEM, percent-encoded. Empty for anything else."""
    if len(header) > MAX_HEADER:
        return b""
    try:
        return ssl.PEM_cert_to_DER_cert(unquote(header, errors="strict"))
    except (ValueError, UnicodeDecodeError):
        return b""
