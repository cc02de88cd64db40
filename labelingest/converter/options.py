"""Choices of a conversion: the cost of a bad row, and the images whose size is read."""

from enum import StrEnum

__all__ = ["ImageSizes", "OnRowError"]


class OnRowError(StrEnum):
    """The cost of a row that cannot be converted."""

    SKIP = "skip"
    """The row is skipped; the other rows of its file are converted."""
    SKIP_FILE = "skip-file"
    """The file is skipped: it gets no label row."""
    STOP = "stop"
    """The run stops with a `SidecarError`."""


class ImageSizes(StrEnum):
    """The images whose headers are read for width and height."""

    NEEDED = "needed"
    """Images with a label that cannot be converted without the size."""
    ALL = "all"
    """All images: label rows carry width and height, and sidecars that contradict are named."""
    NEVER = "never"
    """No image."""
