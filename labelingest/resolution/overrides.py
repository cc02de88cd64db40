"""Overrides of the class map: parse them, and find the ontology object that each one names."""

from collections.abc import Mapping, Sequence
from reprlib import repr as short

from labelingest.errors import ConfigError, OntologyError
from labelingest.model.ontology import LARGEST_CLASS_NUMBER, Ontology, class_number
from labelingest.resolution.class_numbers import SUPPORTED_SHAPES
from labelingest.resolution.wording import described, either_of, named, quoted, shortlist

__all__ = ["merge_overrides", "object_row", "parse_overrides"]


def parse_overrides(entries: Sequence[str]) -> dict[int, str | None]:
    """Parse overrides as the command line takes them: `7=car`, `7=a1B2c3D4`, `7=null`.

    Parameters
    ----------
    entries
        Each a class number, `=`, and the feature hash or name of an ontology object. `7=null` and
        `7=` remove number 7; an object really called null is given by its feature hash. Blanks
        around number and name do not count; a name may hold `=`.

    Raises
    ------
    ConfigError
        An entry has no `=` or no class number before it, or a number occurs twice.

    Examples
    --------
    >>> parse_overrides(["7=traffic light", "9=null", "10="])
    {7: 'traffic light', 9: None, 10: None}
    """
    overrides: dict[int, str | None] = {}
    for entry in entries:
        before, equals, after = entry.partition("=")
        number, name = class_number(before.strip()), after.strip()
        if not equals or number is None:
            raise ConfigError(
                f"override {short(entry)}: expected a class number, '=' and the feature hash or "
                "name of an object, as 7=car; 7= removes number 7"
            )
        if number in overrides:
            raise ConfigError(f"override {short(entry)}: number {number} is overridden twice")
        overrides[number] = None if name in ("", "null") else name
    return overrides


def merge_overrides(
    earlier: Mapping[int, str | None], later: Mapping[int, str | None], unmap: Sequence[int] = ()
) -> dict[int, str | None]:
    """Return overrides with changes: each later override replaces that of its number alone.

    Parameters
    ----------
    earlier, later
        Class number → feature hash or name of an object; None removes the number.
    unmap
        Class numbers whose earlier override is taken back.

    Raises
    ------
    ConfigError
        A number in `unmap` has no override, or gets one at the same time.

    Examples
    --------
    >>> merge_overrides({0: "Ship", 2: "Van"}, {1: "Car"}, unmap=[2])
    {0: 'Ship', 1: 'Car'}
    """
    for number in unmap:
        if number in later:
            raise ConfigError(f"unmap {number} and map {number}= contradict each other")
        if number not in earlier:
            overridden = (
                f"overridden are {shortlist(sorted(earlier))}" if earlier else "none has one"
            )
            raise ConfigError(f"unmap {number}: number {number} has no override; {overridden}")
    merged = {**earlier, **later}
    return {number: merged[number] for number in sorted(merged) if number not in unmap}


def object_row(ontology: Ontology, number: int, name: str | None) -> int | None:
    """Return the row of the object that an override names; None where it removes the number.

    Raises
    ------
    ConfigError
        The number is no class number.
    OntologyError
        No object or several have the name, or the object cannot be labelled.
    """
    if isinstance(number, bool) or not 0 <= number <= LARGEST_CLASS_NUMBER:
        raise ConfigError(f"override of {short(number)}: expected a number from 0 to 2**53")
    if name is None:
        return None
    rows = [i for i, entry in enumerate(ontology.objects) if entry.feature_hash == name]
    rows = rows or [i for i, entry in enumerate(ontology.objects) if entry.name == name]
    override = f"override {number}={short(name)}"
    if not rows:
        raise OntologyError(f"{override}: {_no_such_object(ontology, name)}")
    if len(rows) > 1:
        raise OntologyError(
            f"{override}: {len(rows)} objects have this name; give the feature hash of the one "
            f"meant: {either_of([described(ontology.objects[row]) for row in rows])}"
        )
    object_class = ontology.objects[rows[0]]
    if object_class.archived:
        raise OntologyError(f"{override}: {named(object_class)} is archived; map another object")
    if object_class.shape not in SUPPORTED_SHAPES:
        raise OntologyError(
            f"{override}: {named(object_class)} is a {object_class.shape}; only a "
            f"{either_of(SUPPORTED_SHAPES)} can be mapped"
        )
    return rows[0]


def _no_such_object(ontology: Ontology, name: str) -> str:
    """Return that no object has the name, and which have nearly the same."""
    names = {entry.name.casefold(): entry.name for entry in ontology.objects}
    names |= {entry.feature_hash.casefold(): entry.feature_hash for entry in ontology.objects}
    from difflib import get_close_matches

    near = get_close_matches(name.casefold()[:200], names, n=3)
    hint = (
        f"nearest: {quoted(names[candidate] for candidate in near)}"
        if near
        else "none is called nearly so"
    )
    return f"no object has this feature hash or name; {hint}"
