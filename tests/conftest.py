"""What all test folders share: the repository's root on the path, for oracles and builders."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
