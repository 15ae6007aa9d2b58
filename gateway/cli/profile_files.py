"""Profiles for the commands ``map`` and ``adapter``: by the name of one in the package, or by the path of a TOML file."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.cli.output import read_bytes, unreadable
from gateway.profile_files import beside

if TYPE_CHECKING:
    from adapters.message_set.translate import ObjectTranslator
    from adapters.profile import Profile
    from adapters.rules import Finding
    from adapters.soap.package import PackageTranslator
    from adapters.soap.translate import SoapTranslator


class Files(NamedTuple):
    """A profile's bytes and the files beside it, by name (XSD, XSLT)."""

    where: str
    toml: bytes
    beside: dict[str, bytes]


def bundled() -> list[str]:
    """Names of the profiles in the package."""
    folder = resources.files("adapters") / "profiles"
    return sorted(one.name.removesuffix(".toml") for one in folder.iterdir() if one.name.endswith(".toml"))


def load(name: str) -> Files:
    """A profile by name or path; exit 65 when there is none."""
    if re.fullmatch(r"[a-z0-9_]{1,64}", name) and name in bundled():
        folder = resources.files("adapters") / "profiles"
        toml = (folder / f"{name}.toml").read_bytes()
        return Files(f"{name}.toml", toml, beside(folder, toml))
    path = Path(name)
    if not path.is_file():
        known = "、".join(bundled())
        unreadable(name, f"没有这个方案；自带的有：{known}", f"no such profile; in the package: {known}")
    toml = read_bytes(path, 4 << 20)
    try:
        return Files(str(path), toml, beside(path.parent, toml))
    except OSError as error:
        unreadable(name, f"旁边的文件读不出（{error.strerror}）", f"a file beside it cannot be read ({error.strerror})")


def compiled(files: Files) -> Profile | list[Finding]:
    """The compiled profile, or what its tables have wrong; exit 65 when it cannot be read at all."""
    from adapters.base import Untranslatable
    from adapters.functions import installed
    from adapters.profile import compile_profile
    from adapters.registry import read_profile
    from adapters.rules import Faulty

    try:
        return compile_profile(read_profile(files.toml, files.beside), installed())
    except Faulty as faulty:
        return faulty.findings
    except Untranslatable as bad:
        unreadable(files.where, bad.zh, bad.en)


def plain_translator(profile: Profile, files: Files) -> Any:
    """The translator of a profile whose messages need no schema; exit 65 when its own table is bad."""
    from adapters.base import Untranslatable
    from adapters.registry import family_of

    try:
        return family_of(profile.text.family).open_translator(profile, files.beside, 16 << 20)
    except Untranslatable as bad:
        unreadable(files.where, bad.zh, bad.en)


def xml_translator(profile: Profile, files: Files) -> SoapTranslator | PackageTranslator | ObjectTranslator:
    """The translator of a profile whose messages are XML, with its XSD; exit 65 when the XSD is missing or bad."""
    from adapters.base import Untranslatable
    from adapters.message_set.family import open_translator as of_objects
    from adapters.soap.family import open_translator as of_soap

    try:
        return (of_soap if profile.text.family == "soap" else of_objects)(profile, files.beside)
    except Untranslatable as bad:
        unreadable(files.where, bad.zh, bad.en)
