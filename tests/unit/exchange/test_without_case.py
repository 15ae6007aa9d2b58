"""A message belongs to a case and has its place in it, or it belongs to none and has no place: never half of it."""

from __future__ import annotations

import pytest

from gateway.exchange.message import WITHOUT_CASE, Header, decode_header, encode_header

CASE = "420104.11420104000000000X/01J00000000000000000000000"


def header(type_: str, case: str, seq: int) -> bytes:
    return encode_header(
        Header(
            id="01J00000000000000000000000",
            type=type_,
            sender="420104.11420104000000000X",
            to="360113.11360113000000000Q",
            agreement="TB",
            agreement_version=1,
            item="",
            case=case,
            seq=seq,
            seen=0,
            key="k",
            created=1,
            expires=2,
            body="0" * 64,
            body_size=0,
        )
    )


@pytest.mark.parametrize("type_", ["application", "withdrawal", "what-comes-later", *WITHOUT_CASE])
@pytest.mark.parametrize(("case", "seq"), [(CASE, 1), (CASE, 0), ("", 1), ("", 0)])
def test_case_and_sequence_go_with_the_type(type_: str, case: str, seq: int) -> None:
    data, none = header(type_, case, seq), type_ in WITHOUT_CASE
    if (case == "", seq == 0) == (none, none):
        assert decode_header(data).case == case
    else:
        with pytest.raises(ValueError, match="belong together"):
            decode_header(data)
