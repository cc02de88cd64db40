"""Lazy names of packages: imported when first used, so that importing a package costs nothing."""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

__all__ = ["lazy_names"]


def lazy_names(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """Return the `__getattr__` of a package: it imports a name's module when the name is asked for.

    Parameters
    ----------
    package
        Name of the package.
    homes
        Public name → module that defines it, relative to the package.

    Examples
    --------
    >>> get = lazy_names("labelingest.model", {"Shape": "ontology"})
    >>> get("Shape").POLYGON.value
    'polygon'
    """

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{homes[name]}"), name)
        setattr(sys.modules[package], name, value)  # so that it is not asked for again
        return value

    return get
