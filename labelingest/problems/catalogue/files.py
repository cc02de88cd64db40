"""Codes of files: in listings, in pairs, in outputs."""

from typing import Final

from labelingest.problems.definition import Definition, Family, Severity

ERROR: Final = Severity.ERROR
WARNING: Final = Severity.WARNING

FILES: Final = Family(
    "Files and folders",
    "A listing that meets `unreadable-folder`, `unreadable-file`, `link-loop`, `broken-link`, "
    "`vanished-file`, `not-a-regular-file`, `key-not-utf8` or `unusable-key` does not see every "
    "file. So a synced folder deletes nothing at that key or below it; all other changes are "
    "made. A name that is not UTF-8 may be any name of its folder outside ASCII, as on a disk "
    "that is mounted with another character set: the folder keeps every key below it with such a "
    "character. An unusable key hides the key without its faults, and the folder that this key "
    "lies in: `a//b.txt` hides `a/` and everything below it, `d/../e.txt` hides `e.txt` and `d/`. "
    "A key that would lie directly in the storage path, as `/f.txt`, hides that file only.",
)

UNREADABLE_FOLDER: Final = Definition(
    "unreadable-folder",
    ERROR,
    FILES,
    cause="a folder below the storage path could not be listed; its files are missing from the "
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
    cure="make the file readable. The image gets no label row until then.",
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
    cure="check what the file is; split a file that holds a whole data set. `--max-label-bytes` "
    "allows up to 300 MB; memory grows with it.",
)

LINK_LOOP: Final = Definition(
    "link-loop",
    WARNING,
    FILES,
    cause="a symbolic link leads back to a folder that contains it. The files of the folder are "
    "read once.",
    example="images/again: link-loop: a symbolic link to '.', a folder it lies in itself: not "
    "followed",
    cure="remove the link.",
    hides_files=True,
)

BROKEN_LINK: Final = Definition(
    "broken-link",
    WARNING,
    FILES,
    cause="a symbolic link leads nowhere: its target was removed, or is on a disk that is not "
    "mounted.",
    example="images/d.jpg: broken-link: a symbolic link that leads nowhere: 'nowhere.jpg' does "
    "not exist",
    cure="restore the target, or remove the link.",
    hides_files=True,
)

VANISHED_FILE: Final = Definition(
    "vanished-file",
    WARNING,
    FILES,
    cause="a file or folder was in the listing of its folder and missing a moment later: deleted "
    "in between, or on a disk with a loose connection.",
    example="labels/a.txt: vanished-file: it was there when its folder was read, and gone a "
    "moment later",
    cure="none needed if the file was deleted; else check the disk or the network share, and run "
    "again.",
    hides_files=True,
)

NOT_A_REGULAR_FILE: Final = Definition(
    "not-a-regular-file",
    WARNING,
    FILES,
    cause="a pipe, socket or device, or a link where links are not followed. It is never opened.",
    example="labels/e.txt: not-a-regular-file: a named pipe: only regular files are read",
    cure="replace it by a file, or follow links (`--follow-symlinks`) if you trust the folder.",
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
    "`.` or `..`, or a control character. The object is left out. The first 10,000 are listed; "
    "the others are one problem with their number, and a synced folder then deletes nothing at "
    "all.",
    example="labels//a.txt: unusable-key: left out: a key has no empty, '.' or '..' parts and no "
    "control characters; rename it",
    cure="copy the object to a valid key, then delete it: `aws s3api copy-object --bucket B "
    "--copy-source 'B/labels//a.txt' --key labels/a.txt`.",
    hides_files=True,
)

UNSUPPORTED_DATA_TYPE: Final = Definition(
    "unsupported-data-type",
    WARNING,
    FILES,
    cause="files of a kind that cannot be labelled here; one problem for each file extension, "
    "with the number of files.",
    example="scans/0.dcm: unsupported-data-type: 12 files with the extension 'dcm', as "
    "'scans/0.dcm': files of this kind cannot be labelled here",
    cure="none needed if the files are not to be labelled; else convert them to a supported kind.",
)

NAME_TOO_LONG: Final = Definition(
    "name-too-long",
    WARNING,
    FILES,
    cause="the name of a data file, the last part of its key, has more than 300 characters: it is "
    "the title of the label row, and a title on the platform has no more. The first 1,000 files are "
    "named; the others are one problem with their number.",
    example="scans/…001.png: name-too-long: its name has 301 characters, more than the 300 that a "
    "title may have on the platform: rename it before it is registered there",
    cure="rename the file and its label file, then run again. The label row is made all the same.",
)

PAIRING: Final = Family("Pairing")

ORPHAN_SIDECAR: Final = Definition(
    "orphan-sidecar",
    ERROR,
    PAIRING,
    cause="a label file whose image does not exist under the patterns, or custom metadata whose "
    "data file does not exist.",
    example="labels/c.txt: orphan-sidecar: there is no image for it: 'images/c.jpg', "
    "'images/c.png' do not exist",
    cure="`labelingest pair` shows near misses: another extension or its case, another folder "
    "name, one level too deep, a name that a tool changed. `labelingest pair STORAGE_PATH --why FILE` "
    "answers for one file.",
)

AMBIGUOUS_PAIR: Final = Definition(
    "ambiguous-pair",
    ERROR,
    PAIRING,
    cause="two images have one label file (`a.jpg` and `a.png`), or one image has two label "
    "files. None of them is converted.",
    example="labels/b.txt: ambiguous-pair: 2 data files have this one sidecar, 'images/b.jpg', "
    "'images/b.png': none is converted; keep one of them, or choose patterns that tell them apart",
    cure="remove or rename all but one, or leave out one of the image file patterns.",
)

ONTOLOGY: Final = Family("Ontology")

EXTERNAL_ID_NOT_A_CLASS_NUMBER: Final = Definition(
    "external-id-not-a-class-number",
    WARNING,
    ONTOLOGY,
    cause="an external ID in the chosen namespace is not a whole number from 0 on; it does not "
    "map the object.",
    example="ontology#/objects/1/externalIds/YOLO: external-id-not-a-class-number: external ID "
    "'car' of 'car' (00000002) is no class number: expected an integer from 0 to 2**53 in decimal "
    "digits; the object is left out under this ID",
    cure="correct the ID, choose another namespace (`--namespace`), or map the number by hand "
    "(`--map 2=car`).",
)

NUMBERS_FROM_ONE: Final = Definition(
    "numbers-from-one",
    WARNING,
    ONTOLOGY,
    cause="the label files use class numbers from 1 to n and not 0, the ontology maps exactly 0 to "
    "n-1, and no class list names number n. If the files count from 1, every row but those of number "
    "n was converted to the object of the class behind its own.",
    example="labels/a.txt:2:1: numbers-from-one: the label files use the class numbers 1 to 2, the "
    "ontology maps 0 to 1: if they count from 1, the rows of 1 of 2 numbers have the wrong object "
    "(1 means 'van' then, not 'car'), and number 2 is unknown; map the numbers then (--map 0= --map "
    "1=00000001 --map 2=00000002) or correct the external IDs; if number 0 is only not used, map "
    "number 2 too",
    cure="look at a few label rows. If the classes are one too far, map the numbers as the message "
    "says, or correct the external IDs of the ontology. If they are right, the data set has no rows "
    "of class 0: map number n, or remove its rows.",
)

OUTCOME: Final = Family("Outcome of a file")

NO_ROW_LEFT: Final = Definition(
    "no-row-left",
    WARNING,
    OUTCOME,
    cause="a file has rows, and none could be converted. Its label row has no objects and looks "
    "like that of an image labelled as empty.",
    example="labels/a.txt: no-row-left: none of the 3 rows could be converted: what is written "
    "reads like an image labelled as empty (--on-row-error skip-file withholds it)",
    cure="correct the rows, or withhold such files with `--on-row-error skip-file`.",
)

FILE_SKIPPED: Final = Definition(
    "file-skipped",
    ERROR,
    OUTCOME,
    cause="with `--on-row-error skip-file`: a file has a bad row, so it gets no label row; its "
    "good rows count as rejected.",
    example="labels/a.txt: file-skipped: 1 of 8 rows were rejected, so the file is skipped as a "
    "whole: no label row",
    cure="correct the rows, which are problems of their own.",
)

OUTPUT_NAME_REFUSED: Final = Definition(
    "output-name-refused",
    ERROR,
    OUTCOME,
    cause="the output folder cannot hold the name that a file would get (`KEY.encord.json`, or a "
    "YOLO label file's): too long for its file system, equal to another name except for upper and "
    "lower case, or, in YOLO, shared by two images that differ in their extension only. The file "
    "of the first image stays. In the output of a synced folder also: the name is taken by a "
    "link, or by a file that the folder did not write or that was changed since; such files are "
    "never replaced and never deleted.",
    example="images/a.jpg: output-name-refused: no label row: the name 'images/a.jpg.encord.json' "
    "is too long for this file system (255 bytes on most)",
    cure="write label rows to a `.jsonl` file: a line can hold any name. For YOLO, rename one of "
    "the images. Move a foreign file out of the output: the next sync writes the label row. "
    "`labelingest folder sync NAME --verify-output` writes over a label row of the folder that "
    "was changed.",
)

INTERNAL_ERROR: Final = Definition(
    "internal-error",
    ERROR,
    OUTCOME,
    cause="labelingest itself failed on this file. All other files were converted, and the run "
    "ends with exit code 3.",
    example="labels/a.txt: internal-error: a failure of labelingest, not of the file: unexpected "
    "ValueError; please report it with the trace in /tmp/labelingest-trace-93b1c8a2d4f06e57.txt",
    cure="report the failure. The trace holds no name and no value of the data. A synced folder "
    "tries the file again when it changes, or with another version of labelingest.",
)

OUT_OF_MEMORY: Final = Definition(
    "out-of-memory",
    ERROR,
    OUTCOME,
    cause="memory ran out on this file. All other files were converted, and the run ends with "
    "exit code 3.",
    example="labels/a.txt: out-of-memory: memory ran out over this file; other files are not affected: give "
    "the process more memory, or try fewer --workers or smaller --batch-bytes",
    cure="run again with more memory or fewer workers. A synced folder tries the file again at "
    "each sync.",
)
