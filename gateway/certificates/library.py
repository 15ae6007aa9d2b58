"""The templates of a node (证照模板库): those of a folder, or the samples that come with the program."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from gateway.certificates.template import Template, read
from gateway.config import ConfigError
from schemas.errors import Invalid


def samples() -> dict[str, bytes]:
    """The samples' files by name."""
    folder = resources.files("schemas") / "data" / "certificates"
    return {one.name: one.read_bytes() for one in folder.iterdir() if one.name.endswith(".toml")}


def library(folder: Path | None) -> dict[str, Template]:
    """Templates by type code; the samples where no folder is given. ``ConfigError`` names the file that is none."""
    found: dict[str, Template] = {}
    for name, data in sorted((samples() if folder is None else _files(folder)).items()):
        where = name if folder is None else str(folder / name)
        try:
            template = read(data)
        except Invalid as error:
            raise ConfigError(where, f"{error.path} {error.zh}".strip(), f"{error.path} {error.en}".strip()) from None
        if template.type_code in found:
            raise ConfigError(where, "另一模板已用此类型代码", "another template has this type code")
        found[template.type_code] = template
    return found


def _files(folder: Path) -> dict[str, bytes]:
    try:
        found = {path.name: path.read_bytes() for path in folder.glob("*.toml")}
    except OSError as error:
        raise ConfigError(
            str(folder), f"读不到模板（{error.strerror}）", f"cannot be read ({error.strerror})"
        ) from None
    if not found:
        raise ConfigError(str(folder), "目录里没有证照模板", "there is no template in this folder")
    return found
