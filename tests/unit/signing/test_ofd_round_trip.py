"""What ``ofd_build`` writes, ``ofd_pages`` reads as the same document (names of pictures become their paths)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from signing.ofd.build import build_ofd
from signing.ofd.content import Box, Colour, Document, Font, Image, Page, Path, Run, Text
from signing.ofd.package import open_package
from signing.ofd.package_build import build_package
from signing.ofd.pages import read_pages

lengths = st.integers(-10_000_000, 10_000_000).map(lambda tenths: tenths / 10_000)
sizes = st.integers(1, 10_000_000).map(lambda tenths: tenths / 10_000)
boxes = st.builds(Box, lengths, lengths, sizes, sizes)
matrices = st.tuples(*[lengths] * 6)
octets = st.integers(0, 255)
colours = st.builds(Colour, octets, octets, octets, octets)
texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn")), min_size=1, max_size=8)
PICTURES = {"logo": b"\x89PNG\r\n\x1a\n", "photo": b"\xff\xd8\xff"}


@st.composite
def runs(draw: st.DrawFn) -> Run:
    text = draw(texts)
    steps = st.just(()) | st.lists(lengths | st.just(5.0), min_size=len(text) - 1, max_size=len(text) - 1).map(tuple)
    return Run(draw(lengths), draw(lengths), text, draw(steps), draw(steps))


outlines = st.lists(st.tuples(lengths, lengths), max_size=4).map(
    lambda points: "S 0 0" + "".join(f" L {x:.4f} {y:.4f}" for x, y in points)
)
shapes = (
    st.builds(
        Text,
        boxes,
        st.sampled_from(("宋体", "楷体")),
        sizes,
        st.lists(runs(), max_size=3).map(tuple),
        colours,
        st.sampled_from((0, 400, 700, 1000)),
        matrices,
    )
    | st.builds(Image, boxes, st.sampled_from(sorted(PICTURES)), matrices, octets)
    | st.builds(
        Path,
        boxes,
        outlines,
        st.none() | colours,
        st.none() | colours,
        sizes,
        matrices,
        st.booleans(),
        st.lists(sizes, max_size=4).map(tuple),
    )
)
pages = st.builds(Page, sizes, sizes, st.lists(shapes, max_size=4).map(tuple))
documents = st.builds(
    Document,
    st.lists(pages, min_size=1, max_size=3).map(tuple),
    st.just(PICTURES),
    st.just((Font("宋体", "SimSun", b"\0\1\0\0"), Font("楷体"))),
    title=texts.map(str.strip),
    created=st.none() | st.dates(date(1000, 1, 1)),
)


def by_content(document: Document) -> Document:
    """Pictures named by what they hold, those that no page shows left away."""

    def named(page: Page) -> Page:
        return replace(page, shapes=tuple(
            replace(one, media=document.media[one.media].hex()) if isinstance(one, Image) else one for one in page.shapes
        ))  # fmt: skip

    return replace(document, pages=tuple(map(named, document.pages)), media={})


def again(document: Document) -> Document:
    found = read_pages(open_package(build_package(build_ofd(document))))
    assert found.skipped == ()
    return by_content(found.document)


@given(documents)
def test_a_document_written_is_the_document_read(document: Document) -> None:
    assert again(document) == by_content(document)
