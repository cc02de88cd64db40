"""Decide the row layout of a folder, before anything is converted.

The first sync that finds rows of mapped classes looks at them, and the settings keep what it decides.
What was read for that is converted, and not read twice.
"""

from dataclasses import dataclass, replace
from shlex import quote

from labelingest.errors import ConfigError
from labelingest.folders.settings import FolderSettings
from labelingest.folders.sync.class_lists import FolderLists
from labelingest.folders.sync.scan import Scan
from labelingest.pipeline.fetched_files import FetchedFile
from labelingest.pipeline.row_layout import (
    FolderLayout,
    choice_lines,
    decide_layout,
    declared_layout,
    has_row_layouts,
    hints_of,
)
from labelingest.pipeline.sample import take_sample
from labelingest.readers.yolo.layouts import RowLayout
from labelingest.resolution.class_map import make_class_map
from labelingest.storage.base import Storage

__all__ = ["FirstLayout", "decide_folder_layout", "refuse_undecided"]


@dataclass(frozen=True, slots=True)
class FirstLayout:
    """Row layout that a sync decides, and the label files that it read for that."""

    layout: FolderLayout | None = None
    """Layout with its evidence; None where nothing was to be decided."""
    is_final: bool = True
    """Whether later syncs keep it: not where no row of a mapped class was found."""

    @property
    def fetched(self) -> dict[str, FetchedFile]:
        """Label files that were read; the conversion takes them out."""
        return {} if self.layout is None else self.layout.fetched

    def settings(self, settings: FolderSettings) -> FolderSettings:
        """Return settings with the decision."""
        is_declared = settings.layout.row_layout != RowLayout.AUTO
        if self.layout is None or is_declared or not self.is_final:
            return settings
        return replace(settings, decided_layout=self.layout.as_dict())


def decide_folder_layout(
    settings: FolderSettings, storage: Storage, scanned: Scan, lists: FolderLists
) -> FirstLayout:
    """Decide the row layout of a folder that has label files and no layout yet.

    Parameters
    ----------
    settings
        Settings of the folder.
    storage
        Its storage path.
    scanned
        Its data files and their sidecars.
    lists
        Its class lists, which may declare keypoints and a task.
    """
    if settings.format is None or not has_row_layouts(settings.format):
        return FirstLayout()
    config, (sidecars, _) = settings.config, scanned.labelled()
    is_settled = settings.decided_layout is not None
    if is_settled or declared_layout(config).row_layout != RowLayout.AUTO:
        return FirstLayout()
    if not scanned.listing.size[sidecars].any():
        return FirstLayout()  # empty label files say nothing
    sample = take_sample(
        storage, scanned.listing, sidecars, most_bytes=config.max_label_bytes, tokens=True
    )
    ontology = settings.load_ontology()
    mapping = make_class_map(ontology, namespace=config.namespace, overrides=config.map)
    hints = hints_of(lists.class_lists.settings)
    decision = decide_layout(sample, ontology, mapping, hints)
    is_mapped = not sample.rows_by_class().keys().isdisjoint(mapping.class_map.number.tolist())
    layout = FolderLayout.from_sample(sample, decision)
    return FirstLayout(layout, is_final=is_mapped or decision.is_decided)


def refuse_undecided(first: FirstLayout, name: str) -> None:
    """Refuse a folder whose rows do not say how to read them, with the layouts to choose from.

    Raises
    ------
    ConfigError
        The evidence does not separate.
    """
    if first.layout is None or first.layout.decision is None:
        return
    decision = first.layout.decision
    command = f"labelingest folder configure {quote(name)} "
    if decision.choices:
        command = f"labelingest folder configure {quote(name)} "
        raise ConfigError(
            f"the rows of the label files do not say how to read them: {decision.why}; nothing was "
            f"converted; {decision.otherwise}declare the layout:{choice_lines(decision, command)}"
        )
