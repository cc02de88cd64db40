"""Rows of label files in all layouts, random but the same in every run."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

__all__ = ["ROW_MAKERS", "label_files"]

RowMaker = Callable[[np.random.Generator, int], str]
"""Makes one row; the number is that of the row in its file."""


def label_files(
    maker: RowMaker, files: int, *, rows: int = 4, seed: int = 0, prefix: str = "labels/"
) -> dict[str, bytes]:
    """Return key → content of label files, with 1 to `rows` rows each."""
    random = np.random.default_rng(seed)
    contents = {}
    for number in range(files):
        count = int(random.integers(1, rows + 1))
        text = "".join(maker(random, row) + "\n" for row in range(count))
        contents[f"{prefix}{number:05}.txt"] = text.encode()
    return contents


def numbers(*values: float) -> str:
    return " ".join(f"{value:.6f}" for value in values)


def box(random: np.random.Generator) -> tuple[float, float, float, float]:
    width, height = random.uniform(0.02, 0.5, 2)
    cx, cy = random.uniform(width / 2, 1 - width / 2), random.uniform(height / 2, 1 - height / 2)
    return cx, cy, width, height


def ring(random: np.random.Generator, vertices: int) -> list[float]:
    """Return a star-shaped polygon in the image: x, y of its vertices."""
    cx, cy, width, height = box(random)
    angles = np.sort(random.uniform(0, 2 * np.pi, vertices))
    radius = random.uniform(0.6, 1.0, vertices) / 2
    x = cx + width * radius * np.cos(angles)
    y = cy + height * radius * np.sin(angles)
    return [float(v) for v in np.column_stack((x, y)).ravel()]


def class_of(random: np.random.Generator) -> int:
    return int(random.integers(0, 3))


def boxes(random: np.random.Generator, row: int) -> str:
    return f"{class_of(random)} {numbers(*box(random))}"


def polygons(random: np.random.Generator, row: int) -> str:
    return f"{class_of(random)} {numbers(*ring(random, int(random.integers(3, 20))))}"


def triangles(random: np.random.Generator, row: int) -> str:
    return f"{class_of(random)} {numbers(*ring(random, 3))}"


def quads(random: np.random.Generator, row: int) -> str:
    return f"{class_of(random)} {numbers(*ring(random, 4))}"


def pose(keypoints: int, size: int) -> RowMaker:
    def maker(random: np.random.Generator, row: int) -> str:
        cx, cy, width, height = box(random)
        words = [str(class_of(random)), numbers(cx, cy, width, height)]
        for _ in range(keypoints):
            visibility = int(random.integers(0, 3)) if size == 3 else 2
            point = random.uniform(-0.5, 0.5, 2)
            words.append(
                numbers(cx + width * point[0], cy + height * point[1])
                if visibility
                else numbers(0, 0)
            )
            if size == 3:
                words.append(str(visibility))
        return " ".join(words)

    return maker


def confidence(random: np.random.Generator) -> float:
    return float(random.choice([0.0, 1.0, random.uniform(0.3, 1)], p=[0.05, 0.05, 0.9]))


def confidence_last(random: np.random.Generator, row: int) -> str:
    return f"{boxes(random, row)} {confidence(random):.4f}"


def confidence_first(random: np.random.Generator, row: int) -> str:
    return f"{class_of(random)} {confidence(random):.4f} {numbers(*box(random))}"


def track(random: np.random.Generator, row: int) -> str:
    return f"{boxes(random, row)} {row + 4 * int(random.integers(0, 200))}"


def confidence_and_track(random: np.random.Generator, row: int) -> str:
    return f"{confidence_last(random, row)} {row + 4 * int(random.integers(0, 200))}"


def class_last(random: np.random.Generator, row: int) -> str:
    return f"{numbers(*box(random))} {class_of(random)}"


def box_pixels(random: np.random.Generator, row: int) -> str:
    cx, cy, width, height = box(random)
    return f"{class_of(random)} {640 * cx:.1f} {480 * cy:.1f} {640 * width:.1f} {480 * height:.1f}"


def corners_pixels(random: np.random.Generator, row: int) -> str:
    """Return left, top, right and bottom: no layout has them."""
    cx, cy, width, height = box(random)
    left, top = 640 * (cx - width / 2), 480 * (cy - height / 2)
    return (
        f"{class_of(random)} {left:.1f} {top:.1f} {left + 640 * width:.1f} {top + 480 * height:.1f}"
    )


def polygon_pixels(random: np.random.Generator, row: int) -> str:
    vertices = ring(random, int(random.integers(3, 12)))
    scaled = [round(v * (480 if i % 2 else 640)) for i, v in enumerate(vertices)]
    return f"{class_of(random)} {' '.join(map(str, scaled))}"


def degrees(random: np.random.Generator, row: int) -> str:
    return f"{boxes(random, row)} {random.uniform(-90, 90):.2f}"


def radians(random: np.random.Generator, row: int) -> str:
    return f"{boxes(random, row)} {random.uniform(-1.57, 1.57):.4f}"


def joined(random: np.random.Generator, row: int) -> str:
    """Return a box, and now and then two boxes without the line end between them."""
    row_text = boxes(random, row)
    return f"{row_text} {boxes(random, row)}" if random.random() < 0.01 else row_text


def all_joined(random: np.random.Generator, row: int) -> str:
    """Return two boxes without the line end between them."""
    return f"{boxes(random, row)} {boxes(random, row)}"


def mixture(random: np.random.Generator, row: int) -> str:
    return pose(17, 3)(random, row) if random.random() < 0.5 else boxes(random, row)


ROW_MAKERS: Final[Mapping[str, RowMaker]] = {
    "boxes": boxes,
    "polygons": polygons,
    "triangles": triangles,
    "quads": quads,
    "pose 17 x 3": pose(17, 3),
    "pose 5 x 2": pose(5, 2),
    "pose 1 x 2": pose(1, 2),
    "pose 1 x 3": pose(1, 3),
    "confidence last": confidence_last,
    "confidence first": confidence_first,
    "track": track,
    "confidence and track": confidence_and_track,
    "class last": class_last,
    "box pixels": box_pixels,
    "corners pixels": corners_pixels,
    "polygon pixels": polygon_pixels,
    "degrees": degrees,
    "radians": radians,
    "joined": joined,
    "all joined": all_joined,
    "mixture": mixture,
}
"""Name of a layout → makes its rows."""
