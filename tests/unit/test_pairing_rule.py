import subprocess
import sys

import pytest

from labelingest.errors import ConfigError
from labelingest.pairing.rules import PatternRule, SuffixRule
from labelingest.pipeline.pairing_rule import PairingRule, rule_from_options


@pytest.mark.parametrize(
    ("format", "suffix", "images", "labels", "expected"),
    [
        ("auto", None, (), None, None),
        ("yolo", None, (), None, None),
        ("encord", None, (), None, SuffixRule(".encord.json")),
        ("auto", ".json", (), None, SuffixRule(".json")),
        ("auto", None, ("{name}.jpg",), "{name}.txt", PatternRule(("{name}.jpg",), "{name}.txt")),
    ],
)
def test_options_give_one_rule_or_leave_it_to_the_files(
    format: str,
    suffix: str | None,
    images: tuple[str, ...],
    labels: str | None,
    expected: PairingRule | None,
) -> None:
    rule = rule_from_options(format=format, suffix=suffix, images=images, labels=labels)
    assert rule == expected


@pytest.mark.parametrize(
    ("format", "suffix", "labels", "sentence"),
    [
        ("yolo", ".json", None, "suffix '.json' is for Encord sidecars"),
        ("encord", None, "{name}.txt", "images and labels are patterns of YOLO label files"),
        ("auto", None, "{name}.txt", "images is missing"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    format: str, suffix: str | None, labels: str | None, sentence: str
) -> None:
    with pytest.raises(ConfigError, match=sentence):
        rule_from_options(format=format, suffix=suffix, images=(), labels=labels)


def test_the_rule_is_made_without_loading_engines_sinks_or_the_configuration() -> None:
    script = (
        "import sys\n"
        "import labelingest.pipeline.pairing_rule\n"
        "print([m for m in ('engines', 'sinks', 'config', 'converter', 'storage')"
        " if f'labelingest.{m}' in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
