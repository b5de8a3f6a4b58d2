"""Making HTML out of text that comes from elsewhere."""

from __future__ import annotations

import html
import re
from urllib.parse import quote

_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def esc(text: str) -> str:
    """Text made fit for HTML, in and outside of attributes.

    Characters that HTML cannot hold, such as the escape codes of a colored error message, are
    replaced.
    """
    return html.escape(printable(text), quote=True)


def printable(text: str) -> str:
    """Text whose unprintable characters are replaced by a mark."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def link(path: str, text: str) -> str:
    """A link to a file or folder beside the page, whatever characters its path has."""
    # The dot keeps a path from being read as a scheme, such as that of `javascript:`.
    return f'<a href="./{quote(path.encode("utf-8", "surrogateescape"))}">{esc(text)}</a>'


def paragraphs(text: str) -> str:
    """Text as paragraphs, which blank lines part."""
    parts = re.split(r"\n\s*\n", text.strip())
    return "".join(f"<p>{esc(' '.join(part.split()))}</p>" for part in parts if part.strip())
