"""Print the row layout that was decided for a folder, and the evidence for it."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from labelingest.cli.console import print_line

__all__ = ["print_layout"]


def print_layout(console: Console, layout: Mapping[str, Any] | None) -> None:
    """Print the layout of a report, where it was decided from the rows.

    Parameters
    ----------
    console
        Where to print.
    layout
        The layout as `Report.layout` has it; None for labels without rows.
    """
    if layout is None or layout["source"] != "evidence":
        return
    declares = f"decided from the rows ({layout['flags']} declares it)"
    print_line(console, "Columns    ", f"{layout['words']}: {declares}")
    for fact in layout["evidence"]:
        print_line(
            console, "           ", f"{fact['rows']:,} of {fact['total']:,} rows: {fact['words']}"
        )
