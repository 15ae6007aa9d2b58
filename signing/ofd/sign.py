"""OFD documents signed (GB/T 33190-2016 ch. 18; GM/T 0099-2020): prepared, signed by whoever holds the key, finished.

``prepare`` lists every file of the package with its SM3 digest in Signature.xml; over that file's digest the signed value is
made, by a ``Stamper`` (Type=Seal: SES_Signature) or by any signer (Type=Sign: SignedData of GB/T 35275), here or in another
system and at another time; ``finish`` puts it in. A second signature covers the first and leaves all its files as they are,
except for the list.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from lxml import etree

from signing.errors import Indeterminate, Malformed, Rejected
from signing.ofd import xml
from signing.ofd.container import BEIJING, Annotation, resolve
from signing.ofd.element import element, leaf, root
from signing.ofd.package_build import build_package
from signing.oids import SM2_WITH_SM3, SM3
from signing.sm3 import sm3
from signing.stamper import Stamper

Kind = Literal["Seal", "Sign"]
PROVIDER: Final = "Tongban"
VERSION: Final = "1"
_LIST: Final = "Doc_0/Signs/Signatures.xml"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document that waits for its signed value. ``place``: of Signature.xml; ``digest``: what is to be signed or stamped;
    ``property_info``: what a stamp says of where the document is."""

    files: Mapping[str, bytes]
    place: str
    value: str
    digest: bytes

    @property
    def property_info(self) -> str:
        return f"/{self.place}"


def prepare(
    files: Mapping[str, bytes],
    *,
    at: datetime,
    kind: Kind = "Seal",
    annotations: Sequence[Annotation] = (),
    seal: bytes = b"",
    company: str = "",
) -> Prepared:
    """``files``: a package's, signed before or not. ``at``: what SignatureDateTime says; ``annotations``: where the seal's
    picture stands; ``seal``: goes in as Seal.esl. Malformed if the files are no OFD."""
    place = dict(files)
    listed = _named_list(place)
    folder, known = listed.rpartition("/")[0], _signatures(place, listed)
    number = next(n for n in range(len(files) + 1) if f"{folder}/Sign_{n}/Signature.xml" not in files)
    where = f"{folder}/Sign_{number}"
    if seal:
        place[f"{where}/Seal.esl"] = seal
    covered = {name: sm3(data) for name, data in place.items() if name != listed}
    own = _description(covered, f"/{where}", at, annotations, bool(seal), company)
    place[listed] = _list(known, f"s{len(known) + 1:03}", kind, f"/{where}/Signature.xml")
    place[f"{where}/Signature.xml"] = own
    return Prepared(place, f"{where}/Signature.xml", f"{where}/SignedValue.dat", sm3(own))


def finish(prepared: Prepared, value: bytes) -> dict[str, bytes]:
    """The files of the signed document. Whether the value is any good is for ``signing.ofd.verify`` to say."""
    return {**prepared.files, prepared.value: value}


def stamp(
    files: Mapping[str, bytes],
    stamper: Stamper,
    *,
    at: datetime,
    annotations: Sequence[Annotation] = (),
    seal: bytes = b"",
    company: str = "",
) -> bytes | Rejected | Indeterminate:
    """The sealed package, or why this seal may not be used now. See ``prepare``."""
    prepared = prepare(files, at=at, annotations=annotations, seal=seal, company=company)
    made = stamper.stamp(prepared.digest, prepared.property_info, at)
    return build_package(finish(prepared, made)) if isinstance(made, bytes) else made


def _named_list(files: dict[str, bytes]) -> str:
    """The path of the list of signatures; OFD.xml is made to name one if it does not."""
    if "OFD.xml" not in files:
        raise Malformed("ofd-entry", "OFD 所需的文件不在包内", "a file that the OFD needs is not in the package")
    document = xml.parse(files["OFD.xml"], "OFD")
    body = xml.need(document, "DocBody")  # one only: two could each be the one that is meant
    named = xml.text(xml.one(body, "Signatures"))
    if named:
        return resolve(named, "OFD.xml")
    named = _LIST
    own = body.tag.removesuffix("DocBody")  # the document's namespace
    etree.SubElement(body, f"{own}Signatures").text = f"/{named}"
    files["OFD.xml"] = etree.tostring(document, xml_declaration=True, encoding="UTF-8")
    return named


def _signatures(files: Mapping[str, bytes], listed: str) -> list[tuple[str, str, str]]:
    """(id, type, location) of the signatures there are."""
    if listed not in files:
        return []
    found = xml.every(xml.parse(files[listed], "Signatures"), "Signature")
    return [
        (one.get("ID", ""), one.get("Type", "Seal"), "/" + resolve(one.get("BaseLoc", ""), listed)) for one in found
    ]


def _list(known: Sequence[tuple[str, str, str]], own: str, kind: Kind, where: str) -> bytes:
    every = [*known, (own, kind, where)]
    inside = "".join(element("Signature", ID=id_, Type=type_, BaseLoc=at) for id_, type_, at in every)
    return root("Signatures", leaf("MaxSignId", own) + inside)


def _description(
    covered: Mapping[str, bytes], where: str, at: datetime, annotations: Sequence[Annotation], seal: bool, company: str
) -> bytes:
    references = "".join(
        element("Reference", leaf("CheckValue", base64.b64encode(digest).decode()), FileRef=f"/{name}")
        for name, digest in covered.items()
    )
    info = (
        element("Provider", ProviderName=PROVIDER, Version=VERSION, Company=company or None)
        + leaf("SignatureMethod", SM2_WITH_SM3)
        + leaf("SignatureDateTime", f"{at.astimezone(BEIJING):%Y%m%d%H%M%S}")
        + element("References", references, CheckMethod=SM3)
        + "".join(element("StampAnnot", ID=one.id, PageRef=one.page, Boundary=one.boundary) for one in annotations)
        + (element("Seal", leaf("BaseLoc", f"{where}/Seal.esl")) if seal else "")
    )
    return root("Signature", element("SignedInfo", info) + leaf("SignedValue", f"{where}/SignedValue.dat"))
