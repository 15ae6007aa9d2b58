"""Where a front database is, as ``base_url`` says it: ``sqlite:///path`` or ``postgresql://user@host:port/database?tls=…``.

``tls``: ``on`` (checked against ``ca``, a file, or the system's authorities), or ``off``; unsaid it is on for every server but
one on this machine. ``socket``: the path of a server's Unix socket (PostgreSQL: of its folder) in place of a host.
"""

from __future__ import annotations

import ssl
from importlib.util import find_spec
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from adapters.base import Untranslatable

SERVERS = {"postgresql": "postgresql", "postgres": "postgresql", "mariadb": "mariadb", "mysql": "mariadb"}
_HERE = ("localhost", "127.0.0.1", "::1", "")
_WORDS = {"tls", "ca", "socket"}


class Address(NamedTuple):
    """``kind`` is ``sqlite`` (then ``database`` is a path), ``postgresql`` or ``mariadb``; ``port`` 0: the usual one."""

    kind: str
    database: str
    host: str = ""
    port: int = 0
    user: str = ""
    socket: str = ""
    tls: bool = False
    ca: str = ""


def read_address(url: str) -> Address:
    """Raises Untranslatable."""
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite" and rest.startswith("/"):
        return Address("sqlite", rest)
    if scheme in SERVERS:
        try:
            return _server(SERVERS[scheme], url)
        except ValueError:
            pass
    zh = "base_url 应为 sqlite:///路径，或 postgresql://、mariadb:// 加 用户@主机:端口/库"
    en = "base_url is sqlite:///path, or postgresql:// or mariadb:// and user@host:port/database"
    raise Untranslatable("front-address", zh, en, "base_url")


def _server(kind: str, url: str) -> Address:
    """Raises ValueError for what is incomplete, or has a word too many."""
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    words, host, database = dict(pairs), parts.hostname or "", unquote(parts.path[1:])
    tls, socket = words.get("tls", "off" if host in _HERE else "on"), words.get("socket", "")
    sound = (
        parts.username
        and database
        and not parts.password
        and not parts.fragment
        and bool(host) != bool(socket)
        and not (socket and tls == "on")
    )
    if not sound or len(words) < len(pairs) or not words.keys() <= _WORDS or tls not in ("on", "off"):
        raise ValueError
    return Address(
        kind, database, host, parts.port or 0, unquote(parts.username or ""), socket, tls == "on", words.get("ca", "")
    )


def tls_of(address: Address) -> ssl.SSLContext | None:
    """What a connection is secured with. Raises Untranslatable for authorities that cannot be read."""
    if not address.tls:
        return None
    try:
        context = ssl.create_default_context(cafile=address.ca or None)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise Untranslatable("front-ca", f"读不到 {address.ca}（{why}）", f"{address.ca}: {why}", "base_url") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def driver(module: str, extra: str) -> None:
    """Raises Untranslatable with how to install it, where the driver of a database is missing."""
    if find_spec(module) is None:
        how = f"pip install 'tongban[{extra}]'"
        raise Untranslatable(
            "extra-missing", f"此库需要附加组件：{how}", f"this database needs an extra: {how}", "base_url"
        )
