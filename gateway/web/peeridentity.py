"""Who is at the other end of a connection of the exchange listener, by TLS or by the word of the proxy on our socket."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable

from aiohttp import web

from gateway.exchange import tls
from gateway.exchange.card import Card


def connected(request: web.Request, cards: Iterable[Card], client_header: str) -> str | None:
    """The party id, "" for one that no card names, None on a plain connection, where TLS says nothing."""
    secured = request.get_extra_info("ssl_object")
    if isinstance(secured, ssl.SSLObject):
        return tls.party_of(secured.getpeercert(binary_form=True) or b"", cards)
    if getattr(request.get_extra_info("socket"), "family", None) == socket.AF_UNIX:
        return tls.party_of(tls.from_proxy(request.headers.get(client_header, "")), cards)
    return None
