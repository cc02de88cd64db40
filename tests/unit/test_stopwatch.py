import pickle
from time import perf_counter, sleep

import pytest

from labelingest.stopwatch import OFF, Stage, Stopwatch


def test_a_stage_inside_another_stops_the_other() -> None:
    watch = Stopwatch()
    started = perf_counter()
    with watch.stage(Stage.ASSEMBLE):
        with watch.stage(Stage.HEADERS):
            sleep(0.02)
        with watch.stage(Stage.HEADERS):
            sleep(0.02)
    total = perf_counter() - started
    assert watch.seconds[Stage.HEADERS] >= 0.04
    assert 0 < watch.seconds[Stage.ASSEMBLE] <= total - watch.seconds[Stage.HEADERS]
    assert sum(watch.seconds.values()) <= total


def test_a_stage_that_fails_is_over() -> None:
    watch = Stopwatch()
    with pytest.raises(KeyError), watch.stage(Stage.READ):
        raise KeyError
    before = dict(watch.seconds)
    with watch.stage(Stage.WRITE):
        pass
    assert watch.seconds[Stage.READ] == before[Stage.READ] > 0


def test_what_stands_in_for_a_stopwatch_is_itself_in_another_process() -> None:
    assert pickle.loads(pickle.dumps(OFF)) is OFF
    with OFF.stage(Stage.READ), OFF.stage(Stage.WRITE):
        pass
