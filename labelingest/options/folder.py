"""Options that only synced folders have: metadata, integrations, checksums and schedule."""

from collections.abc import Sequence
from typing import Final

from labelingest.options.option import (
    FOLDER,
    Command,
    Kind,
    Option,
    Panel,
)

__all__ = ["FOLDER_OPTIONS"]

FOLDER_OPTIONS: Final[Sequence[Option]] = (
    Option(
        name="description",
        help="Description of the folder, for people",
        in_config=False,
        commands=FOLDER,
    ),
    Option(
        name="integration",
        metavar="NAME",
        help="Integration that connects to cloud storage; labelingest integration set makes one",
        in_config=False,
        commands=FOLDER,
    ),
    Option(
        name="output_integration",
        metavar="NAME",
        help="Integration for the output, if it differs from the storage path's",
        in_config=False,
        commands=FOLDER,
    ),
    Option(
        name="checksum",
        kind=Kind.FLAG,
        flags=("--checksum/--no-checksum",),
        help="Compare file contents in every sync",
        note="By default a sync on this machine compares size and modification time: it misses a "
        "change that keeps both, and converts a file again that was only touched. In cloud storage, "
        "versions follow contents anyway.",
        in_config=False,
        commands=FOLDER,
    ),
    Option(
        name="allow_mass_delete",
        kind=Kind.FLAG,
        flags=("--allow-mass-delete/--no-allow-mass-delete",),
        help="Let the next sync delete items even if all of the files are gone, or more than half and "
        "more than 100",
        note="The permission ends with the first sync that needs it.",
        in_config=False,
        commands=(Command.FOLDER_CONFIGURE,),
    ),
    Option(
        name="metadata_suffix",
        metavar="SUFFIX",
        help="Suffix of custom metadata files to ingest, such as .metadata.json",
        panel=Panel.METADATA,
        in_config=False,
        commands=FOLDER,
    ),
    Option(
        name="metadata_paused",
        kind=Kind.FLAG,
        flags=("--pause-metadata/--resume-metadata",),
        help="Recognise custom metadata files, but do not attach their values",
        panel=Panel.METADATA,
        in_config=False,
        commands=FOLDER,
    ),
    Option(
        name="metadata_schema",
        kind=Kind.PATH,
        metavar="FILE",
        help="Metadata schema, a JSON file, to check values against",
        panel=Panel.METADATA,
        in_config=False,
        commands=FOLDER,
    ),
    Option(
        name="no_metadata",
        kind=Kind.FLAG,
        help="Stop ingesting metadata and clear what was ingested",
        in_config=False,
        panel=Panel.METADATA,
        commands=(Command.FOLDER_CONFIGURE,),
    ),
    Option(
        name="auto_sync",
        kind=Kind.FLAG,
        flags=("--auto-sync/--no-auto-sync",),
        help="Let labelingest folder serve sync the folder every 24 hours",
        panel=Panel.SCHEDULE,
        in_config=False,
        commands=FOLDER,
    ),
    Option(
        name="auto_sync_hours",
        kind=Kind.NUMBER,
        metavar="HOURS",
        help="Hours between scheduled syncs, instead of 24",
        panel=Panel.SCHEDULE,
        in_config=False,
        commands=FOLDER,
    ),
)
