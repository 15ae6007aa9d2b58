"""A page's shapes as Content.xml (图元, GB/T 33190-2016 ch. 7.7, 8 to 11): text, images, paths on one layer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import groupby

from signing.ofd.content import BLACK, IDENTITY, Colour, Image, Matrix, Page, Path, Run, Shape, Text
from signing.ofd.element import element, leaf, number, numbers, root, text

NewId = Callable[[], str]


def write_page(page: Page, new_id: NewId, resources: Mapping[str, str]) -> bytes:
    """Content.xml. ``resources``: the id of each font and picture by ``font:`` or ``media:`` and its name."""
    layer = element("Layer", "".join(_shape(one, new_id, resources) for one in page.shapes), ID=new_id(), Type="Body")
    box = leaf("PhysicalBox", numbers((0, 0, page.width, page.height)))
    return root("Page", element("Area", box) + element("Content", layer))


def _shape(shape: Shape, new_id: NewId, resources: Mapping[str, str]) -> str:
    common = {"ID": new_id(), "Boundary": numbers(shape.box), "CTM": _matrix(shape.matrix)}
    if isinstance(shape, Image):
        return element(
            "ImageObject", ResourceID=_known(resources, "media", shape.media), Alpha=_alpha(shape.alpha), **common
        )
    if isinstance(shape, Path):
        return _path(shape, common)
    return _text(shape, common | {"Font": _known(resources, "font", shape.font)})


def _path(path: Path, common: Mapping[str, str | None]) -> str:
    inside = (
        (_colour("StrokeColor", path.stroke) if path.stroke is not None else "")
        + (_colour("FillColor", path.fill) if path.fill is not None else "")
        + leaf("AbbreviatedData", path.data)
    )
    return element(
        "PathObject", inside, LineWidth=number(path.line_width), Stroke=_unless(True, path.stroke is not None),
        Fill=_unless(False, path.fill is not None), Rule="Even-Odd" if path.even_odd else None,
        DashPattern=numbers(path.dash) or None, **common,
    )  # fmt: skip


def _text(shape: Text, common: Mapping[str, str | None]) -> str:
    weight = None if shape.weight == 400 else str(shape.weight)
    inside = _colour("FillColor", shape.colour) if shape.colour != BLACK else ""
    return element(
        "TextObject", inside + "".join(map(_run, shape.runs)), Size=number(shape.size), Weight=weight, **common
    )


def _run(run: Run) -> str:
    return element(
        "TextCode", text(run.text), X=number(run.x), Y=number(run.y), DeltaX=_deltas(run.delta_x), DeltaY=_deltas(run.delta_y)
    )  # fmt: skip


def _deltas(values: Iterable[float]) -> str | None:
    """ST_Array of advances; three or more alike in a row are written ``g count value``."""
    said: list[str] = []
    given = list(map(number, values))
    if len(given) > 2 and given.count(given[0]) == len(given):  # as in nearly every line
        return f"g {len(given)} {given[0]}"
    for value, alike in groupby(given):
        count = sum(1 for _ in alike)
        said += ["g", str(count), value] if count > 2 else [value] * count
    return " ".join(said) or None


def _colour(name: str, colour: Colour) -> str:
    return element(name, Value=f"{colour.red} {colour.green} {colour.blue}", Alpha=_alpha(colour.alpha))


def _alpha(value: int) -> str | None:
    return None if value == 255 else str(value)


def _matrix(matrix: Matrix) -> str | None:
    return None if matrix == IDENTITY else numbers(matrix)


def _unless(usual: bool, value: bool) -> str | None:
    return None if value is usual else str(value).lower()


def _known(resources: Mapping[str, str], kind: str, name: str) -> str:
    found = resources.get(f"{kind}:{name}")
    if found is None:
        raise ValueError(f"the document has no {kind} of this name")
    return found
