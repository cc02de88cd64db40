"""Write keys as words of a shell command, for commands that a person copies."""

from shlex import quote

__all__ = ["shell_word"]


def shell_word(text: str, *, is_ascii: bool = False) -> str:
    r"""Return a text as one word for bash or zsh, without any control character in it.

    Parameters
    ----------
    is_ascii
        Whether other letters than those of ASCII are escaped, so that their bytes can be told apart.

    Examples
    --------
    >>> print(shell_word("images/{name}.jpg"), shell_word("a\n.txt"))
    'images/{name}.jpg' $'a\n.txt'
    """
    if text.isprintable() and (text.isascii() or not is_ascii):
        return quote(text)
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    characters = (
        c
        if c.isprintable() and (c.isascii() or not is_ascii)
        else "".join(f"\\x{byte:02x}" for byte in c.encode())
        for c in escaped
    )
    return f"$'{''.join(characters)}'"
