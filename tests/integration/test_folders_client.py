"""What synced folders tell is what the official client reads."""

from pathlib import Path
from uuid import UUID

import orjson
from encord.orm.storage import (
    StorageItem,
    StorageItemType,
    StorageLocationName,
    SyncPrivateDataWithCloudSyncedFolderGetResultResponse,
    SyncPrivateDataWithCloudSyncedFolderStatus,
)

from labelingest.folders import State
from tests.builders.synced import ONTOLOGY, World, contents
from tests.oracles.client import load


def test_items_runs_and_label_rows_are_read_by_the_client(tmp_path: Path) -> None:
    with State(f"sqlite:///{tmp_path}/state.sqlite") as state:
        world = World(tmp_path, state)
        for name, text in (("a", "0 0.5 0.5 0.25 0.5"), ("b", "nonsense"), ("c", "")):
            world.labelled(name, text)
        world.write("clip.mp4", "")
        world.write("notes.html", "")
        world.write("a.jpg.metadata.json", '{"weather": "fog"}')
        folder = world.folder(metadata_suffix=".metadata.json")
        run = folder.sync()
        world.remove("c.jpg")
        folder.sync()
        items = [StorageItem.from_dict(item) for item in folder.items("all")]
        rows = {key: orjson.loads(text) for key, text in contents(world.rows).items()}

    assert [(item.name, item.item_type, item.is_tombstone) for item in items] == [
        ("a.jpg", StorageItemType.IMAGE, False),
        ("b.jpg", StorageItemType.IMAGE, False),
        ("c.jpg", StorageItemType.IMAGE, True),
        ("clip.mp4", StorageItemType.VIDEO, False),
        ("notes.html", StorageItemType.PLAIN_TEXT, False),
    ]
    first = items[0]
    assert first.storage_location is StorageLocationName.DIRECT_ACCESS
    assert orjson.loads(first.client_metadata) == {"weather": "fog"}
    assert first.url == (world.data / "a.jpg").as_uri()
    # The item of a label row is its data unit.
    assert {UUID(row["data_hash"]) for row in rows.values()} == {item.uuid for item in items[:3]}
    assert {UUID(row["dataset_hash"]) for row in rows.values()} == {first.parent}
    [box] = load(rows["a.jpg.encord.json"], ONTOLOGY).get_object_instances()
    assert box.ontology_item.name == "car"

    result = SyncPrivateDataWithCloudSyncedFolderGetResultResponse.from_dict(run.to_wire())
    assert result.status is SyncPrivateDataWithCloudSyncedFolderStatus.DONE
    # Five data files, of which one has a sidecar that is wrong.
    assert (result.upload_jobs_units_done, result.upload_jobs_units_error) == (4, 1)
    assert (result.scan_pages_processing_done, result.upload_jobs_done) == (1, 1)
