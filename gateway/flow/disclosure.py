"""What of a certificate another party gets to see (最少够用): the fields that a line of an agreement shows, and no more."""

from __future__ import annotations

from agreements.release import HEAD, Release
from signing.ecert import Field, Metadata


def visible(of: Metadata, release: Release | None) -> list[Field]:
    """The fields that may be shown, the standard's own first; all of them where nobody's release limits it. A box that was
    left empty has nothing to show."""
    head = {"ZZBH": of.number, "CZZT": of.holder.name, "CZZTDM": of.holder.code}
    fields = [Field(name, HEAD[name][0], value) for name, value in head.items()]
    return [one for one in (*fields, *of.fields) if one.value and (release is None or release.shows(one.name))]
