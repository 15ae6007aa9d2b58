"""Where a front database is: what ``base_url`` may say, and what it may not."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from adapters.base import Untranslatable
from adapters.front_db.address import Address, read_address, tls_of

GOOD = [
    ("sqlite:///srv/front.db", Address("sqlite", "/srv/front.db")),
    ("sqlite:///srv/a b%20?.db", Address("sqlite", "/srv/a b%20?.db")),
    ("postgresql://tb@db.gov/front", Address("postgresql", "front", "db.gov", 0, "tb", tls=True)),
    ("postgres://tb@127.0.0.1:5433/front", Address("postgresql", "front", "127.0.0.1", 5433, "tb")),
    ("mysql://t%40b@[::1]:3307/fr%2Font", Address("mariadb", "fr/ont", "::1", 3307, "t@b")),
    ("mariadb://tb@/front?socket=/run/mysqld/mysqld.sock", Address("mariadb", "front", "", 0, "tb", "/run/mysqld/mysqld.sock")),
    ("postgresql://tb@:5433/front?socket=/run/postgresql", Address("postgresql", "front", "", 5433, "tb", "/run/postgresql")),
    ("mariadb://tb@db/front?tls=off", Address("mariadb", "front", "db", 0, "tb")),
    ("mariadb://tb@localhost/front?tls=on&ca=/ca.pem", Address("mariadb", "front", "localhost", 0, "tb", "", True, "/ca.pem")),
]  # fmt: skip


@pytest.mark.parametrize(("url", "found"), GOOD)
def test_an_address_is_read(url: str, found: Address) -> None:
    assert read_address(url) == found


BAD = [
    "", "http://127.0.0.1/", "sqlite:relative.db", "sqlite://host/x", "postgresql://db/front", "postgresql://tb@db", "postgresql://tb@db/",
    "postgresql://tb:SECRET@db/front", "postgresql://tb@/front", "mariadb://tb@db/front?socket=/run/s", "mariadb://tb@db:99999/front",
    "mariadb://tb@db:x/front", "mariadb://tb@db/front?tls=maybe", "mariadb://tb@db/front?password=SECRET", "mariadb://tb@db/front?tls",
    "mariadb://tb@db/front?tls=on&tls=off", "mariadb://tb@db/front#x",
    "mariadb://tb@/front?socket=/run/s&tls=on", "oracle://tb@db/front", "postgresql://tb@[::1/front",
]  # fmt: skip


@pytest.mark.parametrize("url", BAD)
def test_any_other_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(Untranslatable) as caught:
        read_address(url)
    assert caught.value.path == "base_url" and "SECRET" not in f"{caught.value} {caught.value.zh} {caught.value.en}"


def test_authorities_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "none.pem").write_text("none")
    for name in ("missing.pem", "none.pem"):
        with pytest.raises(Untranslatable) as caught:
            tls_of(Address("mariadb", "front", "db", user="tb", tls=True, ca=str(tmp_path / name)))
        assert caught.value.code == "front-ca" and name in caught.value.en
    assert tls_of(Address("mariadb", "front", "db", user="tb")) is None
    found = tls_of(Address("mariadb", "front", "db", user="tb", tls=True))
    assert found is not None and found.check_hostname and found.verify_mode is ssl.CERT_REQUIRED
