"""The ledger's Merkle tree (账本): the shape of RFC 6962 section 2.1 with SM3 (GB/T 32905) in place of SHA-256.

A leaf is SM3(0x00 || salt || entry), an inner node SM3(0x01 || left || right); the prefixes keep one from being passed
off as the other. Nodes are addressed by (level, index): leaves are level 0, node (l, i) covers the leaves i*2^l up to
(i+1)*2^l. Only complete subtrees are nodes; they never change once written, so storing them is a plain insert and
reading them is ``get_node(level, index) -> 32 bytes``. Incomplete right edges are recomputed from complete nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from signing.sm3 import sm3

GetNode = Callable[[int, int], bytes]
Node = tuple[int, int, bytes]

HASH_SIZE = 32
MAX_SIZE = 1 << 62  # no ledger is ever this long; a larger number in a proof is hostile
EMPTY_ROOT = sm3(b"")

_LEAF = b"\x00"
_NODE = b"\x01"


@dataclass(frozen=True, slots=True)
class Frontier:
    """The right edge: roots of the complete subtrees of the first ``size`` leaves, largest first, one per 1-bit."""

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.size <= MAX_SIZE or len(self.hashes) != self.size.bit_count():
            raise ValueError(f"a frontier of {self.size} leaves cannot have {len(self.hashes)} hashes")


def leaf_hash(salt: bytes, entry: bytes) -> bytes:
    """The leaf that commits to a 32-byte entry digest under a 32-byte random salt; ValueError on other lengths."""
    if len(salt) != HASH_SIZE or len(entry) != HASH_SIZE:
        raise ValueError("salt and entry are 32 bytes each")
    return sm3(_LEAF + salt + entry)


def node_hash(left: bytes, right: bytes) -> bytes:
    """An inner node over its two children."""
    return sm3(_NODE + left + right)


def append(frontier: Frontier, leaf_hashes: Sequence[bytes]) -> tuple[Frontier, list[Node]]:
    """The frontier after the leaves, and every node completed by them, the leaves too, children before parents."""
    size = frontier.size
    edge = list(frontier.hashes)
    nodes: list[Node] = []
    for leaf in leaf_hashes:
        if len(leaf) != HASH_SIZE:
            raise ValueError("a leaf hash is 32 bytes")
        level, index, node = 0, size, leaf
        nodes.append((0, index, node))
        while index & 1:
            node = sm3(_NODE + edge.pop() + node)
            level += 1
            index >>= 1
            nodes.append((level, index, node))
        edge.append(node)
        size += 1
    return Frontier(size, tuple(edge)), nodes


def root(frontier: Frontier) -> bytes:
    """The root over all leaves; EMPTY_ROOT for none."""
    return _fold(frontier.hashes) if frontier.hashes else EMPTY_ROOT


def frontier_from(size: int, get_node: GetNode) -> Frontier:
    """The frontier of the first ``size`` leaves, read back from stored nodes."""
    _must(0 <= size <= MAX_SIZE, f"no tree has {size} leaves")
    return Frontier(size, tuple(_edge(0, size, get_node)))


def inclusion_path(index: int, size: int, get_node: GetNode) -> list[bytes]:
    """The siblings from leaf ``index`` up to the root of the first ``size`` leaves (RFC 6962 2.1.1)."""
    _must(0 <= index < size <= MAX_SIZE, f"no leaf {index} in a tree of {size}")
    path = []
    last, level = size - 1, 0
    while last:
        sibling = index ^ 1
        if sibling < last or (sibling == last and _complete(level, sibling, size)):
            path.append(get_node(level, sibling))
        elif sibling == last:
            path.append(_subtree(sibling << level, size, get_node))
        index >>= 1
        last >>= 1
        level += 1
    return path


def check_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the path proves ``leaf`` at ``index`` among ``size`` leaves under ``root`` (RFC 9162 2.1.3.2)."""
    if not 0 <= index < size <= MAX_SIZE or not _hashes(leaf, root, *path):
        return False
    node, last = leaf, size - 1
    for sibling in path:
        if last == 0:
            return False
        if index & 1 or index == last:
            node = node_hash(sibling, node)
            while not index & 1:
                index >>= 1
                last >>= 1
        else:
            node = node_hash(node, sibling)
        index >>= 1
        last >>= 1
    return last == 0 and node == root


def consistency_path(old: int, new: int, get_node: GetNode) -> list[bytes]:
    """What proves that the tree of ``new`` begins with the tree of ``old`` (RFC 6962 2.1.2); empty if trivial."""
    _must(0 <= old <= new <= MAX_SIZE, f"a tree of {new} does not extend one of {old}")
    if old in (0, new):
        return []
    path: list[bytes] = []
    begin, end, whole = (
        0,
        new,
        True,
    )  # the subtree looked at; whole: the verifier knows its old root, it is the old root
    while old != end:
        middle = begin + _split(end - begin)
        if old <= middle:
            path.append(_subtree(middle, end, get_node))
            end = middle
        else:
            path.append(_subtree(begin, middle, get_node))
            begin, whole = middle, False
    if not whole:
        path.append(_subtree(begin, end, get_node))
    path.reverse()
    return path


def check_consistency(old_size: int, new_size: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the path proves that the new tree extends the old one (RFC 9162 2.1.4.2). The empty tree precedes all."""
    if not 0 <= old_size <= new_size <= MAX_SIZE or not _hashes(old_root, new_root, *path):
        return False
    if old_size == 0:
        return not path and old_root == EMPTY_ROOT and (new_size > 0 or new_root == EMPTY_ROOT)
    if old_size == new_size:
        return not path and old_root == new_root
    return _walk_consistency(old_size, new_size, old_root, new_root, path)


def _walk_consistency(old_size: int, new_size: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> bool:
    steps = list(path) if old_size & (old_size - 1) else [old_root, *path]  # a power of two: its root is the first step
    if not steps:
        return False
    index, last = old_size - 1, new_size - 1
    while index & 1:
        index >>= 1
        last >>= 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if index & 1 or index == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while index and not index & 1:
                index >>= 1
                last >>= 1
        else:
            new = node_hash(new, step)
        index >>= 1
        last >>= 1
    return last == 0 and old == old_root and new == new_root


def _complete(level: int, index: int, size: int) -> bool:
    return (index + 1) << level <= size


def _split(length: int) -> int:
    """The largest power of two smaller than ``length`` (length > 1)."""
    return 1 << (length - 1).bit_length() - 1


def _edge(begin: int, end: int, get_node: GetNode) -> list[bytes]:
    """Roots of the complete subtrees that make up [begin, end), left to right; begin is aligned to the largest."""
    hashes = []
    while begin < end:
        level = (end - begin).bit_length() - 1
        hashes.append(get_node(level, begin >> level))
        begin += 1 << level
    return hashes


def _subtree(begin: int, end: int, get_node: GetNode) -> bytes:
    return _fold(_edge(begin, end, get_node))


def _fold(edge: Sequence[bytes]) -> bytes:
    node = edge[-1]
    for left in reversed(edge[:-1]):
        node = sm3(_NODE + left + node)
    return node


def _hashes(*values: bytes) -> bool:
    return all(isinstance(value, bytes) and len(value) == HASH_SIZE for value in values)


def _must(condition: bool, complaint: str) -> None:
    if not condition:
        raise ValueError(complaint)
