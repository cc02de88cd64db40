"""Syncs that are killed at random moments: real processes, really killed."""

from pathlib import Path

from benchmarks.kill_and_sync import Trial


def test_a_sync_after_a_kill_ends_as_if_there_had_been_none(tmp_path: Path, state_url: str) -> None:
    trial = Trial(tmp_path, 60, state_url)
    try:
        while trial.kills < 3:
            assert trial.round() == []
    finally:
        trial.state.close()
