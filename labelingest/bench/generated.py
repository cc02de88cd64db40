"""Synthetic data set as the folder of a measurement: temporary, or in a folder that stays."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from labelingest.bench.synthetic.data_set import Generated, generate
from labelingest.errors import ConfigError
from labelingest.progress import Progress
from labelingest.storage.os_errors import cannot_write

__all__ = ["Recipe", "generated_folder"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Arguments of a synthetic data set: the same recipe gives the same bytes.

    Examples
    --------
    >>> str(Recipe(files=20_000, kind="boxes", defects=0.01))
    'generated: 20,000 files of boxes, seed 0, 1 % of the rows defective'
    """

    files: int
    kind: str
    seed: int = 0
    defects: float = 0.0

    def __str__(self) -> str:
        defective = f", {self.defects * 100:g} % of the rows defective" if self.defects else ""
        return f"generated: {self.files:,} files of {self.kind}, seed {self.seed}{defective}"


@contextmanager
def generated_folder(
    recipe: Recipe,
    into: str | None,
    parent: str | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Iterator[Generated]:
    """Make a data set; a temporary one is removed after the block.

    Parameters
    ----------
    recipe
        The data set.
    into
        Folder for a data set that stays; new or empty. None for a temporary one.
    parent
        Parent of the temporary folder; the system's when None.
    progress
        Receives the number of data files that are on the disk.

    Raises
    ------
    ConfigError
        The folder is not empty, or no folder.
    StorageError
        A file cannot be written. Nothing of the data set is left then.
    """
    if into is None:
        try:
            temporary = TemporaryDirectory(prefix="labelingest-data-", dir=parent)
        except OSError as error:
            raise cannot_write(parent or "the temporary folder", error) from error
        with temporary as folder:
            yield _generate(recipe, Path(folder), progress)
        return
    folder_to_keep = Path(into)
    _refuse_used(folder_to_keep, into)
    try:
        generated = _generate(recipe, folder_to_keep, progress)
    except BaseException:
        # Half a data set would be measured as a whole one.
        for name in ("images", "labels"):
            shutil.rmtree(folder_to_keep / name, ignore_errors=True)
        with suppress(OSError):
            (folder_to_keep / "ontology.json").unlink()
        raise
    yield generated


def _generate(
    recipe: Recipe, folder: Path, progress: Callable[[Progress], None] | None
) -> Generated:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return generate(
            folder,
            recipe.files,
            recipe.kind,
            seed=recipe.seed,
            defects=recipe.defects,
            progress=progress,
        )
    except OSError as error:
        raise cannot_write(str(folder), error) from error


def _refuse_used(folder: Path, into: str) -> None:
    try:
        is_used = any(True for _ in folder.iterdir())
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigError(
            f"into {into!r} is no folder that can be used ({error.strerror}): give a new one"
        ) from error
    if is_used:
        raise ConfigError(
            f"into {into!r} is not empty, and generated files are not mixed with others: give a new "
            "folder"
        )
