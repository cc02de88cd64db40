"""Titles of label rows: the name of the data file, or its whole key."""

__all__ = ["is_title_of"]


def is_title_of(title: object, key: str) -> bool:
    """Return whether the title of a label row is the name, the key or the end of a data file's key.

    Examples
    --------
    >>> [is_title_of(title, "x/a.jpg") for title in ("a.jpg", "x/a.jpg", "b/a.jpg", "jpg", "")]
    [True, True, False, False, False]
    """
    return isinstance(title, str) and title != "" and f"/{key}".endswith(f"/{title}")
