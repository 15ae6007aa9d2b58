"""What certificates are printed with on this node (制证): templates, our name as issuer, the seal, whether it is a laboratory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from gateway.certificates.issue import Wanted, compose, draw, seal_place
from gateway.certificates.template import Template
from gateway.flow.certificate_orders import Content
from gateway.problems import Refused
from signing.ecert import Metadata
from signing.errors import Indeterminate, Rejected
from signing.ofd import sign as ofd_sign
from signing.ofd.package_build import build_package
from signing.ofd.sign import Prepared
from signing.seal_picture import LAB_MARK
from signing.stamper import Stamper


@dataclass(frozen=True)
class Press:
    """``templates``: by type code. ``stamper``: stamps at once, a system elsewhere does if None. ``seal``: Seal.esl, if known."""

    issuer_name: str
    issuer_code: str
    templates: Mapping[str, Template]
    stamper: Stamper | None
    seal: bytes = b""
    lab: bool = False

    def compose(self, type_code: str, content: Content, serial: str, version: int, url: str, today: date) -> Metadata:
        """The metadata of a certificate. ``Refused``: TB-7002 no template of this type, TB-7003 what does not fit it."""
        template = self._template(type_code)
        wanted = Wanted(
            number=content.number, serial=serial, version=version, holder=content.holder, issuer_name=self.issuer_name,
            issuer_code=self.issuer_code, issued=content.issued or today, valid_from=content.valid_from,
            valid_to=content.valid_to, fields=content.fields, permits=content.permits, url=url,
        )  # fmt: skip
        made = compose(template, wanted)
        if isinstance(made, Rejected):
            raise Refused("TB-7003", f"{made.code} {made.zh}")
        return made

    def prepare(self, metadata: Metadata, pictures: Mapping[str, bytes], at_ms: int) -> Prepared:
        """Its OFD, ready to be stamped. ``Refused`` as ``compose``."""
        template, at = self._template(metadata.type_code), datetime.fromtimestamp(at_ms / 1000, UTC)
        files = draw(template, metadata, lab=self.lab, pictures=pictures)
        if isinstance(files, Rejected):
            raise Refused("TB-7003", f"{files.code} {files.zh}")
        company = LAB_MARK if self.lab else self.issuer_name
        return ofd_sign.prepare(
            files, at=at, annotations=(seal_place(template),), seal=self.seal, company=company
        )  # fmt: skip

    def stamp(self, prepared: Prepared, at_ms: int) -> bytes:
        """The finished OFD, stamped here. ``Refused('TB-7013')`` when the seal may not be used."""
        assert self.stamper is not None  # noqa: S101 - the caller looked
        made = self.stamper.stamp(prepared.digest, prepared.property_info, datetime.fromtimestamp(at_ms / 1000, UTC))
        if isinstance(made, Rejected | Indeterminate):
            raise Refused("TB-7013", f"{made.code} {made.zh}")
        return finish(prepared, made)

    def _template(self, type_code: str) -> Template:
        template = self.templates.get(type_code)
        if template is None:
            raise Refused("TB-7002")
        return template


def finish(prepared: Prepared, stamp: bytes) -> bytes:
    """The finished OFD with a stamp that has been judged."""
    return build_package(ofd_sign.finish(prepared, stamp))
