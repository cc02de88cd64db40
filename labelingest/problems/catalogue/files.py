"""Codes of files: in listings, in pairs, in outputs."""

from typing import Final

from labelingest.problems.definition import Definition, Family, Severity

ERROR: Final = Severity.ERROR
WARNING: Final = Severity.WARNING

FILES: Final = Family(
    "Files and folders",
    "Where a listing met one of `unreadable-folder`, `unreadable-file`, `link-loop`, "
    "`broken-link`, `vanished-file`, `not-a-regular-file`, `key-not-utf8` and `unusable-key`, it "
    "is not known what is there. So a synced folder deletes nothing whose key is that of the "
    "place, or lies below it; all other changes go on. A name that is not UTF-8 may be any name "
    "of its folder outside ASCII, as on a disk that is mounted with another character set: what "
    "lies below the folder and has such a character behind the folder's name is kept. An unusable "
    "key hides what it is without its faults, and the folder that this lies in: `a//b.txt` hides "
    "`a/` and all below it, `d/../e.txt` hides `e.txt` and `d/`. One that would lie directly in "
    "the storage path, as `/f.txt`, hides that file only.",
)

UNREADABLE_FOLDER: Final = Definition(
    "unreadable-folder",
    ERROR,
    FILES,
    cause="a folder below the storage path could not be listed; what is in it is missing from the "
    "run.",
    example="private: unreadable-folder: this folder cannot be listed: permission denied; nothing "
    "in it was looked at",
    cure="grant permission to read and enter the folder, and run again.",
    hides_files=True,
)

UNREADABLE_FILE: Final = Definition(
    "unreadable-file",
    ERROR,
    FILES,
    cause="a label file, or the image whose size it needs, could not be opened or read: no "
    "permission, gone since it was listed, or a failing disk.",
    example="labels/a.txt: unreadable-file: it cannot be read: permission denied",
    cure="make it readable. The image gets no label row until then.",
    hides_files=True,
)

FILE_TOO_LARGE: Final = Definition(
    "file-too-large",
    ERROR,
    FILES,
    cause="a YOLO label file of more than 64 MB (`--max-label-bytes`), a label row of more than "
    "300 MB or 4,000,000 values (or, above 50 MB, with a text of more than 10 MB that may not be "
    "ASCII), or custom metadata of more than 10 MB. Values are counted before they are decoded: "
    "numbers, texts, literals and arrays once, objects twice.",
    example="labels/f.txt: file-too-large: it has 1,200,000,000 bytes, more than the 64,000,000 "
    "that one file may have: split it, or allow more (--max-label-bytes)",
    cure="look what it really is; split what is a whole data set in one file. `--max-label-bytes` "
    "allows up to 300 MB; memory grows with it.",
)

LINK_LOOP: Final = Definition(
    "link-loop",
    WARNING,
    FILES,
    cause="a symbolic link leads back to a folder that it lies in. Its content is taken once.",
    example="images/again: link-loop: a symbolic link to '.', a folder it lies in itself: not "
    "followed",
    cure="remove the link.",
    hides_files=True,
)

BROKEN_LINK: Final = Definition(
    "broken-link",
    WARNING,
    FILES,
    cause="a symbolic link leads nowhere: what it pointed to was removed, or is on a disk that is "
    "away.",
    example="images/d.jpg: broken-link: a symbolic link that leads nowhere: 'nowhere.jpg' does "
    "not exist",
    cure="restore what it pointed to, or remove it.",
    hides_files=True,
)

VANISHED_FILE: Final = Definition(
    "vanished-file",
    WARNING,
    FILES,
    cause="a file or folder was named when its folder was read, and was gone when it was looked "
    "at: deleted in between, or on a disk that comes and goes.",
    example="labels/a.txt: vanished-file: it was there when its folder was read, and gone a "
    "moment later",
    cure="none needed if it was deleted; else look at the disk or the network share, and run "
    "again.",
    hides_files=True,
)

NOT_A_REGULAR_FILE: Final = Definition(
    "not-a-regular-file",
    WARNING,
    FILES,
    cause="a pipe, socket or device, or a link where links are not followed. It is never opened.",
    example="labels/e.txt: not-a-regular-file: a named pipe: only regular files are read",
    cure="replace it by a file, or follow links (`--follow-symlinks`) if the folder is trusted.",
    hides_files=True,
)

KEY_NOT_UTF8: Final = Definition(
    "key-not-utf8",
    ERROR,
    FILES,
    cause="a file name is not UTF-8, so no label row can name it.",
    example="images/caf\\xe9.jpg: key-not-utf8: the name b'caf\\xe9.jpg' is not UTF-8, which keys "
    "are; rename it (convmv does many)",
    cure="rename the file (`convmv` does whole folders).",
    hides_files=True,
)

UNUSABLE_KEY: Final = Definition(
    "unusable-key",
    ERROR,
    FILES,
    cause="an object of an S3 bucket whose key has an empty part (`a//b.txt`, `/a.txt`), a part "
    "`.` or `..`, or a control character. It is left out. The first 10,000 are named; more are "
    "one problem with their number, and then a synced folder deletes nothing at all.",
    example="labels//a.txt: unusable-key: left out: a key has no empty, '.' or '..' parts and no "
    "control characters; rename it",
    cure="copy the object to a key without them, and delete it: `aws s3api copy-object --bucket B "
    "--copy-source 'B/labels//a.txt' --key labels/a.txt`.",
    hides_files=True,
)

UNSUPPORTED_DATA_TYPE: Final = Definition(
    "unsupported-data-type",
    WARNING,
    FILES,
    cause="files of a kind that cannot be labelled here, listed once for each file extension with "
    "their number.",
    example="scans/0.dcm: unsupported-data-type: 12 files with the extension 'dcm', as "
    "'scans/0.dcm': files of this kind cannot be labelled here",
    cure="none needed if they are not meant to be labelled; else convert them to a supported kind.",
)

PAIRING: Final = Family("Pairing")

ORPHAN_SIDECAR: Final = Definition(
    "orphan-sidecar",
    ERROR,
    PAIRING,
    cause="a label file whose image does not exist by the patterns, or custom metadata whose data "
    "file does not exist.",
    example="labels/c.txt: orphan-sidecar: there is no image for it: 'images/c.jpg', "
    "'images/c.png' do not exist",
    cure="`labelingest pair` shows near misses: another extension or its case, another folder "
    "name, one level too deep.",
)

AMBIGUOUS_PAIR: Final = Definition(
    "ambiguous-pair",
    ERROR,
    PAIRING,
    cause="two images for one label file (`a.jpg` and `a.png`), or two label files for one image. "
    "None of them is converted.",
    example="labels/b.txt: ambiguous-pair: 2 data files have this one sidecar, 'images/b.jpg', "
    "'images/b.png': none is converted; keep one of them, or choose patterns that tell them apart",
    cure="remove or rename all but one, or leave out one of the image file patterns.",
)

ONTOLOGY: Final = Family("Ontology")

EXTERNAL_ID_NOT_A_CLASS_NUMBER: Final = Definition(
    "external-id-not-a-class-number",
    WARNING,
    ONTOLOGY,
    cause="an external ID in the chosen namespace is not a whole number from 0 on; the object is "
    "not mapped by it.",
    example="ontology#/objects/1/externalIds/YOLO: external-id-not-a-class-number: external ID "
    "'car' of 'car' (00000002) is no class number: expected an integer from 0 to 2**53 in decimal "
    "digits; the object is left out under this ID",
    cure="correct the ID, choose another namespace (`--namespace`), or map the number by hand "
    "(`--map 2=car`).",
)

OUTCOME: Final = Family("Outcome of a file")

NO_ROW_LEFT: Final = Definition(
    "no-row-left",
    WARNING,
    OUTCOME,
    cause="a file has rows, and none could be converted. Its label row has no objects and reads "
    "like that of an image labelled as empty.",
    example="labels/a.txt: no-row-left: none of the 3 rows could be converted: what is written "
    "reads like an image labelled as empty (--on-row-error skip-file withholds it)",
    cure="mend the rows, or withhold such files with `--on-row-error skip-file`.",
)

FILE_SKIPPED: Final = Definition(
    "file-skipped",
    ERROR,
    OUTCOME,
    cause="with `--on-row-error skip-file`: a file has a bad row, so it gets no label row; its "
    "good rows count as rejected.",
    example="labels/a.txt: file-skipped: 1 of 8 rows were rejected, so the file is skipped as a "
    "whole: no label row",
    cure="mend the rows that are named beside it.",
)

OUTPUT_NAME_REFUSED: Final = Definition(
    "output-name-refused",
    ERROR,
    OUTCOME,
    cause="the output folder cannot hold the name that a file would get (`KEY.encord.json`, or a "
    "YOLO label file's): too long for its file system, equal to another but for upper and lower "
    "case, or, in YOLO, that of two images that differ in their extension only. The first image's "
    "stays. In the output of a synced folder also: a file that the folder did not write, or that "
    "was changed since, or a link has the place of a label row; it is never replaced and never "
    "deleted.",
    example="images/a.jpg: output-name-refused: no label row: the name 'images/a.jpg.encord.json' "
    "is too long for this file system (255 bytes on most)",
    cure="write label rows to a `.jsonl` file: a line can hold any name. For YOLO, rename one of "
    "the images. Move a foreign file out of the output: the next sync writes the label row. Where "
    "it is a label row of the folder that was changed, `labelingest folder sync NAME "
    "--verify-output` writes over it.",
)

INTERNAL_ERROR: Final = Definition(
    "internal-error",
    ERROR,
    OUTCOME,
    cause="labelingest itself failed over this file, in a way that was not foreseen. The other "
    "files went on, and the run ends with exit code 3.",
    example="labels/a.txt: internal-error: a failure of labelingest, not of the file: unexpected "
    "ValueError; please report it with the trace in /tmp/labelingest-trace-93b1c8a2d4f06e57.txt",
    cure="report it. The trace holds no name and no value of the data. A synced folder tries the "
    "file again when it changes, or with another version of labelingest.",
)

OUT_OF_MEMORY: Final = Definition(
    "out-of-memory",
    ERROR,
    OUTCOME,
    cause="memory ran out over this file. The other files went on, and the run ends with exit "
    "code 3.",
    example="labels/a.txt: out-of-memory: memory ran out over this file, the others went on: give "
    "the process more memory, or try fewer --workers or smaller --batch-bytes",
    cure="run again with more memory or fewer workers. A synced folder tries the file again at "
    "each sync.",
)
