"""How a command names a certificate: by its identifier (电子证照标识), or by an OFD file that has one."""

from __future__ import annotations

import click

from gateway.lang import say


def _named(_: click.Context, __: click.Parameter, said: str) -> str:
    """An identifier as it stands, or the one that an OFD file says it has."""
    from pathlib import Path

    from gateway.cli import ecert_files as files
    from gateway.cli.sm import Context
    from signing import ecert_data
    from signing.errors import Malformed
    from signing.ofd import custom as ofd_custom

    if not Path(said).is_file():
        return said
    context = Context(False)
    try:
        return ecert_data.read(ofd_custom.custom_data(files.certificate(context, said).package)).metadata.identifier
    except Malformed as fault:
        context.unreadable(said, fault)


IDENTIFIER = click.argument("identifier", metavar=say("标识|F.ofd", "IDENTIFIER|F.ofd"), callback=_named)


def check_char(identifier: str) -> str:
    """Whether its check character is right, as ``ecert verify`` says it."""
    from signing import ecert_id, ecert_verify
    from signing.errors import Malformed

    try:
        return ecert_verify.check_char(ecert_id.parse(identifier))
    except Malformed:
        return ecert_verify.check_char(None)
