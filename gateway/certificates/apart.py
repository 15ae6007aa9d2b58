"""PDF and PNG made in a process of its own (row F13): it decodes pictures that anybody may have sent us.

The process gets the document's bytes and what is wanted, has bounded memory, processor time and no right to write files, and
answers with the picture or with a reason. Whatever a hostile picture does there ends there.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, Literal, NoReturn

if TYPE_CHECKING:
    from gateway.certificates.pdf_fonts import FontBook
    from signing.errors import Malformed

MEMORY: Final = 2 << 30
PROCESSOR_SECONDS: Final = 60
_NEEDED: Final = ("reportlab", "fontTools", "pypdfium2", "PIL")
_TOLD: Final = ("PATH", "HOME", "LANG", "PYTHONPATH", "LD_LIBRARY_PATH")  # of our environment: no passphrase among them
_REASONS: Final = {
    "extra-missing": (
        "生成 PDF、PNG 需要附加组件：pip install 'tongban[pdf]'（源码目录：./run setup pdf）",
        "PDF and PNG need the extra components: pip install 'tongban[pdf]' (in a checkout: ./run setup pdf)",
    ),
    "font-missing": (
        "没有找到可用的中文字体：安装一种，或用 --font 指定字体文件",
        "no usable Chinese font was found: install one, or name a font file with --font",
    ),
    "render-limits": (
        "生成图像超出时间或内存限制，或图像组件失败；仍可生成 SVG",
        "making the picture went beyond its time or memory, or a component failed; an SVG can still be made",
    ),
    "page-missing": ("没有这一页", "there is no such page"),
}


class NotRendered(Exception):
    """No picture: a stable code and why, in both languages."""

    def __init__(self, code: str, zh: str = "", en: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.zh, self.en = (zh, en) if zh else _REASONS[code]


@dataclass(frozen=True, slots=True)
class Order:
    """``page``: from 1, None for all of them (PDF); ``strip``: a name of ``sheet.STRIPS``; ``font``: a file."""

    format: Literal["pdf", "png"]
    page: int | None
    strip: str
    font: str | None = None
    dpi: int = 150


def render(ofd: bytes, order: Order) -> tuple[bytes, int]:
    """The picture, and how many different characters no font could show. NotRendered without one."""
    import msgspec

    if any(find_spec(name) is None for name in _NEEDED):
        raise NotRendered("extra-missing")
    command = [sys.executable, "-m", "gateway.certificates.apart", msgspec.json.encode(asdict(order)).decode()]
    told = {name: os.environ[name] for name in _TOLD if name in os.environ}
    try:
        done = subprocess.run(  # noqa: S603 - our own program
            command, input=ofd, capture_output=True, timeout=2 * PROCESSOR_SECONDS, check=False, env=told
        )
        said = msgspec.json.decode(done.stderr.splitlines()[-1] if done.stderr else b"")
    except (subprocess.TimeoutExpired, msgspec.DecodeError):
        raise NotRendered("render-limits") from None
    if done.returncode:
        raise NotRendered(said["code"], said["zh"], said["en"])
    return done.stdout, said["missing"]


# --- in the other process ---------------------------------------------------------------------------------------------


def _main(order: Order) -> NoReturn:
    from gateway.certificates.pdf_fonts import FontBook, NoFont
    from signing.errors import Malformed

    fonts = FontBook(order.font)
    try:
        picture = _picture(sys.stdin.buffer.read(), order, fonts)
    except NoFont:
        _end(NotRendered("font-missing"))
    except MemoryError:
        _end(NotRendered("render-limits"))
    except (Malformed, NotRendered) as fault:
        _end(fault)
    sys.stdout.buffer.write(picture)
    sys.stdout.buffer.flush()
    _say({"missing": len(fonts.missing())})
    sys.exit(0)


def _picture(data: bytes, order: Order, fonts: FontBook) -> bytes:
    from gateway.certificates import pdf, png
    from gateway.certificates.sheet import STRIPS, sheets
    from signing.ofd.container import open_ofd
    from signing.ofd.pages import read_pages
    from signing.ofd.stamps import read_stamps

    ofd = open_ofd(data)
    reading = read_pages(ofd.package)
    stamps, _ = read_stamps(ofd, reading)
    drawn = sheets(reading.document, stamps, STRIPS[order.strip])
    if order.page is not None:
        drawn = drawn[order.page - 1 : order.page]
    if not drawn:
        raise NotRendered("page-missing")
    made = pdf.draw(drawn, fonts)
    return made if order.format == "pdf" else png.pixels(made, order.dpi)


def _end(fault: Malformed | NotRendered) -> NoReturn:
    _say({"code": fault.code, "zh": fault.zh, "en": fault.en})
    sys.exit(1)


def _say(answer: dict[str, object]) -> None:
    import msgspec

    sys.stderr.buffer.write(b"\n" + msgspec.json.encode(answer) + b"\n")


def _bounded() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    import msgspec

    _bounded()
    _main(msgspec.json.decode(sys.argv[1], type=Order))
