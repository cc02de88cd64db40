"""Find outlines of polygons that cross themselves, whatever format they came from."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from labelingest.columns import ragged
from labelingest.columns.types import Float64, Int64
from labelingest.model.annotations import Annotations, ColumnShape, column_shapes
from labelingest.model.ontology import OntologyObject
from labelingest.model.rejections import problem_of_row
from labelingest.model.units import DataUnits
from labelingest.problems import ProblemCode
from labelingest.problems.of_batch import BatchProblems

__all__ = ["crossings", "warn_of_outlines"]


def crossings(
    vertices: Float64, offsets: Int64, name: Callable[[int], str] = lambda _: "the outline"
) -> Iterator[tuple[int, ProblemCode, str]]:
    """Yield ring, problem code and sentence of each ring that a person should look at.

    Parameters
    ----------
    vertices
        (v, 2) vertices of all rings.
    offsets
        (r + 1,) ring i owns vertices[offsets[i] : offsets[i + 1]].
    name
        Ring → what its sentence calls it.
    """
    # Imported here: shapely takes a tenth of a second to load, and boxes never need it.
    from labelingest.geometry import simple_polygons

    crossing = simple_polygons.self_intersecting(vertices, offsets)
    for ring in np.flatnonzero(crossing).tolist():
        detail = f"{name(ring)} crosses or touches itself: kept as it is"
        yield ring, ProblemCode.SELF_INTERSECTING_POLYGON, detail
    unchecked = simple_polygons.too_large_to_check(vertices, offsets) & ~crossing
    for ring in np.flatnonzero(unchecked).tolist():
        detail = (
            f"{name(ring)} of {offsets[ring + 1] - offsets[ring]:,} vertices is too tangled to be "
            "checked for crossings: kept unchecked"
        )
        yield ring, ProblemCode.POLYGON_NOT_CHECKED, detail


def warn_of_outlines(
    annotations: Annotations,
    objects: Sequence[OntologyObject],
    units: DataUnits,
    problems: BatchProblems,
) -> None:
    """Warn of polygons with a ring that crosses itself: an outline, or a hole."""
    rows = np.flatnonzero(column_shapes(objects)[annotations.feature] == ColumnShape.POLYGON)
    if not len(rows):
        return
    begin = annotations.offsets[rows]
    count = annotations.offsets[rows + 1] - begin
    numbers = annotations.coordinates[ragged.gather(begin, count)]
    further = list(_further_rings(annotations))
    if further:
        numbers = np.concatenate((numbers, *(ring for _, _, ring in further)))
        rows = np.concatenate((rows, [row for row, _, _ in further]))
        count = np.concatenate((count, [len(ring) for _, _, ring in further]))
    names = ["the outline"] * (len(rows) - len(further)) + [place for _, place, _ in further]
    offsets = ragged.offsets_from_lengths(count // 2)
    for ring, code, detail in crossings(numbers.reshape(-1, 2), offsets, names.__getitem__):
        row = int(rows[ring])
        if annotations.instances is not None and annotations.instances.frame[row] > 0:
            detail += f" (frame {annotations.instances.frame[row]})"
        problem = problem_of_row(row, code, annotations, units, detail)
        problems.warn(int(annotations.unit[row]), problem)


def _further_rings(annotations: Annotations) -> Iterator[tuple[int, str, Float64]]:
    """Yield row, name and numbers of each ring that the columns do not hold."""
    parts = {} if annotations.instances is None else annotations.instances.parts
    for row in sorted(parts):
        for i, rings in enumerate(parts[row]):
            for j, ring in enumerate(rings):
                if i or j:
                    yield row, f"the ring polygons/{i}/{j}", np.array(ring)
