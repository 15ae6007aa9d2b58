"""``python -m gateway.cli`` is the command ``tongban``."""

from gateway.cli import main

main()
