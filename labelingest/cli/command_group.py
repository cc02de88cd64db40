"""The group of all commands: usage errors without credentials, and the exit code of a closed pipe.

The parser of arguments repeats an invalid value in its message. It may be a URL with a password.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
import typer.core

from labelingest.cli.process_end import READER_GONE
from labelingest.credentials import without_credentials
from labelingest.problems import printable

__all__ = ["CommandGroup"]

# The version decides whether this is Click's class or Typer's own copy.
_UsageError: Any = typer.BadParameter.__base__


class CommandGroup(typer.core.TyperGroup):
    """A group whose usage errors repeat no credentials."""

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        """Parse the arguments."""
        with _without_credentials():
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: Any) -> Any:
        """Parse the arguments of the command, and run it."""
        try:
            with _without_credentials():
                return super().invoke(ctx)
        except BrokenPipeError:
            # The parser of arguments would end with 1, which means errors in some files.
            raise typer.Exit(READER_GONE) from None


@contextmanager
def _without_credentials() -> Iterator[None]:
    try:
        yield
    except _UsageError as error:
        lines = without_credentials(error.message).split("\n")
        error.message = "\n".join(map(printable, lines))
        raise
