"""Orders from local platforms: any bytes are an order or a refusal of ours, with where."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.flow.certificate_orders import Change, Disclose, Issue, read
from gateway.problems import CATALOGUE, Refused
from tests.flow.certificates import building, content, order

LIMIT = 1 << 20
GOOD: list[tuple[type[Any], dict[str, Any]]] = [
    (Issue, order()),
    (Issue, building()),
    (Change, {"id": "1", "event": "revoke", "reason": "fraud", "permit": "p1"}),
    (Change, {"id": "1", "event": "reissue", "reason": "renewal", "content": content()}),
    (Change, {"id": "1", "event": "annotate",
              "copy": {"relying_party": "x", "reason": "y", "expires": "2026-12-01T00:00:00+08:00"}}),
    (Disclose, {"id": "1", "to": "360113.11360113000000000Q", "use": "fetch", "purpose": "办事"}),
]  # fmt: skip
KINDS = st.sampled_from([Issue, Change, Disclose])
JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def tried(data: bytes, kind: type[Any]) -> Any:
    try:
        return read(data, kind, LIMIT)
    except Refused as refused:
        assert refused.code in CATALOGUE and refused.code.startswith("TB-1")
        return None


@pytest.mark.parametrize("place", range(len(GOOD)))
def test_a_good_order_is_read(place: int) -> None:
    kind, said = GOOD[place]
    assert isinstance(tried(json.dumps(said).encode(), kind), kind)


@given(st.binary(max_size=200), KINDS)
def test_any_bytes_are_an_order_or_a_refusal(data: bytes, kind: type[Any]) -> None:
    assert tried(data, kind) is None


@given(st.sampled_from(GOOD), st.data())
def test_an_order_with_one_value_changed_is_an_order_or_a_refusal(
    good: tuple[type[Any], Any], data: st.DataObject
) -> None:
    kind, said = good
    said = json.loads(json.dumps(said))
    inner = said
    while True:
        key = data.draw(st.sampled_from(sorted(inner)))
        if isinstance(inner[key], dict) and inner[key] and data.draw(st.booleans()):
            inner = inner[key]
            continue
        inner[key] = data.draw(JSON)
        break
    tried(json.dumps(said).encode(), kind)


@pytest.mark.parametrize(
    "said",
    [
        order(id=""), order(id="x" * 101), order(id="a b"), order(type="x"), order(serial="abc"), order(extra=1),
        order(content=content(pictures={"ZP": "not base64!"})), order(content=content(valid_from="2026-02-30")),
        order(content=content(holder={"name": "", "code": "1", "code_type": "001"})), {"id": "1"}, [], "x",
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(said: Any) -> None:
    assert tried(json.dumps(said).encode(), Issue) is None


def test_an_order_beyond_its_size_is_refused() -> None:
    with pytest.raises(Refused, match="TB-1002"):
        read(json.dumps(order(pad="x" * LIMIT)).encode(), Issue, LIMIT)
