"""The text of a new agreement between two parties: the clauses, clocks and lines that most of them have, ready to be edited.

A line each for what a reader changes first; laws and clauses are named where their numbers come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

import msgspec

from agreements.items import to_toml
from agreements.model import CertificateLine, Confidentiality, Item, Party

HEADER: Final = "# 通办协议。双方核对正文后，各自用 tongban agreement sign 签署；签署后正文不可再改。\n"

_TEXT: Final = """\
{header}
format = "tongban/agreement/1"
id = {id}
version = {version}
name = {name}
scope = {scope}
in_force = {in_force}
expires = {expires}
purposes = {purposes}
confidentiality = {confidentiality}
notes = "窗口只作形式审查、身份核验、原件核对和收件；受理是办理地的行为（国办发〔2020〕35号，收受分离）。"

[clauses]
parties = "第一条"
items = "第二条"
direction = "第三条"
mode = "第三条"
power = "第三条"
purposes = "第五条"
term = "第六条"
signing = "第七条"
confidentiality = "第八条"
{certificate_clause}
[clocks.notify]
days = 5
unit = "working"
starts = "received_there"
source = "行政许可法第三十二条：一次告知补正，逾期视为受理"
clause = "第四条第一项"

[clocks.decide]
days = 20
unit = "working"
starts = "accepted"
source = "行政许可法第四十二条；事项另有承诺时限的从其承诺"
clause = "第四条第二项"

[clocks.deliver]
days = 10
unit = "working"
starts = "decided"
source = "行政许可法第四十四条"
clause = "第四条第三项"

[[party]]
id = "{party_a}"
name = {name_a}
division = "{division_a}"

[[party]]
id = "{party_b}"
name = {name_b}
division = "{division_b}"

[[line]]
clause = "第三条第一款"
items = [
{codes}]
mode = "collect_elsewhere"
power = "collect"
collecting = ["{party_a}"]
handling = ["{party_b}"]
direction = "mutual"

{certificates}{items}"""
_CERTIFICATE: Final = """\
[[certificate]]
clause = {clause}
types = {types}
issuers = {issuers}
to = {to}
fields = {fields}
uses = {uses}
purposes = {purposes}

"""


def _quoted(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _certificate(line: CertificateLine) -> str:
    return _CERTIFICATE.format(**{name: _quoted(getattr(line, name)) for name in line.__struct_fields__})


def render(
    party_a: Party,
    party_b: Party,
    items: Sequence[Item],
    *,
    id: str,
    name: str,
    scope: str,
    version: int,
    in_force: date,
    expires: date,
    purposes: Sequence[str],
    header: str = HEADER,
    confidentiality: Confidentiality = "end-to-end",
    certificates: Sequence[CertificateLine] = (),
) -> bytes:
    """Unsigned TOML: mutual, collected elsewhere, power *collect*, every item given, contents sealed end to end; certificates
    may be used as their lines say."""
    codes = "".join(f"  {_quoted(item.code)},\n" for item in items)
    values = {"id": id, "name": name, "scope": scope, "name_a": party_a.name, "name_b": party_b.name}
    values["confidentiality"] = confidentiality
    return _TEXT.format(
        **{key: _quoted(value) for key, value in values.items()},
        header=header,
        version=version,
        in_force=in_force,
        expires=expires,
        purposes=f"[{', '.join(_quoted(purpose) for purpose in purposes)}]",
        party_a=party_a.id,
        party_b=party_b.id,
        division_a=party_a.division,
        division_b=party_b.division,
        codes=codes,
        items=to_toml(items),
        certificate_clause='certificates = "第九条"\n' if certificates else "",
        certificates="".join(map(_certificate, certificates)),
    ).encode()
