"""Text of data files in label rows and COCO: their keys, the last parts of keys, and links.

Texts are JSON without quotes, as columns of `RaggedTexts`: no object is made for a key that JSON and
URLs write as it is, and most keys are such.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import orjson

from labelingest.columns.text_page import RaggedTexts
from labelingest.encord.urls import are_unreserved, object_url, object_urls

__all__ = ["KeyTexts"]


class KeyTexts(NamedTuple):
    """Keys and links of (u,) data files, as JSON without quotes."""

    keys: RaggedTexts
    """Keys, one after the other in their source."""
    before_link: bytes
    """What all links begin with."""
    links: RaggedTexts
    """Rests of the links."""

    @classmethod
    def of_keys(cls, keys: Sequence[str], storage_url: str) -> "KeyTexts":
        """Return the texts of keys below a storage path.

        Examples
        --------
        >>> KeyTexts.of_keys(["a/b.jpg"], "s3://bucket/").before_link
        b's3://bucket/'
        """
        if are_unreserved(keys):
            lengths = np.fromiter(map(len, keys), np.int64, len(keys))
            texts = RaggedTexts("".join(keys).encode(), np.cumsum(lengths) - lengths, lengths)
            return cls(texts, _quoted(object_url(storage_url, "")), texts)
        everything = np.arange(len(keys))
        quoted = RaggedTexts.from_table(list(map(_quoted, keys)), everything)
        links = list(map(_quoted, object_urls(storage_url, keys)))
        return cls(quoted, b"", RaggedTexts.from_table(links, everything))

    def names(self) -> RaggedTexts:
        r"""Return the last parts of the keys.

        Examples
        --------
        >>> source, starts, lengths = KeyTexts.of_keys(['a/"b".jpg', "c"], "s3://bucket/").names()
        >>> [source[a : a + n] for a, n in zip(starts, lengths, strict=True)]
        [b'\\"b\\".jpg', b'c']
        """
        source, starts, lengths = self.keys
        ends = starts + lengths
        # JSON writes a slash as it is.
        slashes = np.flatnonzero(np.frombuffer(source, np.uint8) == ord("/"))
        last = np.concatenate(([-1], slashes))[np.searchsorted(slashes, ends)]
        begins = np.maximum(starts, last + 1)
        return RaggedTexts(source, begins, ends - begins)


def _quoted(text: str) -> bytes:
    """Return a text as JSON, without its quotes."""
    return orjson.dumps(text)[1:-1]
