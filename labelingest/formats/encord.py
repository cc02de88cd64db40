"""Encord label rows: one JSON document for each data file."""

from labelingest.formats.format import Format, Package

__all__ = ["ENCORD"]

ENCORD = Format(
    name="encord",
    title="Encord label rows",
    noun="label row",
    heading="Label rows",
    source_title="Encord label rows",
    endings=(".jsonl", ".jsonl.zst"),
    can_be_folder=True,
    can_be_shards=True,
    is_resumable=True,
    packages=(Package(".zst", "zstandard", "zstd"),),
    keeps_classifications=True,
    pairs_by_suffix=True,
    source="labelingest.converter.from_encord",
    target="labelingest.writers.encord_json",
    sink="labelingest.sinks.encord",
)
