"""Write the vectors of sealed messages: ``python -m tests.vectors.sealed.generate``. A run always writes the same bytes.

``message.json``: one good message with all that its recipient needs, and messages that must be refused, by defect; each is
whole (its header names the digest of its body), so that only what the name says is wrong with it.
``streams.json``: a part of three segments, too large to be written out: its bytes are ``n * n % 251`` for n = 0, 1, 2 …; and
recipes of streams that must not open, each a list of segments to be sealed as told and joined.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from gateway.exchange import message as wireform
from gateway.exchange import sealing
from gateway.exchange.message import Header, PartRef, Sealed
from gateway.exchange.sealing import Content, Enclosure
from signing import curve, der, sealed, sm2
from signing.providers import open_provider
from signing.sm2 import PrivateKey, PublicKey
from signing.sm3 import sm3

HERE = Path(__file__).resolve().parent
PROVIDER = open_provider("auto")
A, B = "420104.11420104000000000X", "360113.11360113000000000Q"
MESSAGE = "01J00000000000000000000000"
BODY = '{"applicant":"张三","at":"2026-01-01T00:00:00Z"}'.encode()
PART = b"%PDF-1.7 a material\n"
Bend = Callable[[Header, Content], tuple[Header, bytes]]


def key(name: str) -> bytes:
    """A message key of the vectors."""
    return sm3(name.encode())[:16]


def private(name: str) -> PrivateKey:
    """A recipient's key: half the SM3 of its name."""
    return PROVIDER.load(int.from_bytes(sm3(name.encode())) >> 1)


def wrap(public: PublicKey, plaintext: bytes, name: str = "k") -> bytes:
    """04 || C1 || C3 || C2 with a number k that comes from a name, where a real sender draws it."""
    k = int.from_bytes(sm3(name.encode())) >> 1
    c1, shared = curve.ladder(k, curve.GX, curve.GY), curve.ladder(k, public.x, public.y)
    assert c1 is not None and shared is not None
    found = sm2.seal_to_point(PublicKey(*c1), PublicKey(*shared), plaintext)
    assert found is not None
    return found


RECIPIENT = private("recipient")


def content(name: str = "message key", **enclosed: Any) -> Content:
    part = PartRef(sm3(PART).hex(), len(PART), "application/pdf", "申请书", "material")
    enclosure = Enclosure(**({"alias": "420104202601010001", "parts": (part,)} | enclosed))
    return Content(enclosure, BODY, key(name))


def sealed_part(said: Content) -> bytes:
    return sealed.seal_whole(PART, sealing.part_stream(said.key, MESSAGE, 0))


def header(said: Content, wrapped: bytes | None = None, **changes: Any) -> Header:
    """The header of a content, whole but for the digest of its body."""
    part = sealed_part(said)
    wrapped = sm2.ciphertext_to_der(wrap(RECIPIENT.public, said.key)) if wrapped is None else wrapped
    made = Header(
        id=MESSAGE, type="application", sender=A, to=B, agreement="TB-420104-360113", agreement_version=1,
        item="QX-TB-001", case=f"{A}/{MESSAGE}", seq=1, seen=0, key=MESSAGE, created=1_767_225_660_000,
        expires=1_767_312_060_000, purpose="跨省通办收件与办理", body=sealing.BLANK, body_size=sealing.size(said),
        parts=(PartRef(sm3(part).hex(), len(part), "", "", ""),),
        sealed=Sealed(RECIPIENT.public.thumbprint, wrapped, sealing.commitment(said)),
    )  # fmt: skip
    return replace(made, **changes)


def whole(found: Header, body: bytes) -> tuple[bytes, bytes]:
    """A header that names the digest of this body."""
    return wireform.encode_header(replace(found, body=sm3(body).hex(), body_size=len(body))), body


def as_sealed(found: Header, plaintext: bytes, message_key: bytes) -> tuple[bytes, bytes]:
    """Any plaintext sealed under a header, as a faulty sender might."""
    found = replace(found, body=sealing.BLANK, body_size=sealed.sealed_size(len(plaintext)))
    bound = wireform.encode_header(found)
    return whole(found, sealed.seal_whole(plaintext, sealed.stream(message_key, sealed.BODY, bound)))


def committed(plaintext: bytes, **changes: Any) -> tuple[bytes, bytes]:
    """A plaintext of another shape, honestly committed to and sealed."""
    said = content()
    made = header(said, **changes)
    assert made.sealed is not None
    told = replace(made.sealed, commitment=sealed.commitment(said.key, plaintext).hex())
    return as_sealed(replace(made, sealed=told), plaintext, said.key)


def good() -> tuple[bytes, bytes]:
    return sealing.seal(header(content()), content())


def altered(field: str, value: Any) -> tuple[bytes, bytes]:
    """The good body under a header that somebody changed on the way."""
    head, body = good()
    return wireform.encode_header(replace(wireform.decode_header(head), **{field: value})), body


def wrapped(value: bytes) -> tuple[bytes, bytes]:
    """A message that is right but for its wrapped key."""
    return sealing.seal(header(content(), value), content())


def rewrapped(data: bytes) -> tuple[bytes, bytes]:
    return wrapped(sm2.ciphertext_to_der(data))


def off_curve() -> bytes:
    x, y, c3, c2 = der.parse(sm2.ciphertext_to_der(wrap(RECIPIENT.public, content().key))).as_seq()
    return der.seq(der.integer(x.as_int()), der.integer(y.as_int() ^ 1), c3.raw, c2.raw)


def other_order() -> bytes:
    """C2 where C3 belongs and the other way round, as C1C2C3 would be read."""
    x, y, c3, c2 = der.parse(sm2.ciphertext_to_der(wrap(RECIPIENT.public, content().key))).as_seq()
    return der.seq(x.raw, y.raw, c2.raw, c3.raw)


def messages() -> dict[str, tuple[bytes, bytes]]:
    """What must be refused, by defect."""
    said, right = content(), wrap(RECIPIENT.public, content().key)
    line = msgspec.json.encode(said.enclosure, order="sorted")
    body, told = good()[1], header(said).sealed
    assert told is not None
    two = replace(said.enclosure, parts=said.enclosure.parts * 2)
    long = replace(said.enclosure, parts=(replace(said.enclosure.parts[0], size=len(PART) + 1),))
    other_key = replace(told, key=private("somebody else").public.thumbprint)
    encode = msgspec.json.Encoder(order="sorted").encode
    return {
        "altered-item": altered("item", "QX-TB-002"),
        "altered-sequence": altered("seq", 2),
        "altered-part-digest": altered("parts", (PartRef("ab" * 32, len(PART) + 16, "", "", ""),)),
        "altered-commitment": altered("sealed", replace(told, commitment="00" * 32)),
        "altered-key-id": altered("sealed", other_key),
        "body-of-another-message": whole(header(said), sealing.seal(header(content("other")), content("other"))[1]),
        "body-truncated": whole(header(said), body[:-1]),
        "body-without-tag": whole(header(said), body[:-16]),
        "body-flipped-bit": whole(header(said), bytes((body[0] ^ 1,)) + body[1:]),
        "body-empty": whole(header(said), b""),
        "commitment-wrong": sealing.seal(replace(header(said), sealed=replace(told, commitment="00" * 32)), said),
        "enclosure-spelling": committed(line.replace(b'{"', b'{ "', 1) + b"\n" + BODY),
        "enclosure-unknown-field": committed(line[:-1] + b',"x":1}\n' + BODY),
        "enclosure-missing": committed(BODY),
        "enclosure-deep": committed(b'{"alias":' + b"[" * 9000 + b"]" * 9000 + b',"parts":[]}\n' + BODY),
        "enclosure-two-parts": committed(encode(two) + b"\n" + BODY),
        "enclosure-part-size": committed(encode(long) + b"\n" + BODY),
        "key-unknown": sealing.seal(header(said, sealed=other_key), said),
        "wrapped-to-another": rewrapped(wrap(private("somebody else").public, said.key)),
        "wrapped-empty": wrapped(b""),
        "wrapped-garbage": wrapped(b"\x30\x03\x02\x01\x01"),
        "wrapped-not-der": wrapped(right),
        "wrapped-off-curve": wrapped(off_curve()),
        "wrapped-c1c2c3": wrapped(other_order()),
        "wrapped-check-flipped": rewrapped(right[:65] + bytes((right[65] ^ 1,)) + right[66:]),
        "wrapped-truncated": rewrapped(right[:-1]),
        "wrapped-short-key": rewrapped(wrap(RECIPIENT.public, said.key[:15])),
        "wrapped-long-key": rewrapped(wrap(RECIPIENT.public, said.key + b"\0")),
    }


def message_vectors() -> dict[str, Any]:
    said = content()
    head, body = good()
    part = sealed_part(said)
    return {
        "private": f"{RECIPIENT.d:064x}",
        "public": RECIPIENT.public.point.hex(),
        "good": {**_shown(head, body), "parts": [base64.b64encode(part).decode()]},
        "opens_to": {
            "key": said.key.hex(),
            "enclosure": msgspec.json.encode(said.enclosure, order="sorted").decode(),
            "body": BODY.decode(),
            "parts": [base64.b64encode(PART).decode()],
        },
        "bad": {name: _shown(*made) for name, made in messages().items()},
        "bad_parts": {
            name: base64.b64encode(data).decode()
            for name, data in {
                "truncated": part[:-1], "flipped-bit": part[:5] + bytes((part[5] ^ 1,)) + part[6:], "empty": b"",
                "of-another-place": sealed.seal_whole(PART, sealing.part_stream(said.key, MESSAGE, 1)),
                "of-another-message": sealed.seal_whole(PART, sealing.part_stream(said.key, "0" * 26, 0)),
                "under-another-key": sealed.seal_whole(PART, sealing.part_stream(key("other"), MESSAGE, 0)),
            }.items()
        },
    }  # fmt: skip


def _shown(head: bytes, body: bytes) -> dict[str, Any]:
    return {"header": head.decode(), "body": base64.b64encode(body).decode()}


SIZE = 2 * sealed.PLAIN + 1000


def pattern(size: int) -> bytes:
    """The plaintext of the large part."""
    return bytes(n * n % 251 for n in range(251)) * (size // 251) + bytes(n * n % 251 for n in range(size % 251))


def segment(index: int, final: bool = False, **changes: Any) -> dict[str, Any]:
    """One line of a recipe: bytes ``start`` to ``end`` sealed as segment ``index`` of a stream."""
    start = index * sealed.PLAIN
    line = {
        "key": key("message key").hex(), "name": "part 0", "context": MESSAGE, "index": index, "final": final,
        "start": start, "end": min(start + sealed.PLAIN, SIZE),
    }  # fmt: skip
    return line | changes


def recipes() -> dict[str, list[dict[str, Any]]]:
    """Streams that must not open."""
    first, second, last = segment(0), segment(1), segment(2, True)
    other, elsewhere = key("other").hex(), "0" * 26
    return {
        "segment-dropped": [first, last],
        "segment-swapped": [second, first, last],
        "segment-repeated": [first, first, second, last],
        "truncated-at-a-boundary": [first, second],
        "final-flag-missing": [first, second, segment(2)],
        "final-flag-early": [first, segment(1, True), last],
        "something-after-the-end": [first, second, last, segment(3, True, start=0, end=10)],
        "empty-last-segment": [first, second, segment(2, True, start=0, end=0)],
        "short-segment-inside": [first, segment(1, end=sealed.PLAIN + 5000), last],
        "segment-of-another-message": [first, segment(1, key=other), last],
        "segment-of-another-part": [first, segment(1, name="part 1"), last],
        "segment-of-another-context": [first, segment(1, context=elsewhere), last],
    }


def stream_vectors() -> dict[str, Any]:
    stream = sealed.stream(key("message key"), "part 0", MESSAGE.encode())
    data = sealed.seal_whole(pattern(SIZE), stream)
    return {
        "key": key("message key").hex(), "name": "part 0", "context": MESSAGE, "size": SIZE,
        "plain_sm3": sm3(pattern(SIZE)).hex(), "stream_key": stream.key.hex(), "prefix": stream.prefix.hex(),
        "sealed_size": len(data), "sealed_sm3": sm3(data).hex(),
        "segments": [segment(0), segment(1), segment(2, True)],
        "bad": recipes(),
    }  # fmt: skip


VECTORS = {"message.json": message_vectors, "streams.json": stream_vectors}


def encoded(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def main() -> None:
    for name, make in VECTORS.items():
        (HERE / name).write_text(encoded(make()), "utf-8")


if __name__ == "__main__":
    main()
