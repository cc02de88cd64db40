"""Options of files and classes: the folder, how its files pair, and its ontology."""

from collections.abc import Sequence
from typing import Final

from labelingest.formats import source_names
from labelingest.options.option import (
    LABELS,
    PAIRING,
    RUNS,
    Command,
    Kind,
    Option,
    Panel,
)

__all__ = ["FILES_OPTIONS"]

FILES_OPTIONS: Final[Sequence[Option]] = (
    Option(
        name="storage_path",
        kind=Kind.PATH,
        metavar="STORAGE_PATH",
        help="Folder with data files and label files, or a URL such as s3://bucket/prefix/",
        is_positional=True,
        decides_result=False,
        commands=(*RUNS, Command.PAIR),
    ),
    Option(
        name="config",
        kind=Kind.PATH,
        metavar="FILE",
        help="TOML file with any of these options, with underscores for dashes",
        note="Options on the command line take precedence.",
        in_config=False,
        commands=(*RUNS, Command.PAIR),
    ),
    Option(
        name="format",
        choices=("auto", *source_names()),
        default="auto",
        default_text="from the patterns, the suffix or the files themselves",
        help="Format of the label files",
        panel=Panel.FILES,
        commands=PAIRING,
    ),
    Option(
        name="suffix",
        metavar="SUFFIX",
        help="Suffix of Encord sidecars, added to the name of the data file",
        default_text=".encord.json, as in a.jpg.encord.json",
        panel=Panel.FILES,
        is_label_option=True,
        commands=PAIRING,
    ),
    Option(
        name="images",
        kind=Kind.TEXTS,
        default=(),
        metavar="PATTERN",
        help="Image file pattern, such as 'images/{name}.jpg'",
        note="Repeat it for several patterns. Without patterns, the usual layouts are recognised.",
        panel=Panel.FILES,
        is_label_option=True,
        commands=PAIRING,
    ),
    Option(
        name="labels",
        metavar="PATTERN",
        help="Label file pattern, such as 'labels/{name}.txt'",
        panel=Panel.FILES,
        is_label_option=True,
        commands=PAIRING,
    ),
    Option(
        name="follow_symlinks",
        kind=Kind.FLAG,
        default=True,
        flags=("--follow-symlinks/--no-follow-symlinks",),
        help="Follow symbolic links",
        note="Turn it off for folders that you do not trust.",
        panel=Panel.FILES,
        commands=(*RUNS, Command.PAIR, Command.METADATA_CHECK, Command.FOLDER_CREATE),
    ),
    Option(
        name="metadata_suffix",
        metavar="SUFFIX",
        help="Suffix of custom metadata files, such as .metadata.json",
        note="Files with this suffix are not data files.",
        panel=Panel.FILES,
        commands=(*RUNS, Command.PAIR),
    ),
    Option(
        name="ontology",
        kind=Kind.PATH,
        metavar="FILE",
        help="Ontology, a JSON file with Encord's structure",
        panel=Panel.CLASSES,
        decides_result=False,
        commands=LABELS,
    ),
    Option(
        name="namespace",
        help="Namespace whose external IDs are the class numbers",
        default_text="YOLO, or else the first namespace",
        panel=Panel.CLASSES,
        is_label_option=True,
        concerns_class_numbers=True,
        commands=(*LABELS, Command.CLASSES),
    ),
    Option(
        name="map",
        kind=Kind.CLASS_MAP,
        metavar="NUMBER=OBJECT",
        help="Object for a class number, by feature hash or name, such as 7=car",
        note="'7=' removes the number. Repeat it for several numbers.",
        panel=Panel.CLASSES,
        is_label_option=True,
        concerns_class_numbers=True,
        commands=(*LABELS, Command.CLASSES),
    ),
)
