"""A plan: what a sync would do, before anything is done; it can be kept in a file.

Listing, settings and state alone decide a plan. So the list of changes is not needed to apply a kept
plan: it holds the digest of listing and settings and the generation of the state, and is refused when
one of them has changed since.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, BinaryIO, Final, Self

import orjson

from labelingest.errors import ConfigError, StorageError
from labelingest.folders.state.stored_values import misfit
from labelingest.small_files import open_regular

__all__ = ["DriftError", "Plan", "save_plan"]

_FORMAT: Final = "labelingest folder plan 1"
_LONGEST: Final = 2**20
"""Bytes of a plan's first line at most."""
_CURE: Final = "labelingest folder plan NAME --save FILE writes one"


class DriftError(StorageError):
    """The storage path or the state is no longer what a plan was made for.

    Examples
    --------
    >>> raise DriftError("the storage path has changed since the plan was made: make a new one")
    Traceback (most recent call last):
    labelingest.folders.sync.plan.DriftError: the storage path has changed since ...
    """


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sync would do: how many changes, and what they were counted for."""

    folder: str
    """Name of the folder."""
    made_at: str
    """Time at which the plan was made, ISO 8601 in UTC."""
    keys: int
    """Number of listed keys."""
    digest: str
    """Digest of the listing and the settings when the plan was made."""
    generation: int
    """Generation of the state when the plan was made."""
    allow_mass_delete: bool = False
    """Whether the plan has deletions that look like an accident."""
    verify_output: bool = False
    """Whether the output was compared too."""
    changes: Mapping[str, int] = field(default_factory=dict)
    """Reason → how many changes have it."""
    withheld: Mapping[str, int] = field(default_factory=dict)
    """Reason → how many deletions with this reason are withheld."""
    why_withheld: str = ""
    """Sentences that say why deletions are withheld; empty where none is."""
    checksum: bool = False
    """Whether contents were compared too."""
    books: Mapping[str, int] = field(default_factory=dict)
    """Outcome → number of keys; empty in a plan of an earlier version."""
    class_changes: Sequence[Mapping[str, Any]] = field(default_factory=list)
    """Changes of classes since the last sync that converted label files, as
    `labelingest.folders.class_changes.ClassChange.as_dict` describes them."""

    def as_dict(self) -> dict[str, Any]:
        """Return the plan as JSON values."""
        return asdict(self)

    def refuse_drift(self, digest: str, generation: int, changes: Mapping[str, int]) -> None:
        """Refuse to apply the plan to another listing, state or output than it was made for.

        Raises
        ------
        DriftError
            Storage path, settings, state or output have changed since the plan was made.
        """
        if generation != self.generation:
            raise DriftError(f"{self.folder!r} was synced since the plan was made: make a new plan")
        if digest != self.digest:
            raise DriftError(
                f"the storage path or the settings of {self.folder!r} have changed since the plan "
                "was made: make a new plan"
            )
        if changes != self.changes:
            raise DriftError(
                f"the output of {self.folder!r} has changed since the plan was made: make a new plan"
            )

    @classmethod
    def load(cls, path: str) -> Self:
        """Read the plan of a file; the list of changes in the file is for people.

        Raises
        ------
        ConfigError
            The file cannot be read, or is no plan.
        """
        try:
            with open_regular(path) as file:
                line = file.readline(_LONGEST)
            head = orjson.loads(line)
        except OSError as error:
            raise ConfigError(f"plan {path!r} cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise ConfigError(f"{path!r} is no plan: {_CURE}") from error
        # A plan of another format has no such key.
        if not isinstance(head, dict) or head.pop(_FORMAT, None) is not True:
            raise ConfigError(f"{path!r} is no plan: {_CURE}")
        if (why := misfit(cls, head)) is not None:
            raise ConfigError(f"{path!r} is no plan ({why}): {_CURE}")
        return cls(**head)


def save_plan(file: BinaryIO, plan: Plan, changes: Iterable[Mapping[str, str]]) -> None:
    """Write a plan with all its changes, one a line.

    Parameters
    ----------
    file
        File that is open for writing.
    plan
        The first line.
    changes
        Key and reasons of each change.
    """
    file.write(orjson.dumps({_FORMAT: True, **plan.as_dict()}) + b"\n")
    file.writelines(orjson.dumps(change) + b"\n" for change in changes)
