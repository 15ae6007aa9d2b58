"""The Merkle tree against a naive recursive reference, and the ways in which a proof can be wrong."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from functools import cache, lru_cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger import tree
from signing.sm3 import sm3

SIZES = 300


def leaf(n: int) -> bytes:
    return tree.leaf_hash(sm3(b"salt %d" % n), sm3(b"entry %d" % n))


LEAVES = [leaf(n) for n in range(SIZES)]


@cache
def naive(begin: int, end: int) -> bytes:
    """RFC 6962 2.1, word for word."""
    if begin == end:
        return sm3(b"")
    if end - begin == 1:
        return LEAVES[begin]
    k = 1
    while k * 2 < end - begin:
        k *= 2
    return sm3(b"\x01" + naive(begin, begin + k) + naive(begin + k, end))


def naive_path(m: int, begin: int, end: int) -> list[bytes]:
    if end - begin == 1:
        return []
    k = 1
    while k * 2 < end - begin:
        k *= 2
    if m < k:
        return [*naive_path(m, begin, begin + k), naive(begin + k, end)]
    return [*naive_path(m - k, begin + k, end), naive(begin, begin + k)]


def naive_proof(m: int, begin: int, end: int, whole: bool = True) -> list[bytes]:
    """SUBPROOF of RFC 6962 2.1.2."""
    if m == end - begin:
        return [] if whole else [naive(begin, end)]
    k = 1
    while k * 2 < end - begin:
        k *= 2
    if m <= k:
        return [*naive_proof(m, begin, begin + k, whole), naive(begin + k, end)]
    return [*naive_proof(m - k, begin + k, end, False), naive(begin, begin + k)]


@lru_cache(maxsize=1)
def nodes() -> dict[tuple[int, int], bytes]:
    _, made = tree.append(tree.Frontier(), LEAVES)
    return {(level, index): node for level, index, node in made}


def get(level: int, index: int) -> bytes:
    return nodes()[level, index]


@pytest.mark.parametrize("step", [1, 7, 64, SIZES])
def test_root_and_frontier_at_every_size(step: int) -> None:
    frontier = tree.Frontier()
    assert tree.root(frontier) == tree.EMPTY_ROOT == naive(0, 0)
    seen = 0
    for begin in range(0, SIZES, step):
        frontier, made = tree.append(frontier, LEAVES[begin : begin + step])
        assert tree.root(frontier) == naive(0, frontier.size)
        assert tree.frontier_from(frontier.size, get) == frontier
        assert [(level, index) for level, index, _ in made] == sorted(
            ((level, index) for level, index, _ in made), key=lambda place: ((place[1] + 1) << place[0], place[0])
        ), "children come before parents"
        seen += len(made)
    assert seen == len(nodes())


@pytest.mark.parametrize("size", range(1, SIZES + 1))
def test_inclusion_at_every_size(size: int) -> None:
    for index in range(0, size, 1 if size < 70 else 17):
        path = tree.inclusion_path(index, size, get)
        assert path == naive_path(index, 0, size)
        assert tree.check_inclusion(LEAVES[index], index, size, path, naive(0, size))


@pytest.mark.parametrize("new", range(1, SIZES + 1))
def test_consistency_at_every_pair(new: int) -> None:
    for old in range(0, new + 1, 1 if new < 70 else 13):
        path = tree.consistency_path(old, new, get)
        assert path == ([] if old in (0, new) else naive_proof(old, 0, new))
        assert tree.check_consistency(old, new, naive(0, old), naive(0, new), path)


def test_L04_a_node_is_never_a_leaf() -> None:
    """An inner node passed off as a leaf, or a tree of half the size over the inner nodes, does not verify."""
    assert tree.leaf_hash(LEAVES[0], LEAVES[1]) != tree.node_hash(LEAVES[0], LEAVES[1])
    assert get(1, 0) == tree.node_hash(LEAVES[0], LEAVES[1])
    halves, _ = tree.append(tree.Frontier(), [tree.leaf_hash(LEAVES[n], LEAVES[n + 1]) for n in range(0, 8, 2)])
    assert tree.root(halves) != naive(0, 8)


def test_L04_a_leaf_of_another_shape_is_refused() -> None:
    for salt, entry in ((b"", bytes(64)), (bytes(31), bytes(33)), (bytes(32), bytes(33))):
        with pytest.raises(ValueError, match="32 bytes"):
            tree.leaf_hash(salt, entry)


def test_L05_proofs_for_another_index_size_or_length_are_refused() -> None:
    size, index = 13, 5
    path, root = tree.inclusion_path(index, size, get), naive(0, size)
    assert tree.check_inclusion(LEAVES[index], index, size, path, root)
    for other in (*range(index), *range(index + 1, size), -1, size, 1 << 70):
        assert not tree.check_inclusion(LEAVES[index], other, size, path, root)
    for other in (0, -1, 5, 8, 200, 1 << 62, 1 << 63, 1 << 200):
        assert not tree.check_inclusion(LEAVES[index], index, other, path, root)
    for other in (*range(index + 1, size), *range(size + 1, SIZES)):  # a size counts with its own root, as it is signed
        assert not tree.check_inclusion(LEAVES[index], index, other, path, naive(0, other))
    for other in ([], path[:-1], path[1:], [*path, bytes(32)], path[::-1]):
        assert not tree.check_inclusion(LEAVES[index], index, size, other, root)
    for other in (path[0][:-1], path[0] + b"\0", b""):
        assert not tree.check_inclusion(LEAVES[index], index, size, [other, *path[1:]], root)
    assert not tree.check_inclusion(LEAVES[index][:-1], index, size, path, root)
    assert not tree.check_inclusion(LEAVES[index], index, size, path, root[:-1])


def test_L05_a_sha256_tree_is_not_an_sm3_tree() -> None:
    a, b = hashlib.sha256(b"\0a").digest(), hashlib.sha256(b"\0b").digest()
    assert not tree.check_inclusion(a, 0, 2, [b], hashlib.sha256(b"\x01" + a + b).digest())


def test_L03_a_forked_tree_is_not_consistent() -> None:
    forked = [*LEAVES[:40], leaf(10_000), *LEAVES[41:64]]
    frontier, made = tree.append(tree.Frontier(), forked)
    other = {(level, index): node for level, index, node in made}
    path = tree.consistency_path(41, 64, lambda level, index: other[level, index])
    assert tree.check_consistency(
        40, 64, naive(0, 40), tree.root(frontier), tree.consistency_path(40, 64, lambda a, b: other[a, b])
    )
    assert not tree.check_consistency(41, 64, naive(0, 41), tree.root(frontier), path)
    assert not tree.check_consistency(41, 64, naive(0, 41), naive(0, 64), path)


def test_consistency_at_its_edges() -> None:
    empty, five = tree.EMPTY_ROOT, naive(0, 5)
    assert tree.check_consistency(0, 0, empty, empty, [])
    assert tree.check_consistency(0, 5, empty, five, [])
    assert tree.check_consistency(5, 5, five, five, [])
    assert not tree.check_consistency(0, 5, five, five, [])
    assert not tree.check_consistency(0, 0, empty, five, [])
    assert not tree.check_consistency(0, 5, empty, five, [five])
    assert not tree.check_consistency(5, 5, five, empty, [])
    assert not tree.check_consistency(5, 4, five, naive(0, 4), [])
    assert not tree.check_consistency(-1, 4, five, naive(0, 4), [])
    assert not tree.check_consistency(4, 1 << 63, naive(0, 4), five, [])
    assert not tree.check_consistency(4, 5, naive(0, 4), five, [])
    assert not tree.check_consistency(3, 5, naive(0, 3), five, [])


@given(st.integers(1, SIZES), st.data())
def test_a_changed_consistency_path_is_refused(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new))
    path = tree.consistency_path(old, new, get)
    broken = damaged(path, data)
    if broken != path:
        assert not tree.check_consistency(old, new, naive(0, old), naive(0, new), broken)


@given(st.integers(1, SIZES), st.data())
def test_a_changed_inclusion_path_is_refused(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    path = tree.inclusion_path(index, size, get)
    broken = damaged(path, data)
    if broken != path:
        assert not tree.check_inclusion(LEAVES[index], index, size, broken, naive(0, size))


def damaged(path: Sequence[bytes], data: st.DataObject) -> list[bytes]:
    """The path with one node changed, added, removed or moved."""
    broken = list(path)
    how = data.draw(st.sampled_from(["flip", "add", "drop", "swap"]))
    if how == "add":
        broken.insert(data.draw(st.integers(0, len(broken))), data.draw(st.binary(min_size=32, max_size=32)))
    elif broken:
        at = data.draw(st.integers(0, len(broken) - 1))
        if how == "flip":
            broken[at] = bytes([broken[at][0] ^ 1]) + broken[at][1:]
        elif how == "drop":
            del broken[at]
        else:
            broken.append(broken.pop(at))
    return broken


@given(
    st.binary(max_size=40),
    st.integers(-3, 1 << 65),
    st.integers(-3, 1 << 65),
    st.lists(st.binary(max_size=33), max_size=70),
)
def test_hostile_proofs_are_answered_and_never_raise(root: bytes, one: int, two: int, path: list[bytes]) -> None:
    assert not tree.check_inclusion(LEAVES[0], one, two, path, root)
    assert not tree.check_consistency(one, two, LEAVES[0], root, path) or (one == 0 and two == 0)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 3), (0, 1 << 63)])
def test_paths_are_not_made_for_what_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no leaf"):
        tree.inclusion_path(index, size, get)


def test_a_frontier_that_cannot_be_is_refused() -> None:
    for size, hashes in ((3, ()), (-1, ()), (1, (b"",) * 2)):
        with pytest.raises(ValueError, match="frontier"):
            tree.Frontier(size, hashes)
    with pytest.raises(ValueError, match="32 bytes"):
        tree.append(tree.Frontier(), [b"short"])
    with pytest.raises(ValueError, match="extend"):
        tree.consistency_path(5, 4, get)
    with pytest.raises(ValueError, match="no tree"):
        tree.frontier_from(-1, get)


def test_a_batch_of_64_is_appended_well_within_a_millisecond() -> None:
    """Aim: 0.3 ms. The bound allows for a loaded machine; a quadratic or per-leaf root would be far outside it."""
    frontier, _ = tree.append(tree.Frontier(), LEAVES)
    best = 1.0
    for _ in range(30):
        begin = time.perf_counter()
        tree.append(frontier, LEAVES[:64])
        best = min(best, time.perf_counter() - begin)
    assert best < 0.001
