"""Start of the command line: a plain call runs at once, all other calls are parsed first.

Start-up is part of the interface. The parser, with all commands and their options, takes longer to
load than a small folder to convert: it is loaded where a call needs it.
"""

import atexit
import gc
import os
import sys
from collections.abc import Sequence

from labelingest.allocator import seek_cycles_seldom
from labelingest.cli.process_end import run_to_the_end
from labelingest.cli.utf8_mode import ensure_utf8_mode

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; turn exceptions into sentences and exit codes.

    Parameters
    ----------
    arguments
        Arguments after the program's name; those of the process when None.
    """
    if arguments is None:
        ensure_utf8_mode()
        _be_quick()
    run_to_the_end(lambda: _run(sys.argv[1:] if arguments is None else list(arguments)))


def _be_quick() -> None:
    """Spare the process what its start and end do not need."""
    seek_cycles_seldom()
    atexit.register(gc.freeze)  # else Python would look through all objects as it ends
    # numpy starts a thread for each core for products of matrices, and nothing here multiplies any.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def _run(arguments: Sequence[str]) -> None:
    if not _completes():
        if arguments == ["--version"]:
            from labelingest.version import __version__

            print(f"labelingest {__version__}")
            sys.exit(0)
        _run_plain_call(arguments)
    from labelingest.cli.commands import app

    app(arguments)


def _completes() -> bool:
    """Whether a shell asks for completions: the variable bears the program's name."""
    return any(name.startswith("_") and name.endswith("_COMPLETE") for name in os.environ)


def _run_plain_call(arguments: Sequence[str]) -> None:
    """Run a plain call, and exit; return where the parser is needed."""
    from labelingest.cli.plain_call import plain_call

    call = plain_call(arguments)
    if call is not None:
        from labelingest import pipeline
        from labelingest.cli.runs import run

        command, params = call
        run(params, getattr(pipeline, command))
