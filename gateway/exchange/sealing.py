"""A message's content, sealed for its recipient and opened by it (端到端加密, docs/protocol.md "Sealed messages").

What is sealed as the body is the enclosure (the sender's own number and the parts with their names and plaintext digests),
a line feed, and the body itself. The header binds it: it is the associated data of every segment of the body, with the one
field blanked that comes out of the sealing, the digest of the ciphertext. Everything else in it, the wrapped key, the
commitment and the digests of the sealed parts among them, cannot be changed without the body failing to open. The parts
are sealed before the header is made, because their digests stand in it; their associated data is the message's id.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from gateway.exchange import message as wireform
from gateway.exchange.message import Header, PartRef, Short
from signing import sealed, sm2
from signing.providers import Provider
from signing.sm3 import sm3

BLANK = "0" * 64


class Enclosure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the header of an open message would say: the sender's own number, the parts in the header's order."""

    alias: Short
    parts: tuple[PartRef, ...]


class Content(NamedTuple):
    """A message's content in clear. ``key`` is the message key it came under, b"" for a message that was not sealed."""

    enclosure: Enclosure
    body: bytes
    key: bytes = b""

    @property
    def secret(self) -> bytes | None:
        """What must be kept, beside body and header, to seal it again to the same bytes; None if it was not sealed."""
        return self.key + _ENCODER.encode(self.enclosure) if self.key else None


_ENCODER = msgspec.json.Encoder(order="sorted")
_DECODER = msgspec.json.Decoder(Enclosure)
_KEY = 16


def kept(secret: bytes, body: bytes) -> Content:
    """The content again, from what was kept of it."""
    return Content(_DECODER.decode(secret[_KEY:]), body, secret[:_KEY])


def clear(header: Header, body: bytes) -> Content:
    """The content of a message that was not sealed."""
    return Content(Enclosure(header.alias, header.parts), body)


def wrap(provider: Provider, recipient: sm2.PublicKey, key: bytes) -> bytes:
    """A message key for the recipient alone: SM2 ciphertext, DER."""
    return sm2.ciphertext_to_der(provider.encrypt(recipient, key))


def unwrap(provider: Provider, private: sm2.PrivateKey, wrapped: bytes) -> bytes:
    """The message key; Malformed("decrypt-failed") whatever is wrong (S20, S30)."""
    key = provider.decrypt(private, sm2.ciphertext_from_der(wrapped))
    if len(key) != _KEY:
        raise sm2.decrypt_failed()
    return key


def commitment(content: Content) -> str:
    """The header's commitment to a content, hex."""
    return sealed.commitment(content.key, _plaintext(content)).hex()


def size(content: Content) -> int:
    """Bytes of the sealed body."""
    return sealed.sealed_size(len(_plaintext(content)))


def seal(header: Header, content: Content) -> tuple[bytes, bytes]:
    """(header bytes, sealed body) for a header that is whole but for ``body``. The same for the same header and content."""
    body = sealed.seal_whole(_plaintext(content), sealed.stream(content.key, sealed.BODY, _bound(header)))
    return wireform.encode_header(msgspec.structs.replace(header, body=sm3(body).hex())), body


def open_(header: Header, body: bytes, key: bytes) -> Content:
    """The content of a sealed message; Malformed("decrypt-failed") for anything that does not fit together: segments, header,
    commitment, an enclosure in another spelling, or parts that are not those of the header."""
    plaintext = sealed.open_whole(body, sealed.stream(key, sealed.BODY, _bound(header)))
    line, found, rest = plaintext.partition(b"\n")
    try:
        enclosure = _DECODER.decode(line)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise sm2.decrypt_failed() from None
    content = Content(enclosure, rest, key)
    sizes = [sealed.sealed_size(part.size) for part in enclosure.parts]
    if (
        not found
        or header.sealed is None
        or _ENCODER.encode(enclosure) != line
        or header.sealed.commitment != commitment(content)
        or sizes != [part.size for part in header.parts]
        or not all(part.size for part in enclosure.parts)
    ):
        raise sm2.decrypt_failed()
    return content


def part_stream(key: bytes, message: str, index: int) -> sealed.Stream:
    """The stream of one part of a message."""
    return sealed.stream(key, sealed.part(index), message.encode())


def _bound(header: Header) -> bytes:
    return wireform.encode_header(msgspec.structs.replace(header, body=BLANK))


def _plaintext(content: Content) -> bytes:
    return _ENCODER.encode(content.enclosure) + b"\n" + content.body
