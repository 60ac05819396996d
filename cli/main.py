"""`wherefore`: each command is a file of this folder and is loaded when it is called."""

import errno
import os
import sys
from importlib import import_module

import click

from ..study import parts
from ..study.errors import DISTRIBUTION, PendingError, WhereforeError


class _Commands(click.Group):
    """One command a file; our own errors are one line, any other keeps its traceback."""

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
            if (message := _of_the_machine(e)) is None:
                raise
            click.echo(f"wherefore: {message}", err=True)
            sys.exit(1)


DISK = {
    errno.ENOSPC: "no space left on the disk. Make room and run the same command again: finished work is kept.",
    errno.EDQUOT: "the disk quota is used up. Make room and run the same command again: finished work is kept.",
    errno.EROFS: "the file system is read-only. Choose another folder with --runs.",
    errno.EACCES: "permission denied. Choose another folder with --runs, or change its permissions.",
    errno.EPERM: "permission denied. Choose another folder with --runs, or change its permissions.",
}
"""Faults of the machine that are said in one line, and what to do."""


def _of_the_machine(error: OSError) -> str | None:
    """A fault of disk or rights in one line; None for any other, which keeps its traceback."""
    for number, message in DISK.items():
        if error.errno == number or os.strerror(number) in str(error):
            return f"{error.filename}: {message}" if error.filename else message
    return None


@click.command(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name=DISTRIBUTION, prog_name="wherefore")
def main() -> None:
    """Does teaching a model why help it predict disease, or does it hurt?

    Health records become cases, a teacher writes rationales, clinicians grade them, language models are fine-tuned
    with and without them, and one report compares. `wherefore demo` shows all of it.
    """
