"""The golden vectors: canonical bytes and digests computed elsewhere, and defects that must be refused by name."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from schemas import codec
from schemas.errors import Invalid
from signing.sm3 import sm3

FOLDER = Path(__file__).resolve().parents[2] / "vectors" / "canonical"
BODIES = json.loads((FOLDER / "bodies.json").read_text("utf-8"))
DEFECTS = json.loads((FOLDER / "defects.json").read_text("utf-8"))


def generator() -> Any:
    spec = importlib.util.spec_from_file_location("canonical_vectors", FOLDER / "generate.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("vector", BODIES, ids=lambda vector: vector["name"])
def test_canonical_bytes_computed_elsewhere(vector: dict[str, str]) -> None:
    data = vector["canonical"].encode()
    assert codec.encode(codec.decode(vector["type"], data)) == data
    assert sm3(data).hex() == vector["sm3"]


@pytest.mark.parametrize("vector", DEFECTS, ids=lambda vector: f"{vector['row']} {vector['name']}")
def test_a_defect_is_refused_by_name(vector: dict[str, str]) -> None:
    with pytest.raises(Invalid) as caught:
        codec.decode(vector["type"], bytes.fromhex(vector["data"]))
    assert caught.value.code == vector["code"]


def test_the_files_are_what_the_generator_writes() -> None:
    module = generator()
    for name, make in module.FILES.items():
        assert json.loads((FOLDER / name).read_text("utf-8")) == make(), f"run {FOLDER / 'generate.py'}"
