"""Markdown to safe HTML: the only place where stored text becomes markup.

Two layers that do not trust each other: markdown-it with raw HTML off, then nh3 with a short
allow-list. No style, class, id or data attribute passes, so content can neither dress up as the
page nor give htmx an order; no image passes, so nothing remote is ever loaded.
"""

from html import unescape

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

# Raised when the rules below change, so that cached HTML of old editions is made anew.
VERSION = 1

_TAGS = {"p", "br", "em", "strong", "code", "pre", "ul", "ol", "li", "blockquote", "a", "h3", "h4"}
_ATTRIBUTES = {"a": {"href"}, "*": set()}  # without "*", nh3 lets lang and title pass
_SCHEMES = {"https", "http", "mailto", "tel"}

_parser = MarkdownIt("commonmark", {"html": False, "maxNesting": 20}).disable("image")


def render(text: str) -> SafeString:
    """The safe HTML of a Markdown text, block by block (a paragraph comes in `<p>`)."""
    return _clean(_parser.render(text))


def plain(html: str) -> str:
    """The words of rendered HTML, on one line, for where there is no markup."""
    return " ".join(unescape(nh3.clean(html.replace("<", " <"), tags=set())).split())


def _clean(html: str) -> SafeString:
    return mark_safe(  # noqa: S308 (this is what makes it safe)
        nh3.clean(
            html,
            tags=_TAGS,
            attributes=_ATTRIBUTES,
            url_schemes=_SCHEMES,
            link_rel="nofollow noopener",
        ).strip()
    )
