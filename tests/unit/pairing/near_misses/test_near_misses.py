import unicodedata
from collections.abc import Sequence

import pytest

from labelingest.model.listing import Listing
from labelingest.pairing.near_misses.differences import Cause
from labelingest.pairing.near_misses.near_misses import NearMiss, near_misses
from labelingest.pairing.pair import pair
from labelingest.pairing.rules import PatternRule, SuffixRule

BESIDE = PatternRule(("images/{name}.jpg",), "labels/{name}.txt")
SPLITS = PatternRule(("{split}/images/{name}.jpg",), "{split}/labels/{name}.txt")
NFC, NFD = unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é")


def misses(keys: Sequence[str], rule: PatternRule | SuffixRule = BESIDE) -> list[NearMiss]:
    listing = Listing.from_entries((key, 1, 0) for key in keys)
    return near_misses(listing, pair(listing, rule), rule)


def use(images: str, labels: str) -> str:
    return f"use --images '{images}' --labels '{labels}'"


@pytest.mark.parametrize(
    ("image", "label", "cause", "fix"),
    [
        ("images/a.JPG", "labels/a.txt", Cause.EXTENSION_CASE,
         "add --images 'images/{name}.JPG'"),
        ("images/a.png", "labels/a.txt", Cause.OTHER_EXTENSION,
         "add --images 'images/{name}.png'"),
        ("images/a.jpg", "labels/a.TXT", Cause.EXTENSION_CASE,
         "use --labels 'labels/{name}.TXT'"),
        ("image/a.jpg", "labels/a.txt", Cause.FOLDER_NAME,
         use("image/{name}.jpg", "labels/{name}.txt")),
        ("Images/a.jpg", "labels/a.txt", Cause.FOLDER_NAME,
         use("Images/{name}.jpg", "labels/{name}.txt")),
        ("images/a.jpg", "label/a.txt", Cause.FOLDER_NAME,
         use("images/{name}.jpg", "label/{name}.txt")),
        ("pics/x/a.png", "annotations/x/a.txt", Cause.FOLDER_NAME,
         use("pics/{name}.png", "annotations/{name}.txt")),
        ("v1/a.jpg", "v1/a.txt", Cause.FOLDER_NAME, use("{name}.jpg", "{name}.txt")),
        ("images/train/a.jpg", "labels/a.txt", Cause.TOO_DEEP,
         use("images/train/{name}.jpg", "labels/{name}.txt")),
        ("images/a.jpg", "labels/train/a.txt", Cause.TOO_SHALLOW,
         use("images/{name}.jpg", "labels/train/{name}.txt")),
        ("images/A.jpg", "labels/a.txt", Cause.NAME_CASE, "mv -- labels/a.txt labels/A.txt"),
        (f"images/{NFC}.jpg", f"labels/{NFD}.txt", Cause.UNICODE_FORM,
         "mv -- $'labels/e\\xcc\\x81.txt' $'labels/\\xc3\\xa9.txt'"),
        ("images/a .jpg", "labels/a.txt", Cause.BLANKS, "mv -- labels/a.txt 'labels/a .txt'"),
    ],
)  # fmt: skip
def test_a_near_miss_has_a_cause_and_a_fix(image: str, label: str, cause: Cause, fix: str) -> None:
    [miss] = misses([image, label])
    assert (miss.cause, miss.count, miss.keys, miss.fix) == (cause, 1, (image, label), fix)


def test_splits_keep_their_placeholder() -> None:
    [miss] = misses(["train/image/a.jpg", "train/labels/a.txt", "val/image/b.jpg",
                     "val/labels/b.txt"], SPLITS)  # fmt: skip
    assert miss.fix == use("{split}/image/{name}.jpg", "{split}/labels/{name}.txt")
    assert miss.count == 2


def test_the_fix_pairs_what_it_is_for() -> None:
    keys = ["images/train/a.jpg", "images/train/b.jpg", "labels/a.txt", "labels/b.txt"]
    assert misses(keys)[0].fix == use("images/train/{name}.jpg", "labels/{name}.txt")
    rule = PatternRule(("images/train/{name}.jpg",), "labels/{name}.txt")
    assert len(pair(Listing.from_entries((key, 1, 0) for key in keys), rule)) == 2


def test_braces_in_folders_are_doubled_in_the_fix() -> None:
    [miss] = misses(["{x}/a.jpg", "labels/a.txt"])
    assert miss.fix == use("{{x}}/{name}.jpg", "labels/{name}.txt")


def test_one_cause_is_told_once_with_its_count_the_most_frequent_first() -> None:
    keys = [f"images/{i}.JPG" for i in range(5)] + [f"images/{i}.png" for i in range(5, 7)]
    found = misses([*keys, *(f"labels/{i}.txt" for i in range(7))])
    assert [(miss.cause, miss.count) for miss in found] == [
        (Cause.EXTENSION_CASE, 5),
        (Cause.OTHER_EXTENSION, 2),
    ]
    assert "(5 pairs like this)" in str(found[0])


def test_renames_are_one_group() -> None:
    [miss] = misses(["images/A.jpg", "images/B.jpg", "labels/a.txt", "labels/b.txt"])
    assert miss.count == 2
    assert miss.renames == (("labels/a.txt", "labels/A.txt"), ("labels/b.txt", "labels/B.txt"))
    assert str(miss).endswith("and so on; labelingest pair --renames prints all 2 commands")


@pytest.mark.parametrize(
    ("place", "fix"),
    [
        ("my data", "mv -- 'my data/labels/a.txt' 'my data/labels/A.txt'"),
        (".", "mv -- labels/a.txt labels/A.txt"),
        ("file:///my%20data/", "mv -- '/my data/labels/a.txt' '/my data/labels/A.txt'"),
        ("S3://b/x y", "aws s3 mv 'S3://b/x y/labels/a.txt' 'S3://b/x y/labels/A.txt'"),
        ("gs://b/", "gcloud storage mv gs://b/labels/a.txt gs://b/labels/A.txt"),
        ("https://minio.example.com/b/", "rename labels/a.txt to labels/A.txt there"),
    ],
)
def test_a_command_names_files_as_the_storage_path_does(place: str, fix: str) -> None:
    listing = Listing.from_entries((key, 1, 0) for key in ["images/A.jpg", "labels/a.txt"])
    [miss] = near_misses(listing, pair(listing, BESIDE), BESIDE, place=place)
    assert miss.fix == fix


def test_files_with_nothing_in_common_are_no_near_miss() -> None:
    assert (
        misses(["images/a.jpg", "labels/b.txt", "README.md", "images/c.jpg", "labels/c.txt"]) == []
    )


def test_files_that_pair_are_never_a_near_miss() -> None:
    assert misses(["images/a.jpg", "labels/a.txt", "notes/a.txt", "images/a.JPG"]) != []
    keys = ["images/a.jpg", "labels/a.txt", "notes/b.txt", "images/c.JPG"]
    assert misses(keys) == []


def test_each_sidecar_explains_one_image_only() -> None:
    [miss] = misses(["x/a.jpg", "y/a.jpg", "z/a.jpg", "labels/a.txt"])
    assert miss.count == 1


def test_each_image_is_explained_by_one_sidecar_only() -> None:
    [miss] = misses(["pics/a.jpg", "labels/a.txt", "notes/a.txt", "other/a.txt"])
    assert (miss.count, miss.keys) == (1, ("pics/a.jpg", "labels/a.txt"))


def test_a_command_has_no_control_characters() -> None:
    [miss] = misses(["images/A\n\x1b[2J.jpg", "labels/a\n\x1b[2j.txt"])
    assert miss.fix.isprintable()
    assert str(miss).isprintable()


@pytest.mark.parametrize(
    ("data", "sidecar", "cause"),
    [
        ("a.jpg", "a.JPG.encord.json", Cause.EXTENSION_CASE),
        ("a.jpg", "a.encord.json", Cause.OTHER_EXTENSION),
        ("x/a.jpg", "a.jpg.encord.json", Cause.TOO_DEEP),
        ("x/a.mp4", "y/a.mp4.encord.json", Cause.FOLDER_NAME),
        ("A.jpg", "a.jpg.encord.json", Cause.NAME_CASE),
    ],
)
def test_sidecars_by_suffix_are_to_be_renamed(data: str, sidecar: str, cause: Cause) -> None:
    [miss] = misses([data, sidecar], SuffixRule())
    assert (miss.cause, miss.fix) == (cause, f"mv -- {sidecar} {data}.encord.json")


def with_content(key: str, content: bytes, rule: PatternRule = BESIDE) -> list[NearMiss]:
    listing = Listing.from_entries([(key, len(content), 0), ("labels/a.txt", 20, 0)])
    return near_misses(listing, pair(listing, rule), rule, small_files=lambda _: content)


@pytest.mark.parametrize("content", [b"../images", b"../images\n", b"/disk/images", b".hidden"])
def test_a_link_stored_as_a_file_is_found(content: bytes) -> None:
    [miss] = with_content("images", content)
    target = content.decode().strip()
    assert (miss.cause, miss.count) == (Cause.LINK_AS_FILE, 1)
    assert miss.keys == ("images",)
    assert miss.fix == f"ln -sfn {target} images"
    assert f"'images' is a file that holds {target!r}" in miss.detail


def test_a_link_stored_as_a_file_is_found_in_each_split() -> None:
    [miss] = with_content("train/images", b"../../my images", SPLITS)
    assert miss.fix == "ln -sfn '../../my images' train/images"


@pytest.mark.parametrize("content", [b"", b"images", b"../a\n../b", b"\xff/x", b"a/\0", b"../a "])
def test_a_file_that_holds_no_path_is_no_link(content: bytes) -> None:
    assert with_content("images", content) == []


@pytest.mark.parametrize("key", ["img", "images.txt", "myimages", "images/x"])
def test_only_files_called_like_a_folder_of_the_patterns_are_looked_into(key: str) -> None:
    assert with_content(key, b"../images") == []


def test_large_files_are_not_looked_into() -> None:
    listing = Listing.from_entries([("images", 4097, 0)])

    def read(key: str) -> bytes:
        pytest.fail("read")

    assert near_misses(listing, pair(listing, BESIDE), BESIDE, small_files=read) == []
