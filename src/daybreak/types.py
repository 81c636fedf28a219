"""Shape aliases used in signatures; the full contract of pixels is in docs/conventions.md."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Pixels: TypeAlias = NDArray[np.float32]
"""H×W×3, RGB, sRGB-encoded, float32 in [0, 1]."""

Plane: TypeAlias = NDArray[np.float32]
"""H×W, float32; the docstring that uses it gives the range."""

Array: TypeAlias = NDArray[Any]
"""Any array; the docstring that uses it gives shape, dtype and range."""
