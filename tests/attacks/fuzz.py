"""Fuzzing by table: a parser, what it may raise, real inputs to start from; every mutated input must get a verdict.

A verdict is a value or one of the parser's own refusals. Anything else (another exception, too much processor time for one
input, a parser that keeps memory, an accepted input that does not encode back to itself) fails with the input in hex and its
index: input ``i`` of a target is always the same bytes, so ``mutated(target, i)`` brings it back.
"""

from __future__ import annotations

import os
import random
import resource
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.progress import track

from signing.errors import Malformed

# Inputs per target: in ./run test, and in its long form, which ./run attacks takes to 100,000.
SHORT, LONG = 1_000, int(os.environ.get("TONGBAN_FUZZ", "10000"))
MAX_INPUT = 1 << 17
MEMORY_KIB = 96 << 10  # growth of the process that one run may leave behind
_EDGES = (0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x30, 0x31, 0x7F, 0x80, 0x81, 0x82, 0x84, 0xA0, 0xA1, 0xFE, 0xFF)


@dataclass(frozen=True)
class Target:
    """One row: ``parse`` takes bytes; ``again`` gives the bytes an accepted value stands for, where the form is unique;
    ``seconds`` of processor time are the most one input may cost; ``make`` makes an input where bytes changed at random would
    not get past the first check."""

    name: str
    parse: Callable[[bytes], Any]
    seeds: Sequence[bytes]
    refusals: tuple[type[Exception], ...] = (Malformed,)
    again: Callable[[Any], bytes] | None = None
    seconds: float = 1.0
    make: Callable[[random.Random], bytes] | None = None

    def __str__(self) -> str:
        return self.name.replace(" ", "-")


# --- mutations: (generator, bytes) -> bytes -------------------------------------------------------------------------------


def _spot(rng: random.Random, data: bytes) -> int:
    return rng.randrange(len(data) + 1)


def _slice(rng: random.Random, data: bytes) -> tuple[int, int]:
    start = _spot(rng, data)
    return start, min(len(data), start + rng.choice((1, 2, 4, 8, 32, 64, len(data))))


def _elements(data: bytes, at: int = 0, end: int | None = None, depth: int = 0) -> list[tuple[int, int, int]]:
    """(start, content, end) of the DER elements that can be made out, loosely, at any depth."""
    found: list[tuple[int, int, int]] = []
    end = len(data) if end is None else end
    while at + 2 <= end and depth < 16 and len(found) < 400:
        length, content = data[at + 1], at + 2
        if length > 0x80:
            content += length & 0x7F
            length = int.from_bytes(data[at + 2 : content], "big")
        if content + length > end:
            break
        found.append((at, content, content + length))
        if data[at] & 0x20 or data[at] in (0x03, 0x04):
            found += _elements(data, content + (data[at] == 0x03), content + length, depth + 1)
        at = content + length
    return found


def _element(rng: random.Random, data: bytes) -> tuple[int, int, int]:
    return rng.choice(_elements(data) or [(0, 0, len(data))])


def flip(rng: random.Random, data: bytes) -> bytes:
    at = rng.randrange(max(1, len(data)))
    return data[:at] + bytes(octet ^ 1 << rng.randrange(8) for octet in data[at : at + 1]) + data[at + 1 :]


def edge(rng: random.Random, data: bytes) -> bytes:
    at = _spot(rng, data)
    return data[:at] + bytes((rng.choice(_EDGES),)) + data[at + rng.randrange(2) :]


def fill(rng: random.Random, data: bytes) -> bytes:
    start, end = _slice(rng, data)
    return data[:start] + bytes((rng.choice(_EDGES),)) * (end - start) + data[end:]


def noise(rng: random.Random, data: bytes) -> bytes:
    start, end = _slice(rng, data)
    return data[:start] + rng.randbytes(end - start) + data[end:]


def cut(rng: random.Random, data: bytes) -> bytes:
    return data[: _spot(rng, data)]


def drop(rng: random.Random, data: bytes) -> bytes:
    start, end = _slice(rng, data)
    return data[:start] + data[end:]


def repeat(rng: random.Random, data: bytes) -> bytes:
    start, end = _slice(rng, data)
    return data[:end] + data[start:end] * rng.choice((1, 1, 2, 16)) + data[end:]


def append(rng: random.Random, data: bytes) -> bytes:
    return data + rng.choice((b"\0", b"\0\0", b"\x05\0", rng.randbytes(rng.randrange(1, 40))))


def garbage(rng: random.Random, data: bytes) -> bytes:
    return rng.randbytes(rng.choice((0, 1, 2, 8, 64, 65, 72, len(data), 300)))


def element_length(rng: random.Random, data: bytes) -> bytes:
    """A length that lies: one off, huge, indefinite, or longer in form than it must be."""
    start, content, end = _element(rng, data)
    size = end - content
    lies = (
        bytes((min(size + 1, 127),)), bytes((max(size - 1, 0) & 127,)), b"\x80", b"\xff", b"\x84\xff\xff\xff\xff",
        b"\x84\x7f\xff\xff\xff", b"\x81" + bytes((size & 255,)), b"\x82" + (size & 0xFFFF).to_bytes(2, "big"),
        b"\x89" + bytes(9),
    )  # fmt: skip
    return data[: start + 1] + rng.choice(lies) + data[content:]


def element_tag(rng: random.Random, data: bytes) -> bytes:
    start, _, _ = _element(rng, data)
    return data[:start] + bytes((rng.choice((*_EDGES, 0x22, 0x24, 0x1F, 0x3F, 0x0C, 0x17, 0x18)),)) + data[start + 1 :]


def element_away(rng: random.Random, data: bytes) -> bytes:
    start, _, end = _element(rng, data)
    return data[:start] + data[end:]


def element_elsewhere(rng: random.Random, data: bytes) -> bytes:
    """One element in the place of another, the lengths around them made right for neither."""
    (start, _, end), (other, _, stop) = _element(rng, data), _element(rng, data)
    return data[:start] + data[other:stop] + data[end:]


def rebuilt(rng: random.Random, data: bytes) -> bytes:
    """One inner element replaced with all lengths above it made right again, so that the change is reached."""
    found = _elements(data)
    if not found:
        return flip(rng, data)
    start, content, end = rng.choice(found)
    inner = data[content:end]
    body = rng.choice((b"", inner[1:], inner + b"\0", b"\0" + inner, inner[::-1], b"\xff" * len(inner), inner * 2))
    made, at, stop = data[start : start + 1] + _length(len(body)) + body, start, end
    for above, inside, last in sorted((e for e in found if e[1] <= start and e[2] >= end), reverse=True):
        if above == start:
            continue
        body = data[inside:at] + made + data[stop:last]
        made, at, stop = data[above : above + 1] + _length(len(body)) + body, above, last
    return data[:at] + made + data[stop:]


def nested(rng: random.Random, data: bytes) -> bytes:
    tag = rng.choice((b"\x30", b"\xa0", b"\x04", b"\x31"))
    for _ in range(rng.choice((1, 2, 31, 33, 400))):
        data = tag + _length(len(data)) + data
    return data


def large(rng: random.Random, data: bytes) -> bytes:
    size = rng.choice((1 << 12, 1 << 16))
    return rng.choice(
        (data + bytes(size), bytes((0x30, 0x83)) + size.to_bytes(3, "big") + b"\x02\x01\x01" * (size // 3))
    )


def _length(size: int) -> bytes:
    if size < 128:
        return bytes((size,))
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((0x80 + len(octets),)) + octets


# How often each is taken; the slow ones are rare.
MUTATIONS: dict[Callable[[random.Random, bytes], bytes], int] = {
    flip: 12, edge: 10, fill: 6, noise: 6, cut: 6, drop: 6, repeat: 5, append: 4, garbage: 3,
    element_length: 12, element_tag: 10, element_away: 8, element_elsewhere: 8, rebuilt: 16, nested: 2, large: 1,
}  # fmt: skip
_NAMES, _WEIGHTS = list(MUTATIONS), list(MUTATIONS.values())


def mutated(target: Target, index: int) -> bytes:
    """Input ``index`` of this target: a seed as it is, or changed one to four times."""
    if index < len(target.seeds):
        return target.seeds[index]
    rng = random.Random(f"{target.name} {index}")
    return target.make(rng) if target.make else changed(rng, rng.choice(target.seeds))


def changed(rng: random.Random, data: bytes) -> bytes:
    """The bytes changed one to four times."""
    for change in rng.choices(_NAMES, _WEIGHTS, k=rng.choice((1, 1, 1, 2, 4))):
        data = change(rng, data)[:MAX_INPUT]
    return data


# --- the run --------------------------------------------------------------------------------------------------------------


def attack(target: Target, count: int) -> Counter[str]:
    """Feed ``count`` inputs; how many got which verdict (``accepted`` or the refusal's code). AssertionError with the input."""
    verdicts: Counter[str] = Counter()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for index in _progress(target, count):
        verdicts[_verdict(target, index)] += 1
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < MEMORY_KIB, f"{target.name}: {grown} KiB more memory after {count} inputs"
    assert verdicts["accepted"], f"{target.name}: not even its seeds were accepted"
    return verdicts


def _verdict(target: Target, index: int) -> str:
    data = mutated(target, index)
    what = f"{target.name}, input {index}: {data[:400].hex()} ({len(data)} bytes)"
    started = time.thread_time()
    try:
        value = target.parse(data)
    except target.refusals as refusal:
        verdict = str(getattr(refusal, "code", type(refusal).__name__))
    except Exception as error:
        raise AssertionError(f"{what} raised {error!r}") from error
    else:
        verdict = "accepted"
        assert target.again is None or target.again(value) == data, f"{what} was accepted, yet encodes differently"
    spent = time.thread_time() - started
    assert spent <= target.seconds, f"{what} took {spent:.2f} s"
    return verdict


def _progress(target: Target, count: int) -> Iterable[int]:
    """The indices, with a bar when a person looks on."""
    console = Console(stderr=True)
    if not console.is_terminal:
        return range(count)
    return track(range(count), target.name, console=console, transient=True)
