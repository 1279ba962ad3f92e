"""Whether an article is about trouble at all. It is only flagged, never refused for that."""

import re

from django.utils.translation import gettext as _

from . import words
from .article import Article
from .sections import Section

_FEW_WORDS = 25


def why_not(article: Article, root: Section, heading: str) -> str:
    """Why this does not look like a troubleshooting article, in a sentence; empty if it does."""
    body = root.texts()
    if not article.fixes:
        if len(body.split()) < _FEW_WORDS and len(body) < 150:
            return _("There is hardly any text in it.")
        return _("Nothing in it says what to do about a problem.")
    if _is_template(root):
        return _("It looks like a template that nobody filled in.")
    title = heading or article.title
    headings = [section.title for section in root.walk() if section.title]
    named = sum(bool(words.TROUBLE.search(each)) for each in headings)
    if _is_listicle(article, title, headings) and not words.TROUBLE.search(title):
        return _("It reads like a list of products, not of things to try.")
    if (
        words.HOW_TO.match(title)
        and not words.TROUBLE.search(title)
        and not named
        and not _speaks_of_trouble(body)
    ):
        return _("It reads like instructions for something new, not like help with a problem.")
    return ""


def _speaks_of_trouble(body: str) -> bool:
    found = len(words.TROUBLE.findall(body[:20_000]))
    return found > 2 and found * 150 > len(body[:20_000].split())


def _is_listicle(article: Article, title: str, headings: list[str]) -> bool:
    best = any(words.LISTICLE.search(each) for each in [title, *headings[:2]])
    idle = sum(
        not any(words.is_plain_order(step.text) for step in fix.steps) for fix in article.fixes
    )
    return best and idle >= 0.5 * len(article.fixes)


def _is_template(root: Section) -> bool:
    texts = [block.words() for section in root.walk() for block in section.blocks]
    texts = [re.sub(r"\s+", " ", text) for text in texts if text.strip()]
    return len(texts) > 1 and sum(
        bool(words.PLACEHOLDER.match(text)) for text in texts
    ) > 0.6 * len(texts)
