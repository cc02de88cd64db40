"""Page of all options in Markdown: `docs/reference/options.md`, generated from the list."""

from collections.abc import Iterator

from labelingest.options import OPTIONS
from labelingest.options.option import Command, Option, Panel

__all__ = ["options_page"]

_HEAD = """\
# Options

All options of the commands that convert labels and set up synced folders. An option has the same name everywhere: `--out-of-range` on
the command line is `out_of_range` in a configuration file (`--config FILE`) and as a keyword of `IngestConfig`.

A configuration file is TOML with these names as keys. Options on the command line take precedence. Relative paths in the file start
from the file's folder.

This page is generated from `labelingest/options` (`make docs`).
"""
_EXAMPLE = """\
```toml
storage_path = "coco128"
ontology = "coco.json"
images = ["images/{name}.jpg"]
labels = "labels/{name}.txt"
out_of_range = "reject"
out = "label_rows.jsonl"
```
"""


def options_page() -> str:
    """Return the page: a section for each group of options, in it one for each option.

    Examples
    --------
    >>> [line for line in options_page().splitlines() if line.startswith("### `--out-")][0]
    '### `--out-of-range`'
    """
    return "\n".join([_HEAD, _EXAMPLE, *_sections()])


def _sections() -> Iterator[str]:
    for panel in Panel:
        options = [option for option in OPTIONS if option.panel is panel]
        if options:
            yield f"## {'General' if panel is Panel.GENERAL else panel}\n"
        for option in options:
            yield f"### `{option.flag}`{_distinction(option)}\n"
            yield f"{option.help}. {option.note}".strip().replace("<", "&lt;") + "\n"
            yield "\n".join(_facts(option)) + "\n"


def _distinction(option: Option) -> str:
    """Return words for the heading of an option that folders have another form of."""
    first = next(other for other in OPTIONS if other.flag == option.flag)
    return "" if option is first else ", of synced folders"


def _facts(option: Option) -> Iterator[str]:
    yield f"- **Value:** {_value(option)}"
    if option.default_words:
        yield f"- **Default:** {option.default_words}"
    spellings = [f"`{flag}`" for declaration in option.flags for flag in declaration.split("/")]
    if len(spellings) > 1:
        yield f"- **Spellings:** {', '.join(spellings)}"
    if option.source:
        yield f"- **Label files:** {option.source} only"
    if option.target:
        yield f"- **Output:** `--to {option.target}` only"
    yield f"- **Commands:** {', '.join(f'`{c}`' for c in Command if c in option.commands)}"


def _value(option: Option) -> str:
    if option.choices:
        return ", ".join(f"`{choice}`" for choice in option.choices)
    return option.expected
