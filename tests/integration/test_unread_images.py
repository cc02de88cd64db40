"""Images whose headers cannot be read for a while, and label rows that depend on their sizes."""

from collections.abc import Sequence

from labelingest.model.blobs import Unread
from labelingest.problems import ProblemCode
from labelingest.storage import LocalStorage, Storage
from tests.builders.synced import BOX, World, contents, on_sqlite

TURNED = "2 0.25 0.25 0.75 0.25 0.75 0.75 0.25 0.75"


class Failing(LocalStorage):
    """A folder of which no header can be read, as of a storage with too much to do."""

    def fetch_heads(
        self, keys: Sequence[str], length: int, *, start: int = 0
    ) -> Sequence[bytes | Unread]:
        return [Unread(ProblemCode.UNREADABLE_FILE, "it cannot be read: not now")] * len(keys)


def swap(world: World, storage: Storage) -> None:
    """Read the data through another storage from now on."""
    world.storage.inner = storage


@on_sqlite
def test_label_rows_wait_for_a_header_that_cannot_be_read_today(world: World) -> None:
    world.write("a.txt", TURNED)
    world.write("b.txt", BOX)
    folder = world.folder()
    swap(world, Failing(str(world.data)))
    run = folder.sync()
    assert (run.failed, run.counters.label_rows_made) == (True, 1)
    assert list(contents(world.rows)) == ["b.jpg.encord.json"]
    [problem] = folder.problems()
    assert str(problem) == ("a.txt: unreadable-file: its image 'a.jpg': it cannot be read: not now")
    swap(world, LocalStorage(str(world.data)))
    run = folder.sync()
    assert (run.failed, run.counters.label_rows_made) == (False, 1)
    assert b"rotatable_bounding_box" in contents(world.rows)["a.jpg.encord.json"]
    assert list(folder.problems()) == []
    assert folder.plan().changes == {}


@on_sqlite
def test_a_label_row_is_kept_until_its_replaced_image_can_be_read(world: World) -> None:
    world.write("a.txt", TURNED)
    folder = world.folder()
    folder.sync()
    rows = contents(world.rows)
    world.image("a.jpg", (128, 48))
    swap(world, Failing(str(world.data)))
    assert folder.sync().failed
    assert contents(world.rows) == rows
    swap(world, LocalStorage(str(world.data)))
    folder.sync()
    assert contents(world.rows) != rows
    assert folder.plan().changes == {}
