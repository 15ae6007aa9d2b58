"""No profile is another's copy: an alias says so, and every other difference is proved by a vector that fails under the other.

``vectors.json`` is made with the standard library; ``wires.json`` holds what each profile that stands alone writes of one sample,
by ``python -m tests.unit.adapters.test_profiles_apart`` when a profile is meant to change.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import tempfile
from base64 import b64decode
from contextlib import closing
from functools import cache
from itertools import permutations
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters import samples
from adapters.base import Accepted, Untranslatable
from adapters.front_db.translate import Words
from adapters.leaning import OWN, whole
from adapters.profile import compile_profile
from adapters.registry import open_translator, read_profile
from gateway.cli import adapter_test, profile_files
from schemas.errors import Invalid
from tests.unit.adapters.support import PROFILES, RESOURCES, ROOT, open_test, toml

HERE = ROOT / "tests" / "vectors" / "profiles"
VECTORS: list[dict[str, Any]] = json.loads((HERE / "vectors.json").read_text("utf-8"))
NAMES = sorted(one.stem for one in PROFILES.glob("*.toml"))
RAW = {name: toml(name) for name in NAMES}
HEADER = {*OWN, "version", "basis", "notice", "assumed", "alias_of", "like"}
ALIASES = {name: RAW[name]["alias_of"] for name in NAMES if RAW[name].get("alias_of")}
LIKE = {name: RAW[name]["like"] for name in NAMES if RAW[name].get("like")}
ALONE = [name for name in NAMES if name not in ALIASES and name not in LIKE]
APART = [pair for pair in permutations([*ALONE, *LIKE], 2) if RAW[pair[0]]["family"] == RAW[pair[1]]["family"]]
SAMPLES = ("application", "acceptance", "step", "decision", "receipt")


def tables(name: str) -> dict[str, Any]:
    """A profile without what says whose it is."""
    return {key: value for key, value in RAW[name].items() if key not in HEADER}


@cache
def translator(name: str) -> Any:
    return open_translator((PROFILES / f"{name}.toml").read_bytes(), RESOURCES)


def holds(vector: dict[str, Any], name: str) -> bool:
    """Whether the vector is true of a profile."""
    try:
        return WAYS[vector["way"]](vector, name)
    except (Untranslatable, Invalid, UnicodeError, sqlite3.Error):
        return False


def _in(vector: dict[str, Any], name: str) -> bool:
    act = translator(name).inbound(vector["operation"], b64decode(vector["body"]))
    said = msgspec.to_builtins(act.body)
    return all(said.get(key) == value for key, value in vector["says"].items())


def _out(vector: dict[str, Any], name: str) -> bool:
    wire = translator(name).outbound(samples.outbound(vector["type"]))
    return vector["words"] in wire.body.decode(vector["encoding"])


def _front(vector: dict[str, Any], name: str) -> bool:
    """Our row goes into a table of these columns, by the real channel."""
    words = msgspec.convert(compile_profile(RAW[name]).text.front, Words)
    table, expected = vector["written"]["table"], vector["written"]["columns"]
    if words.go.table != table or words.ack.digest != vector["digest"]:
        return False
    columns = [words.go.id, words.go.content, words.go.order, *expected]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "front.db"
        with closing(sqlite3.connect(path)) as db:
            db.execute(f"CREATE TABLE {table} ({', '.join(dict.fromkeys(columns))})")
            sent = asyncio.run(_send(name, f"sqlite://{path}"))
            found = db.execute(f"SELECT {', '.join(expected)} FROM {table}").fetchall()
    return isinstance(sent, Accepted) and found == [tuple(expected.values())]


def _drop(vector: dict[str, Any], name: str) -> bool:
    """Our document arrives in this folder as these files, by the real channel."""
    with tempfile.TemporaryDirectory() as folder:
        for one in ("in", "out", "to_tongban", "from_tongban"):
            (Path(folder) / one).mkdir()
        sent = asyncio.run(_send(name, f"file://{folder}"))
        written = (Path(folder) / vector["folder"]).iterdir()
        found = sorted(one.suffix for one in written if one.is_file())
    return isinstance(sent, Accepted) and found == vector["suffixes"]


async def _send(name: str, url: str) -> Any:
    platform = open_test(name, url)
    try:
        return await platform.channel.send(platform.translator.outbound(samples.outbound("application")))
    finally:
        await platform.channel.close()


WAYS = {"in": _in, "out": _out, "front": _front, "drop": _drop}


def wires(name: str) -> dict[str, str]:
    """What a profile writes of the samples, with the operation and the path."""
    found = {}
    for type_ in SAMPLES:
        try:
            wire = translator(name).outbound(samples.outbound(type_))
        except Untranslatable:
            continue
        found[type_] = f"{wire.operation} {wire.path} {wire.content_type}\n{wire.body.hex()}"
    return found


def kept() -> dict[str, dict[str, str]]:
    return dict(json.loads((HERE / "wires.json").read_text("utf-8")))


def test_no_two_profiles_are_the_same_but_an_alias() -> None:
    same = [(one, other) for one, other in permutations([*ALONE, *LIKE], 2) if tables(one) == tables(other)]
    assert same == [], "write alias_of"
    for alias, base in ALIASES.items():
        assert tables(alias) == tables(base) and RAW[alias]["division"]
    divisions = [(RAW[name]["family"], RAW[name]["division"], RAW[name]["title"]) for name in NAMES]
    assert len(set(divisions)) == len(divisions)


@pytest.mark.parametrize(
    "number", range(len(VECTORS)), ids=lambda n: f"{VECTORS[n]['profile']}-{VECTORS[n]['way']}-{n}"
)
def test_a_vector_is_true_of_its_profile_and_not_of_the_one_that_it_is_like(number: int) -> None:
    vector = VECTORS[number]
    assert holds(vector, vector["profile"])
    assert not holds(vector, LIKE[vector["profile"]])


@pytest.mark.parametrize("name", sorted(LIKE))
def test_each_thing_that_is_assumed_has_a_vector(name: str) -> None:
    own = len(RAW[name]["assumed"]) - len(RAW[LIKE[name]].get("assumed", []))
    assert {one["assumed"] for one in VECTORS if one["profile"] == name} == set(range(own))
    text = {key: value for key, value in RAW[name].items() if key not in HEADER}
    assert text != tables(LIKE[name])


@pytest.mark.parametrize("name", ALONE)
def test_what_a_profile_writes_is_what_it_wrote(name: str) -> None:
    assert wires(name) == kept()[name]


@pytest.mark.parametrize(("one", "other"), APART, ids=lambda name: name)
def test_two_profiles_of_a_family_are_told_apart(one: str, other: str) -> None:
    if one in LIKE:
        assert any(not holds(vector, other) for vector in VECTORS if vector["profile"] == one)
    else:
        assert kept()[one] and wires(other) != kept()[one]


BASE = """name = "base"
title = "甲"
division = "350100"
family = "front_db"
assumed = ["1"]
[tables]
a = { x = "1" }
""".encode()
ALIAS_TEXT = 'name = "b"\ntitle = "乙"\ndivision = "350300"\nalias_of = "base"\n'
LIKE_TEXT = ALIAS_TEXT.replace("alias_of", "like") + 'assumed = ["2"]\n[tables]\na = { y = "2" }\nb = { z = "3" }\n'


def test_what_is_laid_over_replaces_the_whole_table_and_keeps_the_rest() -> None:
    found = read_profile(LIKE_TEXT.encode(), {"base.toml": BASE})
    assert found["tables"] == {"a": {"y": "2"}, "b": {"z": "3"}}
    assert (found["name"], found["division"], found["assumed"]) == ("b", "350300", ["1", "2"])


@pytest.mark.parametrize(
    ("text", "files"),
    [
        (ALIAS_TEXT, {}),
        (ALIAS_TEXT + 'encoding = "gbk"\n', {"base.toml": BASE}),
        (ALIAS_TEXT.replace('division = "350300"\n', ""), {"base.toml": BASE}),
        (ALIAS_TEXT + 'like = "base"\n', {"base.toml": BASE}),
        (LIKE_TEXT.replace('assumed = ["2"]\n', ""), {"base.toml": BASE}),
        (ALIAS_TEXT, {"base.toml": b"\xff"}),
        (ALIAS_TEXT.replace('"base"', "7"), {"base.toml": BASE}),
    ],
)
def test_a_profile_that_leans_badly_is_refused(text: str, files: dict[str, bytes]) -> None:
    with pytest.raises(Untranslatable) as caught:
        read_profile(text.encode(), files)
    assert caught.value.code == "profile-leans"


def test_an_alias_writes_its_own_division_and_is_kept_with_what_it_leans_on() -> None:
    columns = {"type": "10", "fromareacode": "tongban", "toareacode": "350300"}
    written = {"table": "provinceinfo", "columns": columns}
    vector = {"way": "front", "written": written, "digest": ""}
    assert holds(vector, "putian") and not holds(vector, "fuzhou")
    platform = open_test("putian", "sqlite:///nowhere/front.db")
    assert set(platform.files) == {"profile.toml", "fujian_front.toml"} and platform.mapping.startswith("putian@1#")
    again = open_translator(platform.files["profile.toml"], platform.files)
    assert again.outbound(samples.outbound("application")) == platform.translator.outbound(
        samples.outbound("application")
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_profile_passes_its_own_test(name: str) -> None:
    assert [step.name for step in adapter_test.run(profile_files.load(name)) if not step.ok] == []


def test_a_profile_of_a_node_may_lean_on_one_of_the_package(tmp_path: Path) -> None:
    (tmp_path / "ours.toml").write_text(LIKE_TEXT.replace('"base"', '"guangzhou"').replace('"b"', '"ours"'), "utf-8")
    found = profile_files.load(str(tmp_path / "ours.toml"))
    assert {"guangzhou.toml", "guangzhou.xsd"} <= set(found.beside) and "qiaokou.toml" not in found.beside
    assert not isinstance(profile_files.compiled(found), list)


def test_nobody_leans_on_who_leans() -> None:
    with pytest.raises(Untranslatable, match="profile-leans"):
        whole({"alias_of": "base", "name": "c", "title": "丙", "division": "1"}, {"base.toml": ALIAS_TEXT.encode()})


if __name__ == "__main__":
    written = json.dumps({name: wires(name) for name in ALONE}, ensure_ascii=False, indent=1)
    (HERE / "wires.json").write_text(written + "\n", "utf-8")
    sys.exit(0)
