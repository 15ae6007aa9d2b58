"""``tongban ecert render``: the pages of any OFD as SVG, PNG or PDF, with the seals in their places.

A picture proves nothing: under each page a line says whether the seals were verified, which they are when a trusted root is
given. What could not be drawn is named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gateway.cli.cert_tools import ANCHOR, AT, CRL, INTERMEDIATE, REQUIRE_CRL
from gateway.cli.sm import JSON, PROVIDER, Context, options
from gateway.lang import say

if TYPE_CHECKING:
    from gateway.certificates.sheet import Sheet
    from signing.ofd.container import Ofd
    from signing.ofd.files import Skipped

_FORMATS = ("svg", "png", "pdf")


@click.command(
    help=say(
        "把任意 OFD 的页面画成 SVG、PNG 或 PDF，含印章；给出 --anchor 则先核验签章。图像不是凭证。",
        "Draw the pages of any OFD as SVG, PNG or PDF with its seals; with --anchor they are verified first.",
    )
)
@click.argument("file")
@click.option(
    "-o", "--out", required=True, metavar="F", help=say("输出：.svg、.png 或 .pdf", "output: .svg, .png or .pdf")
)
@click.option(
    "--page",
    type=click.IntRange(1),
    help=say("第几页；PDF 默认全部，其余默认第 1 页", "which page; all for PDF, else 1"),
)
@click.option("--font", metavar="F", help=say("字体文件（PNG、PDF）", "a font file (PNG, PDF)"))
@click.option(
    "--dpi", type=click.IntRange(36, 600), default=150, show_default=True, help=say("PNG 的精细度", "of a PNG")
)
@options(ANCHOR, INTERMEDIATE, CRL, REQUIRE_CRL, AT, PROVIDER, JSON)
def render(file: str, out: str, page: int | None, font: str | None, dpi: int, json: bool, **given: Any) -> None:
    """Exit 0 when the picture is written, whatever the seals are worth: that is what its line says."""
    from gateway.certificates.sheet import STRIPS, gaps, sheets
    from gateway.cli.cert_tools import put
    from gateway.cli.output import finish
    from gateway.cli.seal_package import read_ofd
    from signing.errors import Malformed
    from signing.ofd.pages import read_pages
    from signing.ofd.stamps import read_stamps

    kind = out.rpartition(".")[2].lower()
    if kind not in _FORMATS:
        raise click.UsageError(say("输出文件名以 .svg、.png 或 .pdf 结尾", "the output ends in .svg, .png or .pdf"))
    context = Context(json)
    ofd = read_ofd(context, file)
    if ofd is None:
        context.unreadable(file, Malformed("ofd-none", "不是 OFD 文件", "not an OFD document"))
    try:
        reading = read_pages(ofd.package)
        stamps, unseen = read_stamps(ofd, reading)
    except Malformed as error:
        context.unreadable(file, error)
    skipped = [*reading.skipped, *unseen, *gaps(sheets(reading.document, stamps, None))]
    strip = _strip(_verdict(context, ofd, given), bool(ofd.signatures), bool(skipped) or reading.bodies > 1)
    wanted = page if page is not None or kind == "pdf" else 1
    drawn = sheets(reading.document, stamps, STRIPS[strip])
    if not drawn or (wanted or 1) > len(drawn):
        context.done(False, "page-missing", f"没有这一页（共 {len(drawn)} 页）", f"no such page ({len(drawn)} in all)")
    picture, missing = _picture(context, ofd, drawn, kind, wanted, strip, font, dpi)
    put(context, out, picture)
    facts = {
        "pages": len(drawn), "page": wanted, "stamps": len(stamps), "strip": strip, "documents": reading.bodies,
        "missing_characters": missing, "skipped": [_fact(one) for one in skipped], "out": out,
    }  # fmt: skip
    finish(True, context.data("ok", **facts), json, _lines(facts, skipped))


def _verdict(context: Context, ofd: Ofd, given: dict[str, Any]) -> bool | str | None:
    """What the seals are worth; "" if nobody asked."""
    if not given["anchors"]:
        return ""
    from gateway.cli import cert_tools as tools
    from signing.ofd.verify import verify_ofd
    from signing.policy import SealPolicy

    moment = tools.now(given["at"])
    against: dict[str, Any] = {
        "anchors": tools.certificates(context, given["anchors"]),
        "intermediates": tools.certificates(context, given["intermediates"]),
        "crls": tools.lists(context, given["crls"]),
        "provider": context.open(given["provider"], failing=None),
        "policy": SealPolicy(path=tools.path_policy("sign", given["require_crl"]), revoked_later="cannot-tell"),
    }
    report = tools.as_of_then_or_now(
        lambda day: verify_ofd(ofd, at=moment, lists_as_of=day, uncovered="reject", **against), moment
    )
    return report.ok


def _strip(verdict: bool | str | None, signed: bool, partial: bool) -> str:
    """Which line stands under the pages."""
    if not signed:
        return "unsealed"
    if verdict is True:
        return "incomplete" if partial else "verified"
    return {"": "unverified", False: "refused", None: "untold"}[verdict]


def _picture(
    context: Context, ofd: Ofd, drawn: list[Sheet], kind: str, page: int | None, strip: str, font: str | None, dpi: int
) -> tuple[bytes, int]:
    """The picture and how many characters it lacks."""
    from gateway.certificates import apart, svg

    if kind == "svg":
        return svg.draw(drawn[(page or 1) - 1]).encode(), 0
    try:
        return apart.render(ofd.package.data[:], apart.Order("pdf" if kind == "pdf" else "png", page, strip, font, dpi))
    except apart.NotRendered as fault:
        context.done(False, fault.code, fault.zh, fault.en)


def _fact(one: Skipped) -> dict[str, object]:
    return {"page": one.page, "what": one.what, "code": one.code, "text": say(one.zh, one.en)}


def _lines(facts: dict[str, Any], skipped: list[Skipped]) -> list[str]:
    from gateway.certificates.sheet import STRIPS
    from gateway.cli.output import printable

    strip = STRIPS[facts["strip"]]
    lines = [
        say(f"已写入 {facts['out']}（共 {facts['pages']} 页，", f"{facts['out']} written ({facts['pages']} pages, ")
        + say(f"印章 {facts['stamps']} 处）", f"{facts['stamps']} seals shown)"),
        say(strip.zh, strip.en) if strip else say("签章核验有效", "seals verified as valid"),
    ]
    if facts["documents"] > 1:
        more = facts["documents"]
        lines.append(
            say(f"包内有 {more} 个文档，只画了第一个", f"{more} documents in the package, the first was drawn")
        )
    if facts["missing_characters"]:
        count = facts["missing_characters"]
        lines.append(say(f"有 {count} 个字没有字体可显示", f"no font here shows {count} of the characters"))
    lines += [
        say(f"未显示：第 {one.page} 页 ", f"not shown: page {one.page} ")
        + f"{printable(one.what)}: {say(one.zh, one.en)}"
        for one in skipped[:20]
    ]
    rest = len(skipped) - 20
    return [*lines, say(f"……另有 {rest} 处", f"... and {rest} more")] if rest > 0 else lines
