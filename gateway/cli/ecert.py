"""``tongban ecert``: electronic certificates (电子证照, GB/T 36901 to 36906) as sealed OFD files.

Each command is a file of its own beside this one; the list below is all that a new one needs.
"""

from __future__ import annotations

import click

from gateway.cli import (
    ecert_acts,
    ecert_asked,
    ecert_id,
    ecert_issue,
    ecert_life,
    ecert_render,
    ecert_scans,
    ecert_show,
    ecert_verify,
)
from gateway.lang import say


@click.group("ecert", help=say("电子证照。", "Electronic certificates."))
def group() -> None:
    """The noun."""


for command in (
    ecert_issue.issue, ecert_show.show, ecert_render.render, ecert_verify.verify, ecert_issue.templates, ecert_id.identifier,
    *ecert_life.COMMANDS, *ecert_acts.COMMANDS, ecert_asked.asked, ecert_scans.scans,
):  # fmt: skip
    group.add_command(command)
