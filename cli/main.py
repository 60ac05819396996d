"""`wherefore`: each command is a file of this folder and is loaded when it is called."""

import errno
import os
import sys
from importlib import import_module

import click

from ..study import parts
from ..study.errors import DISTRIBUTION, PendingError, WhereforeError

_FULL = "What was finished is kept; make room and run the command again."
DISK = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EROFS: "Choose another folder with --runs.",
    errno.EACCES: "Choose another folder, or ask for permission to it.",
}
"""Errors of the operating system that are nobody's bug, and what to do about each."""


class _Commands(click.Group):
    """One command a file; our own errors and those of a disk are one line, any other keeps its traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        from .. import cli

        return [name for name in parts.names(cli) if name != "main"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = import_module(f"..{cmd_name}", __name__).command
        return command

    def invoke(self, ctx: click.Context) -> object:
        os.umask(0o077)  # what is written holds patient text, or may
        try:
            return super().invoke(ctx)
        except WhereforeError as e:
            click.echo(f"wherefore: {e}", err=True)
            sys.exit(3 if isinstance(e, PendingError) else 1)
        except OSError as e:
            if e.errno not in DISK:
                raise
            click.echo(f"wherefore: {e.filename or 'a file'}: {e.strerror}. {DISK[e.errno]}", err=True)
            sys.exit(1)


@click.command(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name=DISTRIBUTION, prog_name="wherefore")
def main() -> None:
    """When does teaching a model why help it predict, and when does it hurt?

    Patient records become cases, a teacher explains them, clinicians grade the explanations, language models are
    fine-tuned with and without them, and one report compares. `wherefore demo` shows all of it.
    """
