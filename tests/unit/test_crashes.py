import os
import pickle
import stat
from pathlib import Path

import pytest

from labelingest.crashes import crash_sentence, keep_trace, note_frames, trace_text
from labelingest.engines.base import Failure, attempt

SECRET = "s3cr3t-value"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def failure(raised: BaseException, cause: BaseException | None = None) -> BaseException:
    try:
        try:
            raise raised from cause
        finally:
            local = SECRET
            del local
    except BaseException as error:  # noqa: BLE001 - any is what it is about
        return error


def deep(depth: int) -> int:
    return deep(depth + 1)


def test_a_trace_has_types_and_frames_and_no_values(place: Path) -> None:
    error = failure(ValueError(SECRET), KeyError(SECRET))
    error.add_note(f"a note with {SECRET}")
    kept = keep_trace(error)
    assert kept is not None
    text = Path(kept).read_text()
    assert SECRET not in text
    assert "\nValueError\n" in text
    assert "\ncaused by KeyError\n" in text
    assert f"{__file__}:" in text
    assert "in failure" in text
    assert Path(kept).parent == place
    assert stat.S_IMODE(Path(kept).stat().st_mode) == 0o600


def test_one_cause_leaves_one_file(place: Path) -> None:
    kept = {keep_trace(failure(ValueError(number))) for number in range(3)}
    assert [str(path) for path in place.iterdir()] == list(kept)


def test_the_number_of_an_error_of_the_system_is_in_the_trace() -> None:
    assert "PermissionError (EACCES)" in trace_text(failure(PermissionError(13, SECRET, SECRET)))


@pytest.mark.parametrize(
    "error",
    [
        ExceptionGroup(SECRET, [ValueError(SECRET), KeyError(SECRET)]),
        MemoryError(SECRET),
        UnicodeDecodeError("utf-8", SECRET.encode(), 0, 1, SECRET),
    ],
    ids=repr,
)
def test_no_kind_of_exception_brings_values(error: Exception) -> None:
    text = trace_text(failure(error))
    assert SECRET not in text
    assert type(error).__name__ in text


def test_endless_recursion_has_a_short_trace() -> None:
    with pytest.raises(RecursionError) as caught:
        deep(0)
    text = trace_text(caught.value)
    assert len(text.splitlines()) < 120
    assert " times)" in text


def test_exceptions_that_cause_each_other_end() -> None:
    one, other = ValueError(), KeyError()
    one.__cause__, other.__cause__ = other, one
    assert trace_text(one).count("caused by") == 1


def test_frames_of_a_worker_survive_the_way_back_and_its_values_do_not() -> None:
    outcome = attempt(int, SECRET)
    assert isinstance(outcome, Failure)
    error = pickle.loads(pickle.dumps(outcome)).error
    assert SECRET not in "".join(error.__notes__)
    assert "in a worker:\n" in trace_text(failure(error))
    assert SECRET not in trace_text(failure(error))


def test_source_lines_are_no_part_of_the_frames_of_a_worker() -> None:
    error = failure(ValueError())
    note_frames(error)
    assert "raise raised" not in error.__notes__[0]


def test_a_link_under_the_name_of_a_trace_is_not_followed(place: Path) -> None:
    first = keep_trace(failure(ValueError()))
    assert first is not None
    Path(first).unlink()
    victim = place / "victim"
    Path(first).symlink_to(victim)
    second = keep_trace(failure(ValueError()))
    assert second not in (None, first)
    assert not victim.exists()


def test_a_trace_is_never_put_into_the_current_folder(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labelingest.crashes._FOLDERS", ())
    monkeypatch.setenv("TMPDIR", str(place / "missing"))
    monkeypatch.chdir(place)
    assert keep_trace(failure(ValueError())) is None
    assert os.listdir(place) == []  # noqa: PTH208 - the shorter
    assert "no trace was kept" in crash_sentence(failure(ValueError()))
