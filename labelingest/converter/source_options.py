"""Everything that a source may need to make labels of sidecars, whatever their format."""

from dataclasses import dataclass

from labelingest.assembly.context import AssemblyOptions
from labelingest.model.ontology import ClassMap, Ontology
from labelingest.readers.yolo.layouts import YoloOptions

__all__ = ["SourceOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOptions:
    """The vocabulary of labels, and options of formats."""

    ontology: Ontology
    """The target vocabulary."""
    class_map: ClassMap
    """Class number → ontology object; empty where no class numbers are read."""
    yolo: YoloOptions
    """How rows of YOLO files are read."""
    assembly: AssemblyOptions
    """How rows become annotations."""
