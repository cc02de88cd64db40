"""Turn label sidecars into Encord label rows, in bulk.

The flow, one package a stage::

    storage      1  list a folder, fetch many files, put one whole
    pairing      2  keys of a listing → pairs of data file and sidecar
    readers      3  bytes of sidecars → source labels, in columns
    resolution   4  class number → ontology object
    assembly   5–6  source labels + shapes → annotations (kernels: geometry)
    writers      7  annotations → bytes of label rows
    sinks        8  label rows → one file, or a tree of files
    report          what was seen, what became of it, and what was wrong

`pipeline.convert` runs it over a folder, `converter.Converter` over batches in memory. The names
below are the public ones; they are loaded when first used, so that importing costs nothing.
"""

# First: what is imported after it may have a namesake in the current folder.
from labelingest import search_path  # isort: skip

import sys

if search_path.names_program(sys.argv, sys.orig_argv):
    search_path.leave_out_current_folder()

from typing import TYPE_CHECKING

from labelingest._lazy import lazy_names

if TYPE_CHECKING:
    from labelingest.config import IngestConfig
    from labelingest.converter import Conversion, Converter, LabelFile
    from labelingest.errors import LabelIngestError
    from labelingest.model.ontology import Ontology
    from labelingest.pairing.pair import pair
    from labelingest.pairing.rules import PatternRule, SuffixRule
    from labelingest.pipeline import check, convert
    from labelingest.problems import Problem, ProblemCode
    from labelingest.report import Report
    from labelingest.resolution.class_map import make_class_map
    from labelingest.resolution.ontology_json import load_ontology

__all__ = [
    "Conversion",
    "Converter",
    "IngestConfig",
    "LabelFile",
    "LabelIngestError",
    "Ontology",
    "PatternRule",
    "Problem",
    "ProblemCode",
    "Report",
    "SuffixRule",
    "check",
    "convert",
    "load_ontology",
    "make_class_map",
    "pair",
]

__getattr__ = lazy_names(
    __name__,
    {
        "Conversion": "converter",
        "Converter": "converter",
        "IngestConfig": "config",
        "LabelFile": "converter",
        "LabelIngestError": "errors",
        "Ontology": "model.ontology",
        "PatternRule": "pairing.rules",
        "Problem": "problems",
        "ProblemCode": "problems",
        "Report": "report",
        "SuffixRule": "pairing.rules",
        "check": "pipeline",
        "convert": "pipeline",
        "load_ontology": "resolution.ontology_json",
        "make_class_map": "resolution.class_map",
        "pair": "pairing.pair",
    },
)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
