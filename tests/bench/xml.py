"""XML read, validated and decoded, and SOAP requests served, beside bare lxml and beside zeep: one core, in this process.

``validate``: bytes to a validated tree, with every limit of ours, over lxml's own parse and XSD of the same bytes; ``values``:
the same as plain values. ``soap``: a message read from its envelope to plain values and written into one again, validated both
times, over zeep's parse and build of the same message; ``served``: a request from bytes to the bytes of its answer (envelope,
credential, actions, XSD, mapping to the canonical form, answer), which zeep does not do, over the same.
"""

from __future__ import annotations

import io
import resource
import statistics
import time
from collections.abc import Callable, Coroutine
from typing import Any

from lxml import etree

from adapters.base import Act, Chunk, Problem
from adapters.registry import PlatformSettings, open_platform
from adapters.soap.door import read
from adapters.soap.envelope import wrap
from adapters.soap.tree import to_value
from adapters.soap.versions import SOAP_11
from schemas.validate import compile_xsd
from schemas.xml import parse_xml
from signing.providers import open_provider
from signing.sm2 import Signer
from tests.bench.measure import Figures, note
from tests.bench.procs import ROOT, pin

ROUNDS = 7
PROFILES = ROOT / "adapters" / "profiles"
NS = "urn:tongban:sample:honggutan:v1"
XSD = (PROFILES / "honggutan.xsd").read_bytes()
UNIT, LICENCE = "HGT", "licence"
REASONS = 35


def papers() -> str:
    """A correction notice of some 9 KB: 35 repeated groups, as in the facts' measurement."""
    one = "<BZ><LB>CL</LB><MC>营业场所使用证明材料第{}份</MC><WT>{}</WT><BF>补交有签字页的扫描件，并加盖单位公章</BF></BZ>"
    groups = "".join(one.format(n, "缺少申请人签字页，且扫描件不清晰，无法辨认文号与日期") for n in range(REASONS))
    return (
        f'<BZTZ xmlns="{NS}"><BWT><LSH>L1</LSH><TBBH>420104.X/1</TBBH><YWLSH>H1</YWLSH></BWT><WH>测补1号</WH>{groups}'
        "<QX>2026-01-31</QX><RY>测试员</RY><SJ>2026-01-01T09:30:00</SJ></BZTZ>"
    )


def envelope(body: str) -> bytes:
    """The same as a request with its credential."""
    head = f'<JQXX xmlns="{NS}"><DWBM>{UNIT}</DWBM><XKZ>{LICENCE}</XKZ></JQXX>'
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="{SOAP_11.namespace}"><s:Header>{head}</s:Header>'
        f"<s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


class Taking:
    """A gateway behind the door that takes everything."""

    async def accept(self, act: Act) -> dict[str, str] | Problem:
        return {"case_id": act.case, "message_id": "M1", "receipt": "cmVj", "text": "已收到"}

    async def material(self, case: str, sm3: str, offset: int, length: int) -> Chunk | Problem:
        return Chunk(b"", 0)

    async def status(self, case: str) -> dict[str, str] | Problem:
        return {}


def service() -> Any:
    """Our door of the sample profile."""
    provider = open_provider()
    own = PlatformSettings(id="b", profile="honggutan", base_url="http://127.0.0.1:9", unit=UNIT, licence=LICENCE)
    profile = (PROFILES / "honggutan.toml").read_bytes()
    key = Signer(provider, provider.generate())
    return open_platform(
        own, profile, {"honggutan.xsd": XSD}, lambda: key, provider, lambda: "n" * 16, lambda: 0
    ).service


def zeeps(door: Any) -> Callable[[], Any]:
    """zeep's own work on the same message, by the functions that its client calls: the envelope with its header parsed to
    zeep's objects, and built from plain values."""
    import zeep
    import zeep.loader

    client = zeep.Client(io.BytesIO(door.wsdl("http://127.0.0.1:9/soap")))  # type: ignore[arg-type]
    shown = client.get_element(f"{{{NS}}}JQXX")(DWBM=UNIT, XKZ=LICENCE)
    message, data = client.service._binding.get("BZTZ").input, envelope(papers())
    values = to_value(parse_xml(papers().encode()))

    def call() -> Any:
        read = message.deserialize(zeep.loader.parse_xml(data, client.transport, settings=client.settings))
        made = client.create_message(client.service, "BZTZ", _soapheaders=[shown], **values)
        return read, etree.tostring(made, xml_declaration=True, encoding="utf-8")

    return call


def once(work: Callable[[], Any], count: int) -> float:
    """Seconds of processor time for one: what others do on this core meanwhile is not counted."""
    started = time.process_time()
    for _ in range(count):
        work()
    return (time.process_time() - started) / count


def row(mine: Callable[[], Any], base: Callable[[], Any], seconds: float, name: str) -> Figures:
    """Mine and the baseline in turn; the median of the rounds' ratios, the best of each one's times."""
    note(name)
    share = seconds / ROUNDS / 2
    ours_count, base_count = (max(5, int(share / once(work, 20))) for work in (mine, base))
    pairs = [(once(mine, ours_count), once(base, base_count)) for _ in range(ROUNDS)]
    times = sorted(own for own, _ in pairs)
    ratio = statistics.median(beside / own for own, beside in pairs)
    return {
        "per_second": round(1 / times[0], 1),
        "baseline": round(1 / min(beside for _, beside in pairs), 1),
        "ratio": round(ratio, 3),
        "p50_ms": round(statistics.median(times) * 1000, 4),
        "p99_ms": round(times[-1] * 1000, 4),
    }


def measure(seconds: float) -> Figures:
    """All rows."""
    pin(0)
    data, schema = b'<?xml version="1.0" encoding="UTF-8"?>' + papers().encode(), compile_xsd(XSD)
    bare = etree.XMLSchema(etree.fromstring(XSD))

    def plain() -> bool:
        return bool(bare.validate(etree.fromstring(data)))

    def validated() -> etree._Element:
        element = parse_xml(data)
        assert schema.valid(element)
        return element

    both_ways, served = soap(seconds / 4)
    rows = {
        "validate": row(validated, plain, seconds / 4, f"validate, {len(data)} bytes, beside bare lxml"),
        "values": row(lambda: to_value(validated()), plain, seconds / 4, "the same to plain values"),
        "soap": both_ways,
        "served": served,
    }
    return {"rows": rows, "rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)}


def finished(work: Coroutine[Any, Any, Any]) -> Any:
    """The value of a coroutine that waits for nothing, without an event loop's own time."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waits")


def soap(seconds: float) -> tuple[Figures, Figures]:
    """The same message read to plain values and written again; and a request served with all that our door does."""
    door, request, backend = service(), envelope(papers()), Taking()
    translator, theirs = door.translator.writing("UTF-8"), zeeps(door)

    def both_ways() -> bytes:
        call = read(request, "text/xml; charset=utf-8", "", (door.entry,), 1 << 22)
        return wrap(translator.held("BZTZ", translator.value(call.envelope.body)), b"", "UTF-8")

    def served() -> bytes:
        answer = finished(door.serve(request, "text/xml; charset=utf-8", "", backend))
        assert answer.status == 200, answer.body
        body: bytes = answer.body
        return body

    first = row(both_ways, theirs, seconds, "soap, a message read and written, beside zeep")
    return first, row(served, theirs, seconds, "soap, a request served with its mapping, beside the same")
