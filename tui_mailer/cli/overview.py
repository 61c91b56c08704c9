"""What ``tui-mailer --help`` prints: the commands by purpose, a few examples, the exit codes."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby

from tui_mailer.cli.command import Command
from tui_mailer.cli.exit_code import EXPLAINED

_TEXT = """\
usage: tui-mailer [global options] [COMMAND] [options]

Write, schedule, send, watch and find again: the mail composer for the terminal.
Without a command the app opens on Compose.

{commands}

global options (before or after the command):
  --config PATH       configuration file         --data-dir PATH   where outbox and drafts are
  -a, --account NAME  account to use             --json            one JSON document on stdout
  --version           print the version          --help            help; also: tui-mailer COMMAND --help

examples:
  tui-mailer send --to ada@example.org --subject Hello --body 'See you at nine.'
  uptime | tui-mailer send --to ops@example.org --subject Uptime
  tui-mailer send --to ada@example.org --subject Report --body Attached. --attach report.pdf --at 'mon 9am'
  tui-mailer outbox list
  tui-mailer history search 'to:ada report'

{exit_codes}
"""


def overview(commands: Mapping[str, Command]) -> str:
    """Writes the help of the whole program."""
    blocks: list[str] = []
    for group, members in groupby(commands.items(), key=lambda item: item[1].group):
        lines = [f"  {name:<10}{command.summary}" for name, command in members]
        blocks.append("\n".join([f"{group}:", *lines]))
    return _TEXT.format(commands="\n\n".join(blocks), exit_codes=EXPLAINED)
