"""The command that lists formats: what is read and written, and what each format needs."""

import sys
from typing import TYPE_CHECKING, Any

from labelingest.cli.options import AsJson

if TYPE_CHECKING:
    from labelingest.formats import Format

__all__ = ["formats"]

_HEADINGS = ("FORMAT", "READ", "WRITTEN AS", "RESUMABLE", "CLASS NUMBERS", "IMAGES ONLY", "PACKAGE")


def formats(as_json: AsJson = False) -> None:
    """List the formats of labels that are read and written, and the packages they need.

    Example: labelingest formats --json
    """
    from labelingest.cli.console import open_console, print_columns, to_json
    from labelingest.formats import FORMATS

    if as_json:
        sys.stdout.buffer.write(to_json([_as_dict(format) for format in FORMATS]))
        return

    print_columns(open_console(), [_HEADINGS, *(_cells(format) for format in FORMATS)])


def _as_dict(format: "Format") -> dict[str, Any]:
    return {
        "name": format.name,
        "title": format.title,
        "read": format.is_read,
        "written": format.is_written,
        "outputs": _outputs(format),
        "resumable": format.is_resumable,
        "needs_class_numbers": format.needs_class_numbers,
        "images_only": format.is_of_images,
        "keeps_classifications": format.keeps_classifications,
        "packages": [
            {
                "name": package.name,
                "suffix": package.suffix,
                "extra": package.extra,
                "installed": package.is_installed,
            }
            for package in format.packages
        ],
    }


def _outputs(format: "Format") -> list[str]:
    """Return the kinds of outputs that a format has, as in the help of `--out`."""
    if not format.is_written:
        return []
    files = [f"FILE{ending}" for ending in format.endings]
    return [*files, "FOLDER"] if format.can_be_folder else files


def _cells(format: "Format") -> tuple[str, ...]:
    packages = [
        f"{package.name} for {package.suffix}"
        + (
            " (installed)"
            if package.is_installed
            else f" (missing: pip install 'labelingest[{package.extra}]')"
        )
        for package in format.packages
    ]
    return (
        format.name,
        _yes_or_no(format.is_read),
        ", ".join(_outputs(format)) or "-",
        _yes_or_no(format.is_resumable),
        _yes_or_no(format.needs_class_numbers),
        _yes_or_no(format.is_of_images),
        "; ".join(packages) or "-",
    )


def _yes_or_no(value: bool) -> str:
    return "yes" if value else "no"
