"""Print problems by code, the worst first, each with its first examples."""

from typing import Final

from labelingest.cli.console import Console, print_line
from labelingest.problems import SEVERITY, Severity
from labelingest.problems.log import ProblemLog

__all__ = ["print_log"]

_EXAMPLES: Final = 2
"""Problems of one code that are printed."""


def print_log(console: Console, log: ProblemLog, *, most: int = _EXAMPLES) -> None:
    """Print the problems of a log by code.

    Parameters
    ----------
    console
        Where to print.
    log
        The problems, with their counts.
    most
        Examples to print of each code.
    """
    totals = log.totals
    by_weight = sorted(totals, key=lambda code: (SEVERITY[code], -totals[code], code))
    for code in by_weight:
        severity = SEVERITY[code]
        style = "red" if severity is Severity.ERROR else "yellow"
        print_line(console, (f"{severity} ", style), (code.value, "bold"), f" × {totals[code]:,}")
        examples = log.examples[code][:most]
        for problem in examples:
            place = f"{problem.place}: " if problem.place else ""
            print_line(console, f"  {place}{problem.detail}")
        others = totals[code] - sum(problem.count for problem in examples)
        if others > 0:
            print_line(console, f"  … and {others:,} more")
