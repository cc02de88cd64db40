"""Every command and every example of README and how-to pages runs, and shows what they say."""

import doctest
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer import Typer

from labelingest.cli.commands import app
from tests.builders.command_line import command_line

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
HOW_TO = [path.read_text("utf-8") for path in sorted((ROOT / "docs/how-to").glob("*.md"))]
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", "\n".join([README, *HOW_TO]), re.M | re.S)
SESSIONS = [text for language, text in BLOCKS if language == "console"]
SCRIPTS = [text for language, text in BLOCKS if language == "python"]
PROGRESS = re.compile(r"^(?:.+: )?(?:list|check|convert|generate): [\d,]+ .*files.*\n", re.M)
"""Lines of progress, which are printed where the machine takes over two seconds."""
COMMANDS = re.compile(r"^\$ (.*(?:\\\n.*)*)\n((?:(?!\$ ).*\n)*)", re.M)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder to run in: the README's paths lead to the repository, outputs stay here."""
    place = tmp_path_factory.mktemp("readme")
    for name in ("fixtures", "docs"):
        (place / name).symlink_to(ROOT / name)
    return place


def run(command: str, place: Path) -> str:
    words = shlex.split(command.replace("\\\n", " "))
    assert words[0] == "labelingest", f"only labelingest can be shown: {command}"
    ran = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=place,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "120"},
    )
    return PROGRESS.sub("", ran.stdout)


@pytest.mark.parametrize("session", SESSIONS)
def test_a_session_shows_what_the_readme_says(session: str, place: Path) -> None:
    commands = COMMANDS.findall(session)
    assert commands
    for command, expected in commands:
        printed = "\n".join(line.rstrip() for line in run(command, place).splitlines()) + "\n"
        same = doctest.OutputChecker().check_output(
            expected, printed, doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        )
        assert same, f"$ {command}\n{printed}"


@pytest.mark.parametrize("script", SCRIPTS)
def test_an_example_runs_and_prints_what_its_comments_say(script: str, place: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=place, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    expected = re.findall(r"^# (.*)$", script, re.M)
    assert ran.stdout.splitlines() == expected


def names_of_commands(group: Typer) -> list[str]:
    names = [command.name or command.callback.__name__ for command in group.registered_commands]  # type: ignore[union-attr]
    for inner in group.registered_groups:
        assert inner.typer_instance is not None
        names += [f"{inner.name} {name}" for name in names_of_commands(inner.typer_instance)]
    return names


def test_every_command_is_mentioned_and_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    run_here = command_line(capsys)
    for name in names_of_commands(app):
        assert f"`labelingest {name}" in README, f"labelingest {name} is not in the README"
        ran = run_here(*name.split(), "--help")
        assert ran.code == 0
        assert "Example: labelingest" in re.sub(r"\s+", " ", ran.out)


@pytest.mark.parametrize("link", re.findall(r"\]\((?!https?:)([^)#]+)", README))
def test_a_link_leads_somewhere(link: str) -> None:
    assert (ROOT / link).exists()
