"""The four hands of Chinese print, by a font's name: Song (宋), Hei (黑), Kai (楷), Fangsong (仿宋), and what to show them with.

A document names fonts that the reader's machine may not have. Each is taken for one of four styles; a style has a row of
families for viewers that choose themselves (SVG) and a row of files for those that must embed (PDF).
"""

from __future__ import annotations

from typing import Final, Literal

Style = Literal["song", "hei", "kai", "fangsong"]

# The first word found in the lower-case name decides; Fangsong before Song, whose name it contains.
_WORDS: Final[tuple[tuple[Style, tuple[str, ...]], ...]] = (
    ("fangsong", ("仿宋", "fangsong", "stfang", "fang song")),
    ("kai", ("楷", "kai")),
    ("hei", ("黑", "hei", "雅黑", "yahei", "sans", "arial", "helvetica", "gothic", "圆")),
    ("song", ("宋", "song", "sun", "serif", "ming", "明")),
)

FAMILIES: Final[dict[Style, str]] = {
    "song": "'SimSun','Songti SC','Noto Serif CJK SC','Source Han Serif SC','AR PL UMing CN',serif",
    "hei": "'SimHei','Microsoft YaHei','PingFang SC','Noto Sans CJK SC','Source Han Sans SC','WenQuanYi Zen Hei',sans-serif",
    "kai": "'KaiTi','STKaiti','AR PL UKai CN','Noto Serif CJK SC',serif",
    "fangsong": "'FangSong','STFangsong','FangSong_GB2312','Noto Serif CJK SC',serif",
}

# File names as the systems ship them, the best first; what follows a style's own are stand-ins.
_SONG: Final = ("simsun.ttc", "simsun.ttf", "Songti.ttc", "NotoSerifCJK-Regular.ttc", "NotoSerifCJKsc-Regular.otf",
                "SourceHanSerifSC-Regular.otf", "NotoSerifSC-Regular.otf", "uming.ttc")  # fmt: skip
_HEI: Final = ("simhei.ttf", "msyh.ttc", "PingFang.ttc", "NotoSansCJK-Regular.ttc", "NotoSansCJKsc-Regular.otf",
               "SourceHanSansSC-Regular.otf", "wqy-zenhei.ttc", "wqy-microhei.ttc", "DroidSansFallbackFull.ttf")  # fmt: skip
FILES: Final[dict[Style, tuple[str, ...]]] = {
    "song": (*_SONG, *_HEI),
    "hei": (*_HEI, *_SONG),
    "kai": ("simkai.ttf", "STKaiti.ttf", "Kaiti.ttc", "ukai.ttc", *_SONG, *_HEI),
    "fangsong": ("simfang.ttf", "STFangsong.ttf", *_SONG, *_HEI),
}
BOLD: Final[dict[Style, tuple[str, ...]]] = {
    "song": ("NotoSerifCJK-Bold.ttc", "NotoSerifCJKsc-Bold.otf", "SourceHanSerifSC-Bold.otf"),
    "hei": ("msyhbd.ttc", "NotoSansCJK-Bold.ttc", "NotoSansCJKsc-Bold.otf", "SourceHanSansSC-Bold.otf"),
    "kai": (),
    "fangsong": (),
}


def style(name: str) -> Style:
    """The style that a font's name tells of; Song, the hand of print, if it tells nothing."""
    lowered = name.lower()
    return next((found for found, words in _WORDS if any(word in lowered for word in words)), "song")


def families(name: str) -> str:
    """For viewers: the font itself if they have it, then its style's. Only letters, digits, spaces and hyphens of the name are
    kept: nothing in it can end the attribute it stands in."""
    own = "".join(letter for letter in name if letter.isalnum() or letter in " -_")[:64].strip()
    return f"'{own}',{FAMILIES[style(name)]}" if own else FAMILIES["song"]
