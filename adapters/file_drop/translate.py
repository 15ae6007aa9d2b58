"""Messages as files in a shared folder (文件交换): names, manifests and what may be believed of them. Pure.

A file is written under a temporary name and renamed; then its done-marker appears, a manifest with the file's size and SM3.
Only what has a marker is read. The reader answers by a receipt file beside it. Names are plain, without folders.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from adapters.base import Untranslatable
from adapters.profile import Profile
from signing.sm3 import sm3

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,150}")
MAX_MANIFEST: Final = 4096
_SUFFIX: Final = re.compile(r"\.[a-z0-9]{1,16}")
_FOLDER: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ``[drop]`` table: folders below the root, and the suffixes of the files of one message."""

    come: str
    go: str
    done: str = "done"
    document: str = ".xml"
    marker: str = ".ok"
    temporary: str = ".tmp"
    receipt: str = ".receipt"
    refusal: str = ".refused"
    poll_ms: int = 500


class Manifest(msgspec.Struct, frozen=True):
    """A done-marker: which operation, and which bytes. ``size`` in bytes, ``sm3`` in hexadecimal."""

    type: str
    size: int
    sm3: str


def read_words(profile: Profile) -> Words:
    """Raises Untranslatable for a table that cannot be read, or a name that is more than a name."""
    try:
        words = msgspec.convert(profile.text.drop, Words)
    except msgspec.ValidationError as error:
        raise Untranslatable("drop-unreadable", f"drop 有误：{error}", f"bad drop table: {error}", "drop") from None
    suffixes = [words.document, words.marker, words.temporary, words.receipt, words.refusal]
    folders = [words.come, words.go, words.done]
    sound = all(map(_SUFFIX.fullmatch, suffixes)) and all(map(_FOLDER.fullmatch, folders))
    if not sound or len({*suffixes, *folders}) != len(suffixes) + len(folders):
        raise Untranslatable(
            "drop-name", "后缀或文件夹名有误或相同", "a suffix or folder is bad or stands twice", "drop"
        )
    return words


def manifest_of(operation: str, document: bytes) -> bytes:
    """The done-marker of a document."""
    return msgspec.json.encode(Manifest(operation, len(document), sm3(document).hex()))


def unfinished(data: bytes) -> bool:
    """Whether these can be the first bytes of a marker that is still being written: an object without its end."""
    text = data.strip()
    if len(data) > MAX_MANIFEST or (text and not text.startswith(b"{")):
        return False
    try:
        msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        return not text.endswith(b"}") or "truncated" in str(error)
    return False


def read_manifest(data: bytes) -> Manifest:
    """Raises Untranslatable."""
    try:
        found = msgspec.json.decode(data[: MAX_MANIFEST + 1], type=Manifest)
    except msgspec.DecodeError:
        raise Untranslatable("manifest-unreadable", "完成标记不是清单", "the marker is no manifest") from None
    if found.size < 0 or not re.fullmatch(r"[0-9A-Fa-f]{64}", found.sm3):
        raise Untranslatable("manifest-unreadable", "完成标记不是清单", "the marker is no manifest")
    return found


def whole(manifest: Manifest, document: bytes) -> bool:
    """Whether these are the bytes that the manifest names. Raises Untranslatable when they can no longer become them."""
    if len(document) < manifest.size:
        return False
    if len(document) > manifest.size or sm3(document).hex() != manifest.sm3.lower():
        raise Untranslatable(
            "material-digest-mismatch", "文件与清单的大小或 SM3 不符", "the file is not what its manifest says"
        )
    return True
