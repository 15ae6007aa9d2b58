"""``tongban kit run|serve|replay``: the conformance kit for a partner's platform (平台符合性工具).

``run`` plays our gateway against a platform, ``serve`` plays a platform against a gateway, ``replay`` holds a profile against
a recorded session. Exit: 0 all passed, 1 something failed, 2 nobody answered, 65 an input cannot be read.
"""

from __future__ import annotations

import click

from gateway.cli.kit_replay import replay
from gateway.cli.kit_run import run
from gateway.cli.kit_serve import serve
from gateway.lang import say


@click.group("kit", help=say("平台符合性测试：run 测对方，serve 扮对方。", "Try a partner's platform, or play one."))
def group() -> None:
    """The kit."""


group.add_command(run)
group.add_command(serve)
group.add_command(replay)
