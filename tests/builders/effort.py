"""How much tests that try things at random try: less where every change waits for the answer."""

import os

__all__ = ["IN_CI", "SEEDS"]

IN_CI = bool(os.environ.get("CI"))
SEEDS = range(3 if IN_CI else 7)
"""Each gives some seventy label rows of the official client."""
