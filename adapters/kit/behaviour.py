"""How the played platform behaves (对方的毛病), one row each: switched while it runs, for ever or for so many calls. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple


class Behaviour(NamedTuple):
    """``answers``: what comes back in the place of the honest answer. ``slow``: answers late, longer than anybody waits.
    ``doubled``: a repetition is kept as new, and what it tells comes twice. ``shuffled``: what it tells comes in the wrong
    order. ``foreign_id``: signs with another signer id, or shows another credential. ``skew_ms``: its clock is so far off.
    ``moved``: asking, and every second kind of message, lives in a new system: it redirects, and tells in new words."""

    zh: str
    en: str
    answers: Literal["honest", "500", "garbage"] = "honest"
    slow: bool = False
    doubled: bool = False
    shuffled: bool = False
    foreign_id: bool = False
    skew_ms: int = 0
    moved: bool = False


BEHAVIOURS: Final[dict[str, Behaviour]] = {
    "good": Behaviour("正常", "as it should"),
    "slow": Behaviour("应答迟迟不来", "answers too late", slow=True),
    "duplicated": Behaviour("不认重复，自己也重复报", "keeps repetitions as new, and tells twice", doubled=True),
    "out-of-order": Behaviour("先报决定，后报受理", "tells the decision before the acceptance", shuffled=True),
    "wrong-signer-id": Behaviour("签名标识（或许可证）不对", "another signer id or credential", foreign_id=True),
    "skewed-clock": Behaviour("时钟快一小时", "its clock is an hour fast", skew_ms=3_600_000),
    "half-migrated": Behaviour("一半搬进了新系统", "half of it lives in a new system", moved=True),
    "500s": Behaviour("总是 500", "always 500", answers="500"),
    "garbage": Behaviour("答非所问", "answers garbage", answers="garbage"),
}
GOOD: Final = BEHAVIOURS["good"]


@dataclass
class Switch:
    """``times``: for so many calls, then good again; below nought for ever."""

    name: str = "good"
    times: int = -1

    @property
    def now(self) -> Behaviour:
        """How it is at the moment, without counting."""
        return BEHAVIOURS[self.name]

    def turn(self, name: str, times: int = -1) -> None:
        """KeyError for a behaviour that there is not."""
        self.name, self.times = (name, times) if BEHAVIOURS[name] and times else ("good", -1)

    def take(self) -> Behaviour:
        """How the next call is answered."""
        how = self.now
        if self.times > 0:
            self.turn(self.name, self.times - 1)
        return how
