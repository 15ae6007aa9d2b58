"""Content sealed end to end (端到端加密): one SM4 key for each message, its streams in authenticated segments.

A message key (16 bytes, random, for one message only) gives every stream, the body or a part, a key and a nonce prefix of
its own: HMAC-SM3(message key, domain line, name, LF), bytes 0-15 and 16-27. Segment n of a stream is sealed with SM4-GCM
under the nonce ``prefix XOR n`` with n, the final flag and a context as associated data (``sm4.seal_segment``). So no
nonce is used twice (row S33), and a segment that is dropped, swapped, repeated, cut off or taken from another stream
does not open. A segment travels as at most 1 MiB, its tag included; every one but the last is full, and there is at least
one, so a content has one sealed form and one size.

The commitment binds a message to its content without telling it: HMAC-SM3 under a key derived from the message key. Nobody
who lacks the key can try out contents; who is given it can check, and one key tells nothing of another message's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from signing import sm4
from signing.sm2 import decrypt_failed
from signing.sm3 import hmac_sm3, sm3

SEGMENT: Final = 1 << 20
PLAIN: Final = SEGMENT - sm4.TAG
BODY: Final = "body"
_DOMAIN: Final = b"tongban/v1/sealed\n"


class Stream(NamedTuple):
    """The key and nonce prefix of one stream; ``context`` is bound to each of its segments."""

    key: bytes
    prefix: bytes
    context: bytes

    def seal(self, index: int, final: bool, plaintext: bytes) -> bytes:
        """Segment ``index`` as it travels."""
        return sm4.seal_segment(self.key, self.prefix, index, final, plaintext, self.context)

    def unseal(self, index: int, final: bool, ciphertext: bytes) -> bytes:
        """The plaintext of segment ``index``; Malformed("decrypt-failed") whatever is wrong."""
        return sm4.open_segment(self.key, self.prefix, index, final, ciphertext, self.context)


def stream(key: bytes, name: str, context: bytes) -> Stream:
    """The stream of a message key: ``BODY`` or ``part(n)``."""
    derived = _derive(key, name)
    return Stream(derived[: sm4.KEY], derived[sm4.KEY : sm4.KEY + sm4.NONCE], context)


def part(index: int) -> str:
    """The name of the stream of part ``index``, from 0 in the order of the header."""
    return f"part {index}"


def commitment(key: bytes, content: bytes) -> bytes:
    """What a message says of its content, 32 bytes."""
    return hmac_sm3(_derive(key, "commitment"), sm3(content))


def sealed_size(size: int) -> int:
    """Bytes that a content of ``size`` bytes has as it travels."""
    return size + sm4.TAG * max(1, -(-size // PLAIN))


def seal(pieces: Iterable[bytes], to: Stream, first: int = 0) -> Iterator[bytes]:
    """The segments of a content, given in pieces of any size, from segment ``first`` (at its ``first * PLAIN``) on."""
    for index, (plaintext, final) in enumerate(_cut(pieces, PLAIN), first):
        yield to.seal(index, final, plaintext)


def open_(pieces: Iterable[bytes], of: Stream) -> Iterator[bytes]:
    """The content, segment by segment, each authenticated before it is given; Malformed("decrypt-failed") at the first
    that does not open. What was given before that must be thrown away."""
    for index, (ciphertext, final) in enumerate(_cut(pieces, SEGMENT)):
        plaintext = of.unseal(index, final, ciphertext)
        if index and not plaintext:
            raise decrypt_failed()  # an empty segment at the end would be a second form of the same content
        yield plaintext


def seal_whole(content: bytes, to: Stream) -> bytes:
    """A content that is in memory, sealed."""
    return b"".join(seal([content], to))


def open_whole(data: bytes, of: Stream) -> bytes:
    """A sealed content that is in memory, opened; Malformed("decrypt-failed")."""
    return b"".join(open_([data], of))


def _derive(key: bytes, name: str) -> bytes:
    if len(key) != sm4.KEY:
        raise decrypt_failed()
    return hmac_sm3(key, _DOMAIN + name.encode() + b"\n")


def _cut(pieces: Iterable[bytes], size: int) -> Iterator[tuple[bytes, bool]]:
    """Chunks of exactly ``size`` bytes and a last one of at most that, which is told; at least one."""
    held = b""
    for piece in pieces:
        held += piece
        while len(held) > size:
            yield held[:size], False
            held = held[size:]
    yield held, True
