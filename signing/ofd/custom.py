"""The custom data (CustomDatas, GB/T 33190-2016 7.4) of an OFD document of one body."""

from __future__ import annotations

from signing.errors import Malformed
from signing.ofd import xml
from signing.ofd.package import Package


def custom_data(package: Package) -> tuple[tuple[str, str], ...]:
    """(name, value) in the file's order. Malformed for a package without OFD.xml, and for one of several bodies: two readers
    could each take another one's data."""
    if "OFD.xml" not in package.digests:
        raise Malformed("ofd-entry", "OFD 所需的文件不在包内", "a file that the OFD needs is not in the package")
    bodies = xml.every(xml.parse(package.read("OFD.xml"), "OFD"), "DocBody")
    if len(bodies) != 1:
        raise Malformed("ofd-bodies", "OFD 应只有一个文档", "the OFD should hold one document")
    info = xml.one(bodies[0], "DocInfo")
    listed = xml.one(info, "CustomDatas") if info is not None else None
    every = xml.every(listed, "CustomData") if listed is not None else []
    return tuple((one.get("Name", ""), xml.text(one)) for one in every)
