"""A foreign SOAP client of the tests: suds, in a process of its own. Reads one JSON order, writes one JSON list."""

from __future__ import annotations

import json
import sys
from typing import Any

import suds  # type: ignore[import-not-found]
from suds.client import Client  # type: ignore[import-not-found]
from suds.sax.element import Element  # type: ignore[import-not-found]
from suds.transport.http import HttpTransport  # type: ignore[import-not-found]


def header(order: dict[str, Any]) -> list[Any]:
    """The credential as a header entry."""
    if "header" not in order:
        return []
    name, namespace = order["header"]["name"], ("h", order["header"]["namespace"])
    made = Element(name, ns=namespace)
    for key, text in order["header"]["values"].items():
        made.append(Element(key, ns=namespace).setText(text))
    return [made]


def main() -> None:
    order = json.load(sys.stdin)
    client = Client(order["wsdl"], cache=None, transport=HttpTransport(proxy={}))
    client.set_options(soapheaders=header(order))
    said: list[Any] = []
    for name, arguments in order["calls"]:
        try:
            answer = getattr(client.service, name)(**arguments)
            said.append(Client.dict(answer) if hasattr(answer, "__keylist__") else str(answer))
        except suds.WebFault as fault:
            said.append({"fault": str(fault.fault.faultstring), "code": str(fault.fault.faultcode)})
    json.dump(said, sys.stdout, default=str)


if __name__ == "__main__":
    main()
