"""Names of the parameters that options of the list have in functions of commands."""

from labelingest.options import Option

__all__ = ["parameter_name"]


def parameter_name(option: Option) -> str:
    """Return the name of an option's parameter; `json` would hide the module of that name."""
    return "as_json" if option.name == "json" else option.name
