"""``python -m gateway.demo`` (and ``./run demo``) is ``tongban demo``."""

import click

from gateway.cli.demo import group

click.exceptions.UsageError.exit_code = 64
group(prog_name="./run demo")
