"""Parquet: one table with a row for each annotation. Only written."""

from labelingest.formats.format import Format, Package

__all__ = ["PARQUET"]

PARQUET = Format(
    name="parquet",
    title="Parquet",
    noun="data file",
    endings=(".parquet",),
    is_columns=True,
    packages=(Package(".parquet", "pyarrow", "parquet"),),
    target="labelingest.writers.parquet",
    sink="labelingest.sinks.parquet",
)
