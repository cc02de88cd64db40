import pytest

from labelingest.model.listing import Listing
from labelingest.pairing.layouts import LayoutGuess, recognise


def guesses(*keys: str) -> list[LayoutGuess]:
    return recognise(Listing.from_entries((key, 1, 0) for key in keys))


def rules(*keys: str) -> list[tuple[tuple[str, ...], str, int]]:
    return [(guess.rule.images, guess.rule.labels, guess.pairs) for guess in guesses(*keys)]


def test_images_beside_labels() -> None:
    found = rules("images/a.jpg", "images/train/b.jpg", "labels/a.txt", "labels/train/b.txt")
    assert found == [(("images/{name}.jpg",), "labels/{name}.txt", 2)]


def test_images_and_labels_in_each_split() -> None:
    found = rules("train/images/a.jpg", "train/labels/a.txt", "x/val/images/b.jpg",
                  "x/val/labels/b.txt")  # fmt: skip
    assert found == [(("{split}/images/{name}.jpg",), "{split}/labels/{name}.txt", 2)]


def test_label_files_beside_their_images() -> None:
    assert rules("d/a.jpg", "d/a.txt", "b.jpg") == [(("{name}.jpg",), "{name}.txt", 1)]


def test_every_spelling_of_an_extension_gets_a_pattern_and_no_other() -> None:
    [guess] = guesses("images/a.JPG", "images/b.jpeg", "images/c.png", "images/d.gif",
                      "other/e.webp", "labels/a.txt")  # fmt: skip
    assert guess.rule.images == ("images/{name}.JPG", "images/{name}.jpeg", "images/{name}.png")


def test_two_layouts_are_both_told() -> None:
    found = rules("images/a.jpg", "labels/a.txt", "images/b.jpg", "images/b.txt")
    assert [labels for _, labels, _ in found] == ["labels/{name}.txt", "{name}.txt"]


@pytest.mark.parametrize("name", ["README", "readme", "LICENSE", "docs/Readme", "classes"])
def test_a_picture_beside_a_text_about_the_others_is_no_layout(name: str) -> None:
    found = rules("images/a.jpg", "labels/a.txt", f"{name}.png", f"{name}.txt")
    assert [labels for _, labels, _ in found] == ["labels/{name}.txt"]


def test_any_other_picture_beside_a_text_is_a_question() -> None:
    assert len(guesses("images/a.jpg", "labels/a.txt", "results.png", "results.txt")) == 2


@pytest.mark.parametrize(
    "keys",
    [
        [],
        ["a.jpg"],
        ["a.txt"],
        ["images/a.jpg", "labels/b.txt"],
        ["a/x.jpg", "b/x.txt"],
        ["images/a.jpg", "images/a.png", "labels/a.txt"],
        ["images/a.gif", "labels/a.txt"],
        ["images/._a.jpg", "labels/._a.txt"],
        ["images/a.jpg", "a/labels/a.txt"],
    ],
)
def test_what_pairs_nothing_is_no_layout(keys: list[str]) -> None:
    assert guesses(*keys) == []
