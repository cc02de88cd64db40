"""Calls to the file system fail, or the process is killed there: every kind of output, some by seed.

Hundreds of them: `python -m benchmarks.faults`.
"""

from collections.abc import Iterator

import pytest

from benchmarks.faults import (
    COMMANDS,
    Fault,
    Trials,
    can_be_built,
    draw_faults,
    draw_moments,
    fault_server,
)

pytestmark = pytest.mark.skipif(bool(can_be_built()), reason=can_be_built() or "it can")


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trials]:
    place = tmp_path_factory.mktemp("faults")
    with fault_server(place) as run:
        yield Trials(place, run, files=10)


def test_the_library_makes_one_call_fail_and_no_other(trials: Trials) -> None:
    """Else nothing below says anything."""
    assert trials.calls("rows.jsonl", "w") > 10
    assert trials.attempt("coco.json", Fault("r", "28", 1)) == ""
    assert trials.codes["3"] == 1


@pytest.mark.parametrize("name", COMMANDS)
def test_a_call_that_fails_leaves_no_half_output_and_the_next_run_ends_well(
    name: str, trials: Trials
) -> None:
    [(_, fault)] = draw_faults(trials, [name], 1, seed=sorted(COMMANDS).index(name))
    assert trials.attempt(name, fault) == ""


@pytest.mark.parametrize("name", ["rows.jsonl", "tree", "coco.json", "export"])
def test_a_name_that_does_not_reach_the_disk_is_a_failed_write(name: str, trials: Trials) -> None:
    """The folder of the output cannot be flushed: the command does not say that it is done."""
    before = trials.codes["3"]
    assert trials.attempt(name, Fault("d", "5", 1)) == ""
    assert trials.codes["3"] == before + 1


@pytest.mark.parametrize("name", ["export", "apply"])
def test_a_process_killed_at_any_moment_leaves_no_half_output(name: str, trials: Trials) -> None:
    [(_, fault)] = draw_moments(trials, [name], 1, seed=1)
    assert trials.attempt(name, fault) == ""


@pytest.mark.parametrize("at", [1, 2, 3])
def test_what_a_failed_flush_lost_is_made_again(at: int, trials: Trials) -> None:
    assert trials.attempt("rows.jsonl", Fault("s", "lost", at)) == ""
