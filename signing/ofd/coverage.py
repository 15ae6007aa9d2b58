"""What a signature of an OFD protects, file by file, and what it leaves open (GB/T 33190-2016 18.2.2).

A signature names the files it protects and their digests. It cannot name those that come into being with it or after it
(its own value, the list, later signatures), and need not name what a signature of another document in the same package
protects, which has its own verdict. Every other file it does not name is ``Exposed``.
"""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import Final, NamedTuple

from signing import certs
from signing.certs import Certificate
from signing.errors import Malformed
from signing.ofd import reach as ofd_reach
from signing.ofd import reasons as ofd_reasons
from signing.ofd.container import Description, Listed, Ofd
from signing.oids import SM3
from signing.reasons import Reason

_SM3: Final = frozenset({"sm3", SM3, f"{SM3}.1"})
_BROKEN: Final = frozenset({"md5", "sha1", "sha-1", "1.2.840.113549.2.5", "1.3.14.3.2.26"})
_CERTIFICATE: Final = (".cer", ".crt", ".der", ".pem")


class Exposed(NamedTuple):
    """A file that a signature does not protect; ``effect``: what it could do, a key of ``ofd_reasons.EFFECTS``."""

    path: str
    effect: str


class Coverage:
    """The files of one document against each of its signatures."""

    def __init__(self, ofd: Ofd) -> None:
        self._ofd = ofd

    def references(self, listed: Listed, description: Description) -> list[Reason]:
        """Every protected file: listed once, in the package, unchanged. The list of all files states no digests."""
        if not description.references:
            return [ofd_reasons.rejected("ofd-no-references")]
        times = Counter(reference.path for reference in description.references)
        digests = self._ofd.package.digests
        faults = {
            "ofd-reference-repeated": [path for path, count in times.items() if count > 1],
            "ofd-reference-missing": [path for path in times if path not in digests],
        }
        method = _method(description) if not listed.whole else []
        if not method and not listed.whole:
            present = [one for one in description.references if one.path in digests]
            faults["ofd-reference-digest"] = [one.path for one in present if digests[one.path] != one.digest]
        return method + [
            ofd_reasons.rejected(code, ofd_reasons.listed(wrong)) for code, wrong in faults.items() if wrong
        ]

    def exposed(self, listed: Listed, description: Description) -> tuple[Exposed, ...]:
        """The files that a signature leaves open, the gravest first."""
        named = {listed.path, description.value, *(reference.path for reference in description.references)}
        expected = named if listed.whole else named | self._of_signatures | self._elsewhere(listed)
        found = [name for name in self._ofd.package.digests if name not in expected]
        rank = list(ofd_reasons.EFFECTS).index
        return tuple(sorted((Exposed(name, self._effects[name]) for name in found), key=lambda one: rank(one.effect)))

    def beside(self, listed: Listed) -> list[Certificate]:
        """The certificates in the folder of a signature, which writers of bare values leave there."""
        folder = listed.path.rpartition("/")[0]
        return [found for path, found in self._certificates.items() if path.rpartition("/")[0] == folder]

    def _elsewhere(self, listed: Listed) -> set[str]:
        """What the signatures of other lists protect, outside of this one's own folder (``Doc_0``)."""
        others = (one.description for one in self._ofd.signatures if not one.whole and one.list != listed.list)
        named = {one.path for other in others if isinstance(other, Description) for one in other.references}
        own = listed.list.partition("/")[0]
        return {path for path in named if path.partition("/")[0] != own}

    @cached_property
    def _effects(self) -> dict[str, str]:
        return ofd_reach.effects(self._ofd.package)

    @cached_property
    def _of_signatures(self) -> set[str]:
        """What belongs to signatures. A seal file does where it is compared with the seal in a stamp: a plain signature could
        name any file so."""
        found = {*self._ofd.lists, *self._certificates}
        for listed in self._ofd.signatures:
            found.add(listed.path)
            if isinstance(listed.description, Description):
                found |= {listed.description.value, listed.description.seal if listed.type == "Seal" else ""}
        return found

    @cached_property
    def _certificates(self) -> dict[str, Certificate]:
        """Files beside a signature that are one certificate and nothing else, and so nothing that could be shown."""
        package = self._ofd.package
        folders = {listed.path.rpartition("/")[0] for listed in self._ofd.signatures}
        found: dict[str, Certificate] = {}
        for path, entry in package.entries.items():
            fits = path.lower().endswith(_CERTIFICATE) and path.rpartition("/")[0] in folders
            if fits and path in package.digests and entry.size <= certs.MAX_BYTES:
                try:
                    found[path] = certs.parse(package.read(path))
                except Malformed:
                    continue
        return found


def _method(description: Description) -> list[Reason]:
    """Files must be digested with SM3; a broken digest proves nothing, of another nothing can be told."""
    method = description.check_method.strip().lower()
    if method in _SM3:
        return []
    said = ofd_reasons.listed([description.check_method[:40]])
    if method in _BROKEN:
        return [ofd_reasons.rejected("ofd-check-method", said)]
    return [ofd_reasons.unknown("ofd-check-method-unknown", said)]
