"""The further local systems of ``./run demo --platforms all`` (各部门业务系统): who they are, what they speak, what they handle.

Each place has one gateway and several systems behind it, each by an adapter of its own; which of them handles a case is told
by its item (W4). Modelled on public families of interfaces; the systems are simulated and nobody's.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final

from agreements import samples
from agreements.model import Item, ItemMaterial

IDENTITY_CARD: Final = "360113-0003"
CARE_ELSEWHERE: Final = "QX-YB-001"
DISABILITY: Final = "QX-TB-004"
SOCIAL_CARD: Final = "QX-TB-007"


@dataclass(frozen=True)
class System:
    """``side``: of which place; ``id``: in its gateway's configuration; ``script``: what plays it; ``speaks``: its protocol, for
    people; ``items``: what it handles; ``config``: its file, once it is settled."""

    side: str
    id: str
    family: str
    profile: str
    script: str
    title: tuple[str, str]
    speaks: tuple[str, str]
    items: tuple[str, ...]
    config: Path = Path()

    @property
    def name(self) -> str:
        """Its process."""
        return f"{self.id}-{self.side}"

    @property
    def silent(self) -> frozenset[str]:
        """Acts that its protocol has no word for."""
        text = (resources.files("adapters") / "profiles" / f"{self.profile}.toml").read_text("utf-8")
        return frozenset(tomllib.loads(text)["send"].get("silent", ()))


SYSTEMS: Final = (
    System(
        "b", "police", "soap", "gongan", "gongan.py", ("公安户政系统（模拟）", "public security (simulated)"),
        ("SOAP 报文包 · XML", "SOAP packages, XML"), (IDENTITY_CARD,),
    ),
    System(
        "b", "social", "front_db", "fujian_front", "front_office.py", ("社会保障卡系统（模拟）", "social security (simulated)"),
        ("前置库 · XML 列", "front database, XML column"), (SOCIAL_CARD, "QX-TB-008", "QX-TB-009", "QX-TB-010"),
    ),
    System(
        "b", "medical", "message_set", "guangzhou", "guangzhou.py", ("医疗保障系统（模拟）", "medical insurance (simulated)"),
        ("消息队列 · XML 对象", "queues, XML objects"), (CARE_ELSEWHERE,),
    ),
    System(
        "a", "files", "file_drop", "hanzhong_files", "file_office.py", ("部门专网系统（模拟）", "a department's files (simulated)"),
        ("文件交换 · JSON · GB18030", "files, JSON in GB18030"), (IDENTITY_CARD, CARE_ELSEWHERE),
    ),
)  # fmt: skip

# Names of items from the public list of the samples; codes and materials are ours.
_MORE: Final = (
    (Item(IDENTITY_CARD, "居民身份证换领补领异地受理", 1, "person", [ItemMaterial("居民身份证", "conditional")],
          department="公安部", source="见 items-crossprovince.csv 第30项；材料为示例自拟"), {"申领原因": "到期换领"}),
    (Item(CARE_ELSEWHERE, "异地就医结算备案", 1, "person", [ItemMaterial("异地就医备案表", "yes")],
          department="国家医保局", source="见 items-crossprovince.csv 第11项；材料为示例自拟"), {"就医地": "武汉市"}),
)  # fmt: skip


def listed(systems: Sequence[System]) -> tuple[Item, ...] | None:
    """The items of the agreement: the sample's, and what these systems handle beside; None for the sample as it is."""
    return (*samples.items(), *(item for item, _ in _MORE)) if systems else None


def window_items(systems: Sequence[System]) -> dict[str, Any]:
    """What the window hands in: in turn what the approval system handles, and by name what the other systems do."""
    elsewhere = {code for one in systems if one.side == "b" for code in one.items}
    forms = {item.code: form for item, form in _MORE}
    told = [
        {
            "code": item.code, "name": item.name, "version": item.version, "materials": [m.name for m in item.materials],
            "form": forms.get(item.code, {}),
        }
        for item in listed(systems) or samples.items()
    ]  # fmt: skip
    return {
        "items": [one for one in told if one["code"] not in elsewhere],
        "only_named": [one for one in told if one["code"] in elsewhere],
    }
