"""A document of 50 MB is verified in less than 100 MB of memory, because it is read from its file slice by slice."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.slices import FileSlices
from tests.bench.ofd import document, sealed, verified
from tests.bench.seals import City

LIMIT_MB = 100


@pytest.mark.processes
def test_F02_a_document_of_50_MB_costs_less_than_100_MB(tmp_path: Path) -> None:
    """Measured of a process that does nothing else; the same measure shows the file where it is read whole."""
    city = City()
    path, root = tmp_path / "large.ofd", tmp_path / "root.der"
    path.write_bytes(sealed(city, city.unit(), document(0, pictures=50, size=1 << 20)))
    root.write_bytes(city.authority.certificate.der)
    sliced, whole = verified(path, root), verified(path, root, "--whole")
    assert sliced["ok"] is whole["ok"] is True and sliced["mb"] > 50
    assert sliced["rss_mb"] < LIMIT_MB
    assert whole["rss_mb"] - sliced["rss_mb"] > 40, "the measure does not see 50 MB"


def test_slices_of_a_file_are_those_of_its_bytes(tmp_path: Path) -> None:
    content = bytes(range(256)) * 9
    (tmp_path / "f").write_bytes(content)
    with FileSlices(tmp_path / "f") as found:
        assert len(found) == len(content)
        for where in (slice(0, 4), slice(None), slice(100, 90), slice(-5, None), slice(2300, 9999), slice(9999, None)):
            assert found[where] == content[where]
        (tmp_path / "f").write_bytes(content[:10])
        assert found[5:20] == content[5:10]
