"""Where a callback may go (回调地址): the registered endpoint and nowhere else (attack row A17). Pure.

The address is read by one strict form: what other readers would understand otherwise (userinfo, backslashes, numbers that some
take for an IP address, fragments) is refused, not repaired. What its name leads to is judged address by address.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from adapters.base import Untranslatable

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
PORTS: Final = {"https": 443, "http": 80}

_FORM: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]{2,45}\]|[a-z0-9.-]{1,253})(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<target>/[A-Za-z0-9/._~%!$&'()*+,;=:@-]*(?:\?[A-Za-z0-9/._~%!$&'()*+,;=:@?-]*)?)?",
    re.ASCII,
)
_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_PUBLIC_6: Final = ip_network("2000::/3")
_NOT_PUBLIC: Final = """
0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24
192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/3 168.63.129.16/32
2001::/23 2001:db8::/32 2002::/16 3fff::/20
"""
_INSIDE: Final = tuple(map(ip_network, _NOT_PUBLIC.split()))
"""What is not the public net: the special-purpose registries of IANA (RFC 6890), and one cloud's service behind a public
address. Written out here, because what libraries call global changes with their versions. Of IPv6 nothing outside 2000::/3."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A registered endpoint. ``host`` is a name, or an address without brackets; ``target`` is path and query as written."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def named(self) -> str:
        """The value of Host: the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    def at(self, address: Address) -> str:
        """The URL by a checked address instead of the name."""
        host = f"[{address}]" if address.version == 6 else str(address)
        return f"{self.scheme}://{host}:{self.port}{self.target}"


def read_endpoint(url: str, *, lab: bool) -> Endpoint:
    """The endpoint of a registered address. Raises Untranslatable for one that is not plainly one, for HTTP without TLS except
    on a demonstration node, and for ports of other services (below 1024 but for 80 and 443)."""
    found = _FORM.fullmatch(url)
    host = found["host"].strip("[]") if found else ""
    if found is None or not (_is_name(host) or _literal(found["host"])):
        zh, en = (
            "回调地址须为 https://主机[:端口]/路径，主机为域名或标准写法的 IP",
            "the endpoint is https://host[:port]/path, its host a name or a plain IP",
        )
        raise Untranslatable("endpoint-form", zh, en, "base_url")
    if found["scheme"] != "https" and not lab:
        raise Untranslatable("endpoint-not-tls", "回调地址须为 https", "the endpoint must be https", "base_url")
    port = int(found["port"] or PORTS[found["scheme"]])
    if not (port in PORTS.values() or 1024 <= port < 65536):
        raise Untranslatable(
            "endpoint-port", f"端口 {port} 不是网站服务的端口", f"port {port} is not a web service's", "base_url"
        )
    return Endpoint(found["scheme"], host, port, found["target"] or "/")


def read_registered(texts: Sequence[str]) -> tuple[Network, ...]:
    """Addresses or networks (CIDR) that the endpoint may have. Raises Untranslatable."""
    try:
        return tuple(ip_network(text) for text in texts)
    except ValueError:
        zh, en = (
            "addresses 应为 IP 地址或网段，如 10.1.2.3 或 10.1.2.0/24",
            "addresses are IP addresses or networks, 10.1.2.0/24",
        )
        raise Untranslatable("addresses-unreadable", zh, en, "addresses") from None


def permitted(address: Address, registered: Sequence[Network]) -> bool:
    """Whether a callback may go there: to the registered addresses alone where there are any, else to public ones."""
    real = address.ipv4_mapped if isinstance(address, IPv6Address) and address.ipv4_mapped else address
    if registered:
        return any(real in network for network in registered)
    return (real.version == 4 or real in _PUBLIC_6) and not any(real in network for network in _INSIDE)


def address_of(host: str) -> Address | None:
    """The address that a host is, None for a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def _is_name(host: str) -> bool:
    labels = host.split(".")
    return all(map(_LABEL.fullmatch, labels)) and labels[-1][0].isalpha()


def _literal(host: str) -> bool:
    found = address_of(host.strip("[]"))
    return found is not None and (found.version == 6) == host.startswith("[")
