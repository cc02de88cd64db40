"""Names as they are compared: case, blanks, `_` and `-` aside.

Two spellings of one class must not be taken for two classes, in any language: full-width letters,
composed accents and the dotless i of Turkish count as their plain forms.
"""

import unicodedata

__all__ = ["comparable"]

_DOT_ABOVE = "\u0307"
"""Combining dot: the lower case of the Turkish capital İ has one."""


def comparable(name: str) -> str:
    r"""Return what two spellings of one name have in common.

    Parameters
    ----------
    name
        A class name.

    Returns
    -------
    str
        The name in one case, without blanks, `_`, `-` and invisible characters; with these where
        nothing else remains.

    Examples
    --------
    >>> comparable("Traffic Light") == comparable("traffic_light") == comparable("TRAFFIC-light")
    True
    >>> comparable("KAMYON YE\u015e\u0130L") == comparable("kamyon ye\u015fil")
    True
    >>> comparable("-"), comparable("C++")
    ('-', 'c++')
    """
    if name.isascii():
        bare = name.casefold()
        shortened = bare.replace("_", "").replace("-", "").replace(" ", "").replace("\t", "")
        return shortened or bare
    # Case folding can leave decomposed letters, and letters that compatibility forms change again.
    bare = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    bare = unicodedata.normalize("NFC", bare.replace("\u0131", "i").replace("i" + _DOT_ABOVE, "i"))
    shortened = "".join(c for c in bare if not _is_filler(c))
    return shortened or bare


def _is_filler(character: str) -> bool:
    """Whether a character separates words or is invisible."""
    return character in "_-" or unicodedata.category(character) in ("Zs", "Cc", "Cf", "Pd", "Pc")
