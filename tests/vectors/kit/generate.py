"""Records one session of each simulated platform's profile with the play of it: ``python -m tests.vectors.kit.generate``.

What is recorded: every type of message that the profile can send, the questions, and the acts that the platform tells.
Keys, ids and times are of the moment, so that a new recording differs; what it proves does not.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from adapters.kit import record
from adapters.kit.cast import Noted
from adapters.kit.door import Door
from adapters.kit.run import plan, run
from tests.contract.kit_support import now_ms, partner
from tests.contract.test_kit_serve import PATHS, play, playing

HERE = Path(__file__).parent


async def session(profile: str) -> bytes:
    """The recording."""
    platform = partner(profile, "http://127.0.0.1:9").open()
    door = Door(platform, partner(profile, "http://127.0.0.1:9").mask, now_ms)
    made = play(profile, gateway=await door.open("127.0.0.1", 0))
    made.plan = ()
    async with playing(made) as url:
        one = partner(profile, url + PATHS[profile])
        opened = one.open()
        ran = await run(one, opened, plan(opened, ("good", "repeat", "out")))
        for type_ in made.cast.mirror.acts() if profile != "guangzhou" else ():
            await made.tell(made.act(type_, Noted("", "", "Y1", "", "C1", "C1")), "C1", once=True)
    await door.close()
    lines = [record.head(opened)]
    lines += [record.sent_line(sent, one.mask) for step in ran for sent in step.sent]
    lines += [record.heard_line(heard, one.mask) for heard in door.heard]
    await opened.channel.close()
    await platform.channel.close()
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


if __name__ == "__main__":
    for name in PATHS:
        (HERE / f"{name}.jsonl").write_bytes(asyncio.run(session(name)))
