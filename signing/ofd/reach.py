"""What each file of an OFD package can do to what a reader shows (防夹带, GM/T 0099-2020 annex D): said of files that no
signature covers.

From OFD.xml on, the files that name others are read and each named file gets the effect of the element that names it. A
file that nothing names is ``hidden``. Nothing is refused here: what cannot be read names nothing, and after ``MAX_READ``
bytes of XML no more is read (the rest is ``unread``).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final

from signing.errors import Malformed
from signing.ofd import xml
from signing.ofd.container import ROOT, resolve
from signing.ofd.package import Package

MAX_READ: Final = 16 << 20
# Element -> (the attribute that holds the location, None for its text; the effect, None for that of the naming file).
_NAMING: Final[dict[str, tuple[str | None, str | None]]] = {
    "DocRoot": (None, "document"),
    "Page": ("BaseLoc", "page"),
    "TemplatePage": ("BaseLoc", "template"),
    "Annotations": (None, "annotation"),
    "PublicRes": (None, "resource"),
    "DocumentRes": (None, "resource"),
    "PageRes": (None, "resource"),
    "MediaFile": (None, "resource"),
    "FontFile": (None, "resource"),
    "ColorSpace": ("Profile", "resource"),
    "Version": ("BaseLoc", "version"),
    "Attachments": (None, "attachment"),
    "CustomTags": (None, "data"),
    "Extensions": (None, "data"),
    "ExtendData": (None, "data"),
    "SchemaLoc": (None, "data"),
    "Cover": (None, "data"),
    "FileLoc": (None, None),
    "File": (None, None),
}
_OF_SIGNATURES: Final = frozenset({"Signature.xml", "SignedValue.dat", "Seal.esl"})


def effects(package: Package) -> dict[str, str]:
    """File -> its effect, one of the keys of ``ofd_reasons.EFFECTS``; that of the first that names it."""
    found = {ROOT: "entry"}
    waiting, left = deque([ROOT]), MAX_READ
    while waiting:
        path = waiting.popleft()
        left -= package.entries[path].size
        if left < 0:
            return {**dict.fromkeys(package.digests, "unread"), **found}
        for named, effect in _named(package, path, found[path]):
            if named in package.digests and named not in found:
                found[named] = effect
                waiting += [named] if named.lower().endswith(".xml") else []
    return {path: found.get(path) or _unnamed(path) for path in package.digests}


def _unnamed(path: str) -> str:
    return "signature" if path.rpartition("/")[2] in _OF_SIGNATURES else "hidden"


def _named(package: Package, path: str, own: str) -> Iterator[tuple[str, str]]:
    """The files that a file names, with their effects."""
    try:
        root = xml.parse_any(package.read(path))
    except Malformed:
        return
    folder, bodies = root.get("BaseLoc", "."), 0
    for element in root.iter("{*}*"):
        kind = xml.local_name(element)
        if kind not in _NAMING:
            continue
        attribute, effect = _NAMING[kind]
        bodies += kind == "DocRoot"
        location = (element.get(attribute, "") if attribute else element.text or "").strip()
        for where in _places(location, folder, path):
            yield where, "body" if kind == "DocRoot" and bodies > 1 else effect or own


def _places(location: str, folder: str, path: str) -> Iterator[str]:
    """Where a location may lead: from the file that says it, from the folder of its resources, from the root."""
    for base in (location, f"{folder.rstrip('/')}/{location}", f"/{location}"):
        try:
            yield resolve(base, path)
        except Malformed:
            continue
