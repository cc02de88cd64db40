"""Write the pages that are generated from the code; run as `make docs`."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from labelingest.options.page import options_page
from labelingest.problems.page import problems_page

PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "problems.md": problems_page,
    "reference/options.md": options_page,
}
"""Name of a page in this folder → function that returns its text."""


def main() -> None:
    """Write all pages."""
    for name, page in PAGES.items():
        Path(__file__).parent.joinpath(name).write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
