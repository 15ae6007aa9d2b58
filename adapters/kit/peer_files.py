"""A platform behind a shared folder, played (扮演文件交换平台): reads what has a marker, leaves receipts, writes its own."""

from __future__ import annotations

import asyncio
from pathlib import Path

from adapters.base import Accepted, Outbound, Outcome, Temporary, Untranslatable
from adapters.documents import DocumentTranslator, read_form
from adapters.file_drop.translate import manifest_of, read_manifest, read_words, whole
from adapters.kit.behaviour import Behaviour
from adapters.kit.cast import Cast, Unheard, cannot
from schemas.errors import Invalid

SCHEME = "file://"


class FilesPeer(Unheard):
    def __init__(self, cast: Cast) -> None:
        path = cast.settings.base_url.removeprefix(SCHEME)
        if path == cast.settings.base_url:
            raise cannot("只能扮演本机文件夹", "only a folder of this machine can be played")
        self.cast, self.words = cast, read_words(cast.profile)
        self.translator = DocumentTranslator(cast.profile, read_form(cast.profile))
        self.to_us, self.from_us = Path(path) / self.words.go, Path(path) / self.words.come
        for folder in (self.to_us, self.from_us):
            folder.mkdir(parents=True, exist_ok=True)

    async def look(self, how: Behaviour) -> None:
        for marker in sorted(await asyncio.to_thread(lambda: list(self.to_us.glob(f"*{self.words.marker}")))):
            await asyncio.to_thread(self._take, marker, how)

    def _take(self, marker: Path, how: Behaviour) -> None:
        place = marker.with_suffix(self.words.document)
        try:
            manifest, data = read_manifest(marker.read_bytes()), place.read_bytes()
            if not whole(manifest, data):
                return
            message = self.translator.decode(data)
        except (Untranslatable, Invalid, OSError):
            self._put(marker.with_suffix(self.words.refusal), b"{}")
            marker.unlink(missing_ok=True)
            return
        self.cast.desk.take(self.cast.note(marker.stem, manifest.type, data, message), how)
        self._put(marker.with_suffix(self.words.receipt), b"{}")
        marker.unlink(missing_ok=True)
        place.unlink(missing_ok=True)

    async def tell(self, out: Outbound, case: str, how: Behaviour) -> Outcome:
        operation, message = self.cast.mirror.message(out, case)
        data = b"\x00 garbage" if how.answers == "garbage" else self.translator.document(message)
        try:
            await asyncio.to_thread(self._write, out.id, operation, data)
        except OSError as error:
            return Temporary(f"folder: {error.strerror}")
        return Accepted()

    def _write(self, name: str, operation: str, data: bytes) -> None:
        self._put(self.from_us / f"{name}{self.words.document}", data)
        self._put(self.from_us / f"{name}{self.words.marker}", manifest_of(operation, data))

    def _put(self, place: Path, data: bytes) -> None:
        part = place.with_name(f"{place.name}{self.words.temporary}")
        part.write_bytes(data)
        part.replace(place)

    async def close(self) -> None:
        """Nothing is held open."""
