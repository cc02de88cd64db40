import subprocess

import pytest

from labelingest.pairing.near_misses.shell import shell_word


@pytest.mark.parametrize(
    "text",
    ["a", "a b", "it's", "$HOME `x` \\", "a\nb", "\x1b[2J'\\n\\", "é\u0301\t", "\u2028日本", "-rf", "{a}"],
)  # fmt: skip
def test_a_shell_reads_back_what_was_written(text: str) -> None:
    word = shell_word(text)
    assert word.isprintable()
    ran = subprocess.run(["bash", "-c", f"printf %s {word}"], capture_output=True, check=True)
    assert ran.stdout.decode() == text
