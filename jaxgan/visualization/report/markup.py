"""Making HTML out of text that comes from elsewhere."""

from __future__ import annotations

import html
import re

_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def esc(text: str) -> str:
    """Text made fit for HTML, in and outside of attributes.

    Characters that HTML cannot hold, such as the escape codes of a colored error message, are
    replaced.
    """
    return html.escape(_UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text), quote=True)


def paragraphs(text: str) -> str:
    """Text as paragraphs, which blank lines part."""
    parts = re.split(r"\n\s*\n", text.strip())
    return "".join(f"<p>{esc(' '.join(part.split()))}</p>" for part in parts if part.strip())
