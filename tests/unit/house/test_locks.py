"""The locks: hashes for every file, only known names, nothing below the advisory table, no index named."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
import warnings
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.sizes import ROOT

HERE = Path(__file__).parent
LOCKS = {"runtime": "requirements.lock", "test": "requirements-test.lock", "check": "requirements-check.lock"}
# An extra may be installed with or without the tests: it shares packages with them, in the same version.
EXTRAS = {"pdf": "requirements-pdf.lock", "channels": "requirements-channels.lock"}
ASKED = {"pdf": ("pdf",), "channels": ("postgres", "mariadb", "sftp")}  # which extras of pyproject.toml a lock holds
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+?)(?: ; ([^\\]+?))? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}(?: \\)?$")


def load(name: str) -> dict[str, Any]:
    return tomllib.loads((HERE / name).read_text("utf-8"))


def pins(lock: str) -> dict[str, str]:
    found = (PIN.match(line) for line in (ROOT / lock).read_text("utf-8").splitlines())
    return {match[1]: match[2] for match in found if match}


def project() -> dict[str, Any]:
    data: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return data


@pytest.mark.parametrize("lock", [*LOCKS.values(), *EXTRAS.values()])
def test_U01_every_line_is_a_pin_or_a_hash(lock: str) -> None:
    lines = [line for line in (ROOT / lock).read_text("utf-8").splitlines() if line and not line.startswith("#")]
    assert [line for line in lines if not (PIN.match(line) or HASH.match(line))] == []


@pytest.mark.parametrize("lock", [*LOCKS.values(), *EXTRAS.values()])
def test_U01_every_pin_has_a_hash(lock: str) -> None:
    lines = [line for line in (ROOT / lock).read_text("utf-8").splitlines() if line and not line.startswith("#")]
    bare = [
        line for line, after in zip(lines, [*lines[1:], ""], strict=True) if PIN.match(line) and not HASH.match(after)
    ]
    assert bare == []


@pytest.mark.parametrize(("kind", "lock"), [*LOCKS.items(), *EXTRAS.items()])
def test_U02_only_known_names(kind: str, lock: str) -> None:
    assert set(pins(lock)) - set(load("names.toml")[kind]) == set()


def test_U02_no_refused_or_lookalike_name() -> None:
    refused = set(load("advisories.toml")["refused"])
    named = {name for lock in (*LOCKS.values(), *EXTRAS.values()) for name in pins(lock)}
    assert named & refused == set()


def test_U03_nothing_pinned_below_the_advisory_table() -> None:
    minimum = load("advisories.toml")["minimum"]
    pinned = {name: version for lock in (*LOCKS.values(), *EXTRAS.values()) for name, version in pins(lock).items()}
    below = {
        name: pinned[name] for name in minimum if name in pinned and Version(pinned[name]) < Version(minimum[name])
    }
    assert below == {}


def test_U03_the_table_itself_admits_no_older_version() -> None:
    minimum = load("advisories.toml")["minimum"]
    asked = {requirement.name: requirement for requirement in map(Requirement, project()["dependencies"])}
    # A version just below the minimum must not satisfy what pyproject.toml asks for.
    admitted = {
        name
        for name in minimum.keys() & asked.keys()
        if asked[name].specifier.contains(f"{minimum[name]}.dev0", prereleases=True)
    }
    assert admitted == set()


def test_U03_the_table_is_fresh() -> None:
    age = dt.datetime.now(dt.UTC).date() - load("advisories.toml")["checked"]
    assert age >= dt.timedelta(days=-1), "checked in the future"
    if age > dt.timedelta(days=30):  # a warning, so that an old checkout still passes its own tests
        warnings.warn(
            f"the advisory table is {age.days} days old: renew tests/unit/house/advisories.toml", stacklevel=1
        )


def test_every_dependency_of_the_project_is_locked() -> None:
    extras = project()["optional-dependencies"]
    asked = {
        "runtime": [*project()["dependencies"], *extras["speed"], *extras["build"]],
        "test": extras["test"],
        "check": extras["check"],
    }
    locked: set[str] = set()
    for kind, lock in LOCKS.items():
        locked |= set(pins(lock))
        names = {Requirement(text).name.lower().replace("_", "-") for text in asked[kind]}
        assert names - locked == set()


def test_locks_do_not_overlap() -> None:
    sets = [set(pins(lock)) for lock in LOCKS.values()]
    assert sets[0] & sets[1] == sets[0] & sets[2] == sets[1] & sets[2] == set()


@pytest.mark.parametrize("extra", EXTRAS)
def test_an_extra_agrees_with_the_rest(extra: str) -> None:
    own = pins(EXTRAS[extra])
    others = {name: version for lock in LOCKS.values() for name, version in pins(lock).items()}
    assert {name for name in own.keys() & others.keys() if own[name] != others[name]} == set()
    assert set(own) & set(pins(LOCKS["runtime"])) == set()
    extras = project()["optional-dependencies"]
    asked = {Requirement(text).name.lower() for name in ASKED[extra] for text in extras[name]}
    assert asked - set(own) == set()
