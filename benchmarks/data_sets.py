"""Data sets on disk that are made once: the same recipe is not cooked twice."""

import json
import shutil
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

from msgspec.structs import asdict

from labelingest.bench import synthetic
from labelingest.bench.synthetic.data_set import Generated, generate

__all__ = ["data_set"]


def data_set(folder: Path, files: int, kind: str, defects: float = 0.0) -> Generated:
    """Make a data set in a folder, or take the one that the same recipe made there before.

    Parameters
    ----------
    folder
        Holds data sets; made if need be.
    files, kind, defects
        As for `labelingest.bench.synthetic.data_set.generate`.
    """
    recipe = blake2b(b"".join(_sources()), digest_size=4).hexdigest()
    out = folder.absolute() / f"{kind}-{files}-{defects}-{recipe}"
    # Written last, so that a data set without it was left unfinished.
    summary = out.with_suffix(f"{out.suffix}.json")
    if summary.exists():
        return Generated(**json.loads(summary.read_text()))
    shutil.rmtree(out, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    generated = generate(out, files, kind, defects=defects)
    summary.write_text(json.dumps(asdict(generated)))
    return generated


def _sources() -> Iterator[bytes]:
    """Yield the modules that decide the content of a data set."""
    for path in sorted(Path(synthetic.__path__[0]).glob("*.py")):
        yield path.read_bytes()
