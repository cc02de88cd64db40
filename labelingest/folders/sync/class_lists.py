"""Compare the class lists of a folder with its ontology, before anything is converted.

Lists are read only when their version token is new; the state keeps what the others said.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from shlex import quote

from sqlalchemy.engine import Connection

from labelingest.class_lists.verdicts import ClassLists
from labelingest.folders.settings import FolderSettings
from labelingest.folders.state.class_lists import StoredAnswers, list_answers
from labelingest.folders.sync.scan import Scan
from labelingest.formats import source_format
from labelingest.pipeline.class_list_files import (
    Answer,
    LabelFiles,
    find_lists,
    follow_names,
    read_answers,
)
from labelingest.pipeline.class_lists import RowClasses, compare_lists, row_counter
from labelingest.resolution.class_map import make_class_map, mapped_names
from labelingest.storage.base import Storage

__all__ = ["FolderLists", "compare_folder_lists", "cures"]


def cures(name: str) -> str:
    """Return the ways out for a folder with a list that disagrees, as commands that work when copied.

    Examples
    --------
    >>> print(cures("my drive")[:75])
    Correct the ontology (labelingest folder configure 'my drive' --ontology FI
    """
    return (
        f"Correct the ontology (labelingest folder configure {quote(name)} --ontology FILE); or give the "
        "same command, in place of --ontology, --map NUMBER=OBJECT to map a number, --class-list FILE to "
        "name the right list, or --accept-class-names if the ontology is right"
    )


@dataclass(frozen=True, slots=True)
class FolderLists:
    """Class lists of a folder beside its ontology, and what the state is to keep of them."""

    class_lists: ClassLists = field(default_factory=ClassLists)
    answers: StoredAnswers = field(default_factory=dict)
    """Lists that the state is to keep."""
    is_changed: bool = False
    """Whether the state keeps other lists than these."""
    files_read: int = 0
    bytes_read: int = 0


@dataclass(slots=True)
class _Answers:
    """Answers of class lists: those of the state, and those that are read because they are new."""

    storage: Storage
    files: LabelFiles
    stored: StoredAnswers
    answers: dict[str, tuple[str, Answer]] = field(default_factory=dict)
    """Answers that the state is to keep: also a list that could not be read is read again."""
    read: dict[str, Answer] = field(default_factory=dict)
    bytes_read: int = 0

    def of_keys(self, keys: Sequence[str]) -> dict[str, Answer]:
        """Return the answers of keys, reading those that are new."""
        tokens = dict(zip(keys, self.files.tokens(keys), strict=True))
        unchanged = {k: self.stored[k] for k in keys if self.stored.get(k, ("",))[0] == tokens[k]}
        new = [key for key in keys if key not in unchanged]
        fetched, unread = read_answers(self.storage, self.files, new)
        self._note(fetched, unread, new)
        self.answers |= unchanged
        self.answers |= {k: (tokens[k], fetched[k]) for k in fetched if k not in unread}
        return fetched | {key: answer for key, (_, answer) in unchanged.items()}

    def _note(
        self, fetched: dict[str, Answer], unread: Collection[str], keys: Sequence[str]
    ) -> None:
        self.read |= fetched
        self.bytes_read += self.files.bytes_of([key for key in keys if key not in unread])


def compare_folder_lists(
    connection: Connection,
    folder_id: int,
    settings: FolderSettings,
    storage: Storage,
    scanned: Scan,
) -> FolderLists:
    """Compare the class lists of a folder with its ontology.

    Parameters
    ----------
    connection
        Connection in a transaction; nothing is written.
    folder_id, settings
        The folder.
    storage
        Its storage path.
    scanned
        Its data files and their sidecars.
    """
    if settings.format is None or not source_format(settings.format).needs_class_numbers:
        return FolderLists()
    config, ontology = settings.config, settings.load_ontology()
    files = LabelFiles(scanned.listing, *scanned.labelled())
    if config.no_class_list:
        return FolderLists(ClassLists(label_files_without=len(files), reason="--no-class-list"))
    answers = _Answers(storage, files, list_answers(connection, folder_id))
    followed: dict[str, Answer] = {}
    if settings.class_list is None:
        followed = follow_names(files, find_lists(files, scanned.outcome), answers.of_keys)
    mapping = make_class_map(ontology, namespace=config.namespace, overrides=config.map)
    class_lists = compare_lists(
        files,
        followed,
        mapped_names(ontology, mapping),
        named_list=settings.named_list,
        accepts=config.accept_class_names,
        rows_by_class=row_counter(
            storage, files, config, RowClasses(settings.layout, ontology, mapping)
        ),
    )
    kept_keys = {key: token for key, (token, _) in answers.stored.items()}
    is_changed = kept_keys != {key: token for key, (token, _) in answers.answers.items()}
    return FolderLists(
        class_lists, answers.answers, is_changed, len(answers.read), answers.bytes_read
    )
