"""Text that is safe to show: a file may be named with a newline, an escape sequence or no letters at all."""

from __future__ import annotations


def counted(number: int, thing: str) -> str:
    """A number of things in words.

    >>> counted(1, "frame"), counted(1200, "frame")
    ('1 frame', '1,200 frames')
    """
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def printable(text: str) -> str:
    r"""One line that any terminal, page or log can show: control characters and lone surrogates are escaped.

    >>> print(printable("night\nshift.jpg"))
    night\nshift.jpg
    >>> print(printable("夜 é.png"))
    夜 é.png
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
