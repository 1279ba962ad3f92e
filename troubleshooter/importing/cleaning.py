"""Lines of Markdown made plain: junk out (and listed), dialects undone, numbers as lists.

Works before the parser because advertisements cut lists in two, and dialects would leak as text.
Lines inside fenced code are left alone. Each line keeps its number in the source.
"""

import re
from typing import NamedTuple

from django.utils.translation import gettext as _

from .article import Dropped, Place


class Line(NamedTuple):
    text: str
    number: int


_FENCE = re.compile(r"\s*(?:>\s*)?(?:[-*+]\s+|\d+[.)]\s+)?(`{3,}|~{3,})(.*)$")
_NOTE_FENCE = re.compile(
    r"\{(note|tip|warning|important|hint|caution|danger|attention|admonition)\}", re.IGNORECASE
)
_AD_START = re.compile(
    r"<!--+\s*(?:begin|start)?[\s:/-]*(?:[\w-]+\s){0,3}(?:ads?|adverts?\w*|affiliates?|adsense|sponsor\w*|promo\w*)\b"
    r"[^<>]{0,60}?(?:begin|start|open)?[^<>]{0,20}-->",
    re.IGNORECASE,
)
_AD_END = re.compile(
    r"<!--+\s*/?(?:end\s)?(?:[\w\s-]{0,30}?)(?:ads?|adverts?\w*|affiliates?|adsense|sponsor\w*|promo\w*)\b[^<>]{0,40}-->",
    re.IGNORECASE,
)
_IS_END = re.compile(r"end|stop|close|/", re.IGNORECASE)
_ELEMENT = re.compile(r"<(script|style|iframe|ins|noscript|video|object|svg)\b", re.IGNORECASE)
_PIXEL = re.compile(
    r"<img\b(?=[^<>]{0,2000}\b(?:width|height)\s*=\s*[\"']?[01](?:px)?[\"'\s/>])[^<>]{0,2000}>",
    re.IGNORECASE,
)
_MOST_CELLS = 200  # of a row of a table
_LONGEST_AD = 120  # lines from the begin of an advertisement to its end


def clean(lines: list[Line]) -> tuple[list[Line], list[Dropped]]:
    """The lines without junk, and what was taken out."""
    kept, dropped = without_blocks(lines)
    return _undialected(kept, dropped), dropped


# --- Junk between two marks ---


def without_blocks(lines: list[Line], *, fenced: bool = True) -> tuple[list[Line], list[Dropped]]:
    """The lines without advertisements, comments, scripts and the like, and what went.

    Code between fences (there is none in HTML) stays as it is.
    """
    dropped: list[Dropped] = []
    kept: list[Line] = []
    waiting: list[Line] = []  # what is left of a line after a block ended in it
    at, code = 0, ""
    while at < len(lines) or waiting:
        if waiting:
            line = waiting.pop()
        else:
            line, at = lines[at], at + 1
        code, inside = _code(line.text, code) if fenced else ("", False)
        if inside or "<" not in line.text:
            kept.append(line)
            continue
        found = _first_block(line.text)
        if not found:
            kept.append(Line(_without_pixels(line, dropped), line.number))
            continue
        start, ends, reason, most = found
        before = line.text[:start]
        end = _end_of(Line(line.text[start:], line.number), lines, at, ends, most)
        if before.strip() or not end:
            kept.append(Line(before, line.number))
        if end is None:  # nobody ended it: only the mark goes
            rest = re.sub(r"^<!--.*?(?:-->|$)|^<[^<>]*>?", "", line.text[start:])
            if rest.strip():
                waiting.append(Line(rest, line.number))
            continue
        text, left, at = end
        dropped.append(Dropped(text.strip(), reason, Place(line.number, left.number)))
        if left.text.strip():
            waiting.append(left)
        else:
            kept.append(Line("", left.number))
    return kept, dropped


def _code(text: str, code: str) -> tuple[str, bool]:
    """The fence that is open after this line, and whether the line is code."""
    fence = _FENCE.match(text)
    if not fence:
        return code, bool(code)
    if not code:
        return fence[1], True
    closes = fence[1].startswith(code) and not fence[2].strip()
    return ("" if closes else code), True


def _first_block(text: str) -> tuple[int, re.Pattern[str], str, int] | None:
    """Where in a line a block of junk begins, what ends it, why it goes, and its longest."""
    comment = text.find("<!--")
    element = _ELEMENT.search(text)
    if comment >= 0 and (not element or comment < element.start()):
        ad = _AD_START.match(text, comment)
        if ad and not _IS_END.search(
            re.sub(r"ads?enders?|sponsor|append|send", "", ad[0], flags=re.IGNORECASE)[4:-3]
        ):
            return comment, _AD_END, _("an advertisement"), _LONGEST_AD
        return comment, re.compile("-->"), _("a hidden comment"), 10_000
    if element:
        name = element[1].lower()
        reason = {
            "ins": _("an advertisement"),
            "script": _("a script or style"),
            "style": _("a script or style"),
        }
        end = re.compile(rf"</{name}\s*>", re.IGNORECASE)
        return element.start(), end, reason.get(name, _("embedded from elsewhere")), 400
    return None


def _end_of(
    first: Line, lines: list[Line], at: int, ends: re.Pattern[str], most: int
) -> tuple[str, Line, int] | None:
    """The text of a block that `first` begins, the rest of its last line, and where to go on."""
    skip = first.text.find("-->") + 3 if ends is _AD_END else 1
    found = ends.search(first.text, skip)
    if found:
        return first.text[: found.end()], Line(first.text[found.end() :], first.number), at
    text = [first.text]
    for nth in range(at, min(at + most, len(lines))):
        found = ends.search(lines[nth].text)
        if found:
            text.append(lines[nth].text[: found.end()])
            return "\n".join(text), Line(lines[nth].text[found.end() :], lines[nth].number), nth + 1
        text.append(lines[nth].text)
    return None


def _without_pixels(line: Line, dropped: list[Dropped]) -> str:
    for found in _PIXEL.finditer(line.text):
        dropped.append(Dropped(found[0], _("a tracking picture"), Place(line.number, line.number)))
    return _PIXEL.sub("", line.text)


# --- Dialects ---

_NOTE = (
    r"note|tip|info|information|important|hint|warning|caution|danger|alert|callout|attention|"
    r"admonition|success|error|message|aside"
)
_DOCFX_PICTURE = re.compile(r":::image\b([^\n]{0,3000}?):::")
_SOURCE = re.compile(r'source="([^"]*)"')
_ALT = re.compile(r'alt-text="([^"]*)"')
_SIMPLE: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile("[\u200b\u200c\u2060\ufeff]|&#x200[Bb];|&ZeroWidthSpace;"), ""),
    (re.compile(r"\[!(?:UICONTROL|DNL|GUILABEL|KBD|BADGE|ICON)\s+([^\[\]\n]{1,200})\]"), r"\1"),
    (re.compile(r"\{\{\s*(?:site|page)\.[\w.]+\s*\}\}"), ""),
    (re.compile(r"\s?\{:[^{}\n]{0,200}\}"), ""),
    (re.compile(r"\s?\{#[\w:.-]{1,200}\}|\{\.[\w\s.-]{1,100}\}"), ""),
    (re.compile(r"(\]\([^()\n]{1,1000}\))\{[^{}\n]{0,300}\}"), r"\1"),
    (re.compile(r"<a\s+(?:name|id)=[^<>]{0,300}>\s*(?:</a>)?", re.IGNORECASE), ""),
    (re.compile(r"!\[\[([^\[\]|\n]{1,300})(?:\|[^\[\]\n]{0,200})?\]\]"), r"![](\1)"),
    (re.compile(r"\[\[(?:[^\[\]|\n]{1,300}\|)?([^\[\]|\n]{1,300})\]\]"), r"\1"),
    (re.compile(r"\{\{<\s*(?:relref|ref)\s[^{}\n]{0,300}>\}\}"), ""),
    (re.compile(r"\(\[?[Bb]ack to top\]?(?:\([^()\n]*\))?\)"), ""),
    (re.compile(r"\+\+([^+\n]{1,60})\+\+"), r"\1"),
    (
        re.compile(
            r"\{(?:guilabel|menuselection|kbd|ref|doc|term|command|file)\}`([^`\n]{1,200})`"
        ),
        r"**\1**",
    ),
)
_TAG = re.compile(r"\{\{[<%][^{}\n]{0,500}+\}\}|\{%[^{}\n]{0,500}+\}|\{\{[^{}\n]{0,300}+\}\}")
_TAG_NAME = re.compile(r"\{+[<%]-?\s*(/|end)?\s*([\w-]+)")
_COLONS = re.compile(r"^(\s*):{3,4}\s*\{?\s*(/?\w+[\w-]*)?.*$")
_ADMONITION = re.compile(
    rf"^(\s*)(?:!!!|\?\?\?\+?)\s*({_NOTE}|\w+)\b\s*(?:\"([^\"]*)\")?\s*$", re.IGNORECASE
)
_TAB = re.compile(r"^(\s*)===\+?!?\s*\"([^\"]{1,120})\"\s*$")
_DOCFX_TAB = re.compile(r"^#{1,6}\s*\[([^\[\]]{1,120})\]\(#tab/[^()]*\)\s*$")
_MDX = re.compile(
    r"^(?:import\s+.{1,300}\s+from\s+['\"].*|import\s+['\"].*|export\s+(?:const|default|function)\b.*)$"
)
_TOC_MARK = re.compile(
    r"^\s*(?:\[\[?_?TOC_?\]?\]|\{:\s*toc\s*\}|\[\[toc\]\]|\* TOC|<!-- toc -->)\s*$", re.IGNORECASE
)
_WARNINGS = {"warning", "caution", "danger", "important", "attention", "error", "alert"}


def _undialected(lines: list[Line], dropped: list[Dropped]) -> list[Line]:
    """Tags of site generators as plain Markdown: notes become quotes, the rest goes."""
    kept: list[Line] = []
    code, quoting, dedent = "", "", 0
    for line in lines:
        was = code
        code, inside = _code(line.text, code)
        fence = _FENCE.match(line.text)
        if inside and fence and not was and (note := _NOTE_FENCE.match(fence[2].strip())):
            kept += [Line("", line.number), Line(f"> [!{_kind(note[1])}]", line.number)]
            quoting, code = "fence", ""
            continue
        if quoting == "fence" and fence:
            quoting, code = "", ""
            continue
        if inside:
            kept.append(
                Line(
                    line.text[dedent:] if dedent and not line.text[:dedent].strip() else line.text,
                    line.number,
                )
            )
            continue
        text = line.text
        if dedent and text.strip():
            if len(text) - len(text.lstrip()) >= dedent:
                text = text[dedent:]
            else:
                dedent, quoting = 0, "" if quoting == "indent" else quoting
        left, quoting, dedent = _without_tags(
            Line(text, line.number), quoting, dedent, kept, dropped
        )
        if left is not None:
            kept.append(Line(f"> {left}" if quoting else left, line.number))
    return _numbered(kept)


def _kind(name: str) -> str:
    return "WARNING" if name.lower() in _WARNINGS else "NOTE"


def _without_tags(
    line: Line, quoting: str, dedent: int, kept: list[Line], dropped: list[Dropped]
) -> tuple[str | None, str, int]:
    """A line without the tags of site generators (None: nothing is left), and what is now open."""
    text, here = line.text, Place(line.number, line.number)
    if _MDX.match(text) or _TOC_MARK.match(text):
        dropped.append(Dropped(text, _("a line for the site generator"), here))
        return None, quoting, dedent
    if found := _ADMONITION.match(text):
        kept += [
            Line("", line.number),
            Line(f"> [!{_kind(found[2])}] {found[3] or ''}", line.number),
        ]
        return None, "indent", len(found[1]) + 4
    if found := _TAB.match(text) or _DOCFX_TAB.match(text):
        words = found[found.lastindex or 1]
        kept += [Line("", line.number), Line(f"**{words}**", line.number)]
        return "", quoting, len(found[1]) + 4 if found.lastindex == 2 else dedent
    if text.count("|") > _MOST_CELLS:
        text = text.replace("|", "/")
    text = _DOCFX_PICTURE.sub(_picture, text)
    if found := _COLONS.match(text):
        name = (found[2] or "").lower()
        if re.fullmatch(_NOTE, name):
            kept += [Line("", line.number), Line(f"> [!{_kind(name)}]", line.number)]
            return None, "colons", dedent
        return "", "" if quoting == "colons" else quoting, dedent
    for pattern, instead in _SIMPLE:
        text = pattern.sub(instead, text)
    if "{" in text:
        return _without_shortcodes(text, line.number, quoting, dedent, kept)
    return text, quoting, dedent


def _without_shortcodes(
    text: str, number: int, quoting: str, dedent: int, kept: list[Line]
) -> tuple[str | None, str, int]:
    for tag in _TAG.finditer(text):
        name = _TAG_NAME.match(tag[0])
        if not name or not re.fullmatch(_NOTE, name[2].removeprefix("end").lower()):
            continue
        if name[1] or name[2].lower().startswith("end"):
            quoting = "" if quoting == "tag" else quoting
        elif not tag[0].rstrip("}>%").endswith("/"):
            kept += [Line("", number), Line(f"> [!{_kind(name[2])}]", number)]
            quoting = "tag"
    left = _TAG.sub("", text)
    return (left if left.strip() or left == text else None), quoting, dedent


def _picture(found: re.Match[str]) -> str:
    source, alt = _SOURCE.search(found[1]), _ALT.search(found[1])
    if not source:
        return ""
    words = re.sub(r"([\[\]])", r"\\\1", alt[1]) if alt else ""
    return f"![{words}]({source[1].replace(' ', '%20')})"


# --- Numbers ---

_STEP = r"(?:step|schritt|paso|étape|etape|passo|الخطوة|خطوة|手順|ステップ|步骤|第)"
_ESCAPED = re.compile(
    r"^(\s{0,3}(?:>\s?)?)(?:\\?\()?(\d{1,2})\s?(?:\\[.)]|[)）、．]|\.)(?:(?=\s)|(?=[^\d\s.)]))\s*"
)
_BOLD_NUMBER = re.compile(r"^(\s{0,3})\*\*\s?\(?(\d{1,2})\s?\\?[.)）]\s?\*\*\s*")
_BOLD_GLUED = re.compile(r"^(\s{0,3})\*\*\s?(\d{1,2})\s?\\?[)）]\s?(?=\S)(?=.*\*\*.*\w)")
_CIRCLED = re.compile(r"^(\s{0,3})([①-⑳])\s*")
_STEP_LINE = re.compile(
    rf"^(\s{{0,3}})(\*\*)?{_STEP}\s?(\d{{1,2}})\s?[:.)：、–-]+\s?(\*\*)?\s*(?=\S)", re.IGNORECASE
)
_AGAIN = re.compile(r"^(\s*\d{1,2}\. )(\d{1,2})\\?[.)]\s+(?=\S)")
_LIST_ITEM = re.compile(r"^\s*(?:[-*+]|\d{1,3}[.)])\s")
_PLAIN_PICTURE = re.compile(r"^\s*(?:\[?!\[.*|<img\b.*)$")


def _numbered(lines: list[Line]) -> list[Line]:
    """Numbers in all their disguises as items of a list, each free of the text above it."""
    kept: list[Line] = []
    code, last = "", 0
    indented = sum(line.text.startswith(("\t", "    ")) for line in lines) > len(lines) // 2
    for line in lines:
        code, inside = _code(line.text, code)
        if inside or indented or not line.text.strip():
            kept.append(line)
            continue
        text, number = _as_item(line.text, last)
        if number and _needs_air(kept, number, last):
            kept.append(Line("", line.number))
        if number:
            last = number
        elif text.startswith("#"):
            last = 0
        kept.append(Line(text, line.number))
    return kept


def _as_item(text: str, last: int) -> tuple[str, int]:
    """A line as an item of a list if it is numbered, and its number, else 0."""
    for pattern in (_BOLD_NUMBER, _BOLD_GLUED, _ESCAPED, _CIRCLED):
        found = pattern.match(text)
        if not found:
            continue
        number = ord(found[2]) - ord("①") + 1 if pattern is _CIRCLED else int(found[2])
        rest = text[found.end() :]
        if not rest.strip() or (number > last + 3 and number > 3):  # a year, a version, an amount
            return text, 0
        if pattern is _BOLD_GLUED:
            rest = f"**{rest}"
        out = f"{found[1]}{number}. {rest}"
        return _AGAIN.sub(lambda twice: twice[1], out), number
    found = _STEP_LINE.match(text)
    if found and not (found[2] and not found[4]):
        number = int(found[3])
        return f"{found[1]}{number}. {text[found.end() :]}", number
    return text, 0


def _needs_air(kept: list[Line], number: int, last: int) -> bool:
    """Whether a list could not start here: it would be swallowed by the paragraph above."""
    if not kept or not (above := kept[-1].text).strip():
        return False
    if _PLAIN_PICTURE.match(above) and not above.startswith("   "):
        return True
    return (
        not _LIST_ITEM.match(above)
        and number == last + 1
        and not above.startswith(("  ", "\t", ">"))
    )


def lines_of(text: str, first: int = 1) -> list[Line]:
    return [Line(line, first + nth) for nth, line in enumerate(text.split("\n"))]
