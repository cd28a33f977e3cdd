"""The tree against the published vectors of Certificate Transparency and against the definition itself."""

from __future__ import annotations

import pytest

from tests.ledger import second_verifier as second
from trueup.ledger.tree import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    peaks_of,
    root_of,
    verify_consistency,
    verify_inclusion,
)

# The leaves and roots with which certificate-transparency implementations test themselves.
LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
PATHS = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
CONSISTENCY = {
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}


class Stored:
    """A tree whose nodes are kept as the store keeps them: with the leaf that completed them."""

    def __init__(self, leaves: list[bytes]) -> None:
        frontier = Frontier()
        self.nodes = [frontier.append(leaf_hash(leaf)) for leaf in leaves]
        self.root = frontier.root()

    def node(self, level: int, position: int) -> bytes:
        return self.nodes[((position + 1) << level) - 1][level * 32 : level * 32 + 32]


def hexes(hashes: list[bytes]) -> list[str]:
    return [item.hex() for item in hashes]


def test_empty_tree_hashes_to_the_hash_of_nothing() -> None:
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert Frontier().root() == EMPTY_ROOT


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_of_the_published_leaves(size: int) -> None:
    tree = Stored(LEAVES[:size])
    assert tree.root.hex() == ROOTS[size - 1]
    assert root_of(peaks_of(size, Stored(LEAVES).node)) == tree.root
    assert second.tree_hash(LEAVES[:size]) == tree.root


@pytest.mark.parametrize(("at", "expected"), PATHS.items())
def test_published_inclusion_paths(at: tuple[int, int], expected: list[str]) -> None:
    assert hexes(inclusion_proof(*at, Stored(LEAVES).node)) == expected


@pytest.mark.parametrize(("sizes", "expected"), CONSISTENCY.items())
def test_published_consistency_proofs(sizes: tuple[int, int], expected: list[str]) -> None:
    assert hexes(consistency_proof(*sizes, Stored(LEAVES).node)) == expected


def test_frontier_refuses_peaks_that_do_not_fit_its_size() -> None:
    with pytest.raises(ValueError, match="2 peaks"):
        Frontier(5, [b"x" * 32])


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_no_path_to_a_leaf_that_is_not_there(index: int, size: int) -> None:
    tree = Stored(LEAVES)
    with pytest.raises(ValueError, match="has no leaf"):
        inclusion_proof(index, size, tree.node)
    assert not verify_inclusion(index, size, leaf_hash(b""), [], EMPTY_ROOT)


@pytest.mark.parametrize(("old", "new"), [(0, 3), (4, 3), (-1, 2)])
def test_no_consistency_from_nothing_or_backwards(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="no proof"):
        consistency_proof(old, new, Stored(LEAVES).node)
    assert not verify_consistency(old, new, EMPTY_ROOT, EMPTY_ROOT, [])


def test_altered_paths_are_refused() -> None:
    tree = Stored(LEAVES[:7])
    for index in range(7):
        path = inclusion_proof(index, 7, tree.node)
        hashed = leaf_hash(LEAVES[index])
        assert verify_inclusion(index, 7, hashed, path, tree.root)
        assert not verify_inclusion(index, 7, leaf_hash(b"other"), path, tree.root)
        assert not verify_inclusion((index + 1) % 7, 7, hashed, path, tree.root)
        assert not verify_inclusion(index, 7, hashed, [*path, path[0]], tree.root)
        assert not verify_inclusion(index, 7, hashed, path[:-1], tree.root)
        for at in range(len(path)):
            bent = [*path]
            bent[at] = bytes([bent[at][0] ^ 1]) + bent[at][1:]
            assert not verify_inclusion(index, 7, hashed, bent, tree.root)
