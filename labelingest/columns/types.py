"""The names of the array types used in signatures; shapes are written in docstrings."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Bool: TypeAlias = NDArray[np.bool_]
Float64: TypeAlias = NDArray[np.float64]
Int16: TypeAlias = NDArray[np.int16]
Int32: TypeAlias = NDArray[np.int32]
Int64: TypeAlias = NDArray[np.int64]
Texts: TypeAlias = NDArray[np.bytes_]
UInt8: TypeAlias = NDArray[np.uint8]
UInt64: TypeAlias = NDArray[np.uint64]

__all__ = ["Bool", "Float64", "Int16", "Int32", "Int64", "Texts", "UInt8", "UInt64"]
