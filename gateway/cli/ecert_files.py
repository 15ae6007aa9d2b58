"""What the commands of ``tongban ecert`` read: templates, values, certificates. Each ends with 65 on what cannot be read."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec

from gateway.certificates import template as templates
from gateway.certificates.issue import Wanted
from gateway.certificates.library import samples
from gateway.certificates.template import Template
from gateway.cli.output import read_bytes
from gateway.cli.seal_package import read_ofd
from gateway.cli.sm import Context
from schemas.errors import Invalid
from schemas.explain import explain
from signing.errors import Malformed
from signing.ofd.container import Ofd

_VALUES_LIMIT = 1 << 20


def builtin() -> dict[str, Template]:
    """The templates that come with the program, by name."""
    return {name.removesuffix(".toml"): templates.read(data) for name, data in sorted(samples().items())}


def template(context: Context, name: str) -> Template:
    """One of ours by its name, or a file."""
    ours = builtin().get(name)
    if ours is not None:
        return ours
    try:
        return templates.read(read_bytes(name, templates.MAX_BYTES + 1))
    except Invalid as fault:
        context.unreadable(name, _said(fault))


def values(context: Context, path: str) -> Wanted:
    """What is wanted, from JSON where the file is called so, else TOML."""
    data = read_bytes(path, _VALUES_LIMIT)
    try:
        table = msgspec.json.decode(data) if Path(path).suffix == ".json" else tomllib.loads(data.decode())
        return msgspec.convert(table, Wanted)
    except msgspec.ValidationError as error:
        context.unreadable(path, _said(explain(error, Wanted)))
    except (msgspec.DecodeError, tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        at = str(error)[:120]
        context.unreadable(
            path, Malformed("ecert-values", f"不是合法的 TOML 或 JSON（{at}）", f"no TOML or JSON ({at})")
        )


def certificate(context: Context, path: str) -> Ofd:
    """The OFD in a file."""
    ofd = read_ofd(context, path)
    if ofd is None:
        context.unreadable(path, Malformed("ecert-no-ofd", "不是 OFD 文件", "no OFD file"))
    return ofd


def _said(fault: Invalid) -> Malformed:
    where = f"（{fault.path}）" if fault.path and fault.path not in fault.zh else ""
    return Malformed(fault.code, fault.zh + where, str(fault))
