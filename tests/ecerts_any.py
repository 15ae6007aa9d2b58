"""Any certificate: Hypothesis strategies for what ``signing.ecert_data`` should take."""

from __future__ import annotations

from datetime import UTC, date, datetime

from hypothesis import strategies as st

from signing import ecert_id
from signing.ecert import Annotation, Field, Holder, Metadata, Permit

CAPITALS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
letters = st.characters(codec="utf-8", categories=("L", "N", "P", "S"))
words = st.text(letters, min_size=1, max_size=40)
dates = st.dates(date(1, 1, 1), date(9999, 12, 30))
moments = st.integers(-(1 << 31), 1 << 37).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@st.composite
def spans(draw: st.DrawFn) -> tuple[date, date | None]:
    first = draw(dates)
    return first, draw(st.none() | st.dates(first, date(9999, 12, 30)))


@st.composite
def metadata(draw: st.DrawFn) -> Metadata:
    """Anything that ``ecert_data.write`` should take."""
    type_code = draw(st.text(CAPITALS, min_size=18, max_size=18)) + f"{draw(st.integers(0, 999)):03}"
    issuer = draw(st.text(CAPITALS, min_size=18, max_size=18))
    serial = draw(st.text(CAPITALS, min_size=1, max_size=20))
    first, last = draw(spans())
    names = draw(st.lists(st.from_regex(r"[A-Z][A-Z0-9_]{0,9}", fullmatch=True), unique=True, max_size=6))
    ids = draw(st.lists(words, unique=True, max_size=4))
    copy = st.builds(Annotation, words, moments, words, words, moments)
    return Metadata(
        identifier=str(ecert_id.make(type_code, issuer, serial, draw(st.integers(1, 999)))),
        type_code=type_code,
        type_name=draw(words),
        number=draw(words),
        holder=Holder(draw(words), draw(words), draw(st.sampled_from(("111", "001", "099")))),
        issuer_name=draw(words),
        issuer_code=issuer,
        issued=draw(dates),
        valid_from=first,
        valid_to=last,
        fields=tuple(Field(name, draw(words), draw(st.just("") | words)) for name in names),
        permits=tuple(Permit(own, draw(words), draw(words), *draw(spans())) for own in ids),
        url=draw(st.just("") | words),
        annotation=draw(st.none() | copy),
    )
