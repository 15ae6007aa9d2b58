"""Files inside messages: asked for by digest, put beside it, the same bytes every time."""

from __future__ import annotations

import pytest

from adapters import samples
from adapters.samples import DIGEST
from schemas.xml import parse_text
from tests.unit.adapters.support import open_test
from tests.unit.adapters.test_message_set import TRANSLATOR as OBJECTS
from tests.unit.adapters.test_package import TRANSLATOR as PACKAGES

CASES = [("gongan", PACKAGES, "application", 2), ("gongan", PACKAGES, "result", 2), ("guangzhou", OBJECTS, "correction", 1),
         ("guangzhou", OBJECTS, "result", 2)]  # fmt: skip


@pytest.mark.parametrize(("name", "translator", "type_", "count"), CASES)
def test_each_named_file_goes_in_and_the_message_is_still_valid(
    name: str, translator: object, type_: str, count: int
) -> None:
    inlined = open_test(name).inlined
    assert inlined is not None
    wire = translator.outbound(samples.outbound(type_))  # type: ignore[attr-defined]
    assert inlined.wanted(wire) == (DIGEST,)
    whole = inlined.filled(wire, {DIGEST: b"abc"})
    assert whole == inlined.filled(wire, {DIGEST: b"abc"}), "a repetition is what it was"
    element = parse_text(whole.body.decode())
    assert [one.text for one in element.iter("NR")] == ["YWJj"] * count
    assert translator.schema.check(element) == []  # type: ignore[attr-defined]
    assert inlined.wanted(whole) == (), "what is inside is not asked for again"
    with pytest.raises(KeyError):
        inlined.filled(wire, {})


def test_a_message_without_files_is_left_as_it_is() -> None:
    inlined = open_test("guangzhou").inlined
    assert inlined is not None
    assert inlined.wanted(OBJECTS.outbound(samples.outbound("step"))) == ()
    assert open_test("honggutan").inlined is None, "it fetches by itself"
