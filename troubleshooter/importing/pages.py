"""HTML as events for the builder: a page, or a fragment inside Markdown.

A tokenizer of our own, because the one in the standard library takes time by the square of some
hostile pages, and because every piece must know its line. Nothing here recurses.
"""

import re
from bisect import bisect_right
from html import unescape

from django.utils.translation import gettext_lazy as _

from . import inline, leftovers, words
from .article import Place
from .blocks import Builder

_TAG = re.compile(
    r"""<(/?)([a-zA-Z][\w:.-]{0,60}+)((?:[^<>"']++|"[^"]{0,4000}+"|'[^']{0,4000}+'){0,120}+)>"""
)
_BROKEN_TAG = re.compile(r"</?[a-zA-Z!?][^<>]{0,4000}+>")
_ATTRIBUTE = re.compile(r"""([\w:@.-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""")
_SPACE = re.compile(r"\s+(\d{1,2}[.)]\s)?")
_ESCAPE = re.compile(r"([\\`*\[\]<])")
_TEMPLATE = re.compile(
    r"\{\{.*?\}\}|\{%.*?%\}|\{!!.*?!!\}|@(?:section|extends|endsection|yield|include)\b(?:\([^()\n]*\))?"
)

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_PARAGRAPHS = {
    "p",
    "div",
    "section",
    "article",
    "main",
    "center",
    "dd",
    "dl",
    "address",
    "figure",
    "figcaption",
    "fieldset",
    "hgroup",
    "details",
    "body",
    "html",
    "steps",
    "tabs",
    "accordion",
}
_RAW = {"script", "style", "noscript", "template", "iframe", "object", "svg", "video", "audio",
        "canvas", "select", "textarea", "map", "title"}  # fmt: skip
_VOID = {
    "img",
    "br",
    "hr",
    "input",
    "meta",
    "link",
    "wbr",
    "source",
    "col",
    "embed",
    "area",
    "base",
    "track",
    "param",
}
_BOLD, _ITALIC = {"b", "strong"}, {"i", "em"}
_LISTS = {"ul": False, "ol": True, "list": False, "steps": True}

_CHROME = {
    "nav": _("site navigation"),
    "footer": _("site footer"),
    "form": _("a form"),
    "ins": _("an advertisement"),
    "button": _("a button"),
    "aside": _("beside the article"),
    "header": _("site header"),
    "dialog": _("a dialog"),
    "marquee": "",
}
_NOTE_CLASS = re.compile(
    r"(?:^|[\s_-])(note|tip|info|important|hint|warning|caution|danger|alert|callout|admonition|notice)s?(?:$|[\s_-])",
    re.IGNORECASE,
)
_NOTE_TAGS = {
    "note",
    "aside",
    "tip",
    "warning",
    "callout",
    "caution",
    "info",
    "admonition",
    "danger",
    "important",
}
_BUTTON = re.compile(r"(?:^|[\s_-])(?:btn|button)(?:$|[\s_-])", re.IGNORECASE)
_ROLES = {"navigation", "banner", "contentinfo", "search", "complementary", "dialog"}


class Page:
    """Reads HTML and tells the builder. It may be fed in pieces, with Markdown in between."""

    def __init__(self, builder: Builder, *, whole: bool) -> None:
        self.builder = builder
        self.whole = whole  # a page of its own, not a fragment inside Markdown
        self.title = ""
        self.description = ""
        self.language = ""
        self._words: list[str] = []  # of the block that is being read
        self._from = self._line = 1
        self._heading = 0
        self._links: list[str] = []
        self._marks: list[str] = []
        self._code = 0
        self._dropping: list[str] = []  # open elements within one that is dropped, itself first
        self._why = ""
        self._left: list[str] = []
        self._left_from = 1
        self._link_left = False  # what is dropped is a link that looks like a button
        self._notes: list[tuple[str, int]] = []  # elements that are open as quotes
        self._depths: dict[str, int] = {}
        self._main = ""

    def feed(self, text: str, *, lines: list[int]) -> None:
        """Read `text`, whose lines have these numbers in the source."""
        breaks = [found.start() for found in re.finditer("\n", text)]
        at = 0
        while at < len(text):
            nth = bisect_right(breaks, at - 1) if at else 0
            self._line = lines[min(nth, len(lines) - 1)]
            sign = text.find("<", at)
            end = len(text) if sign < 0 else sign
            if end > at:
                self._data(text[at:end])
                nth = bisect_right(breaks, end - 1)
                self._line = lines[min(nth, len(lines) - 1)]
            at = end if sign < 0 else self._markup(text, sign)

    def finish(self) -> None:
        """What is still open ends here."""
        self._flush()
        self._end_drop()
        for _name, _depth in self._notes:
            self.builder.close("quote", self._line)
        self._notes, self._marks, self._links, self._heading, self._code = [], [], [], 0, 0

    def pause(self) -> None:
        """A piece ends: its words are a block, while what it opened stays open."""
        if not self._dropping:
            self._flush()

    def _markup(self, text: str, at: int) -> int:
        """Handle what begins with `<` here; where to go on."""
        if text.startswith("<!--", at):
            end = text.find("-->", at)
            end = len(text) if end < 0 else end + 3
            self.builder.drop(
                text[at + 4 : end].removesuffix("-->"), str(_("a hidden comment")), self._here()
            )
            return end
        found = _TAG.match(text, at)
        if not found:
            broken = _BROKEN_TAG.match(text, at)
            if broken:
                return broken.end()
            self._data("<")
            return at + 1
        name, closing = found[2].lower(), found[1] == "/"
        if closing:
            self._end(name)
            return found.end()
        if name in _RAW and not found[3].endswith("/"):
            return self._raw(text, name, found)
        attributes = {each[1].lower(): unescape(each[2] or each[3] or each[4] or "")
                      for each in _ATTRIBUTE.finditer(found[3][:8000])}  # fmt: skip
        self._start(name, attributes, empty=found[3].endswith("/"))
        return found.end()

    def _raw(self, text: str, name: str, found: re.Match[str]) -> int:
        """An element whose content is no part of the text."""
        close = re.compile(rf"</{name}\s*>", re.IGNORECASE).search(text, found.end())
        end, after = (close.start(), close.end()) if close else (found.end(), found.end())
        if name == "title":
            if not self.builder.root.children and not self._dropping and not self.title:
                self.title = " ".join(unescape(text[found.end() : end]).split())
            elif not self.whole or self.builder.inside("list"):
                return found.end()
        elif name in ("script", "style", "iframe", "video", "object"):
            self.builder.drop(
                text[found.start() : after][:400], self._raw_reason(name), self._here()
            )
        return after

    def _raw_reason(self, name: str) -> str:
        if name in ("script", "style"):
            return str(_("a script or style"))
        return str(_("embedded from elsewhere"))

    # --- Elements ---

    def _start(self, name: str, attributes: dict[str, str], *, empty: bool) -> None:
        if name == "meta":
            return self._meta(attributes)
        if name == "html":
            self.language = attributes.get("lang", "")[:12]
        if self._dropping:
            if name in ("main", "article") and self._dropping[0] not in ("article", "main"):
                self._end_drop()
            else:
                if name not in _VOID and not empty and len(self._dropping) < 10_000:
                    self._dropping.append(name)
                return None
        if reason := self._junk(name, attributes):
            self._flush()
            if name not in _VOID and not empty:
                self._dropping, self._why, self._left_from = [name], reason, self._line
                self._link_left = name == "a"
            return None
        if name in ("main", "article"):
            self._enter_main(name)
        self._open(name, attributes)
        return None

    def _junk(self, name: str, attributes: dict[str, str]) -> str:
        """Why an element is no part of the article, or nothing."""
        if name in _NOTE_TAGS and (name != "aside" or not self.whole):
            return ""
        names = [*attributes.get("class", "").split()[:30], attributes.get("id", "")]
        if _NOTE_CLASS.search(" ".join(names)) and name != "ins":
            return ""
        if name == "header" and (self._main or self._heading):
            return ""
        if name == "button" and (self._heading or not self.whole):
            return ""
        if name in _CHROME and (self.whole or name not in ("header", "footer", "aside")):
            return str(_CHROME[name])
        if (
            name == "a"
            and self.whole
            and not self._words
            and _BUTTON.search(attributes.get("class", ""))
        ):
            return str(_("a button"))
        if attributes.get("role") in _ROLES and self.whole:
            return str(_("site navigation"))
        if "hidden" in attributes and name not in ("div", "section", "tr"):
            return str(_("hidden"))
        if name in ("body", "html", "main", "article") or name in _HEADINGS:
            return ""
        for each in names:
            for pattern, why in leftovers.JUNK_CLASSES:
                if pattern.fullmatch(each):
                    return str(why)
        return ""

    def _open(self, name: str, attributes: dict[str, str]) -> None:
        builder = self.builder
        if name in _HEADINGS or name == "summary" or (name == "title" and self.whole):
            self._flush()
            self._heading = _HEADINGS.get(name, 5)
        elif name == "dt":
            self._flush()
            self._mark("**")
        elif note := self._note(name, attributes):
            self._flush()
            self._notes.append((name, self._depths.get(name, 0)))
            builder.open("quote", self._line, note=note)
        elif name in _LISTS:
            self._flush()
            builder.open(
                "list", self._line, ordered=_LISTS[name], number=_whole(attributes.get("start"), 1)
            )
        elif name in ("li", "item"):
            self._flush()
            self._open_item(attributes)
        elif name in ("table", "tr", "td", "th"):
            self._flush()
            self._open_table(name)
        elif name == "pre":
            self._flush()
            self._code += 1
        elif name == "blockquote":
            self._flush()
            builder.open("quote", self._line, note=_note_of(attributes.get("class", "")))
        elif name == "hr":
            self._flush()
            builder.leaf("rule", "", self._here())
        elif name in _PARAGRAPHS:
            self._flush()
        else:
            self._open_inline(name, attributes)
        self._depths[name] = self._depths.get(name, 0) + 1

    def _open_inline(self, name: str, attributes: dict[str, str]) -> None:
        if name in _BOLD:
            self._mark("**")
        elif name in _ITALIC:
            self._mark("*")
        elif name in ("code", "kbd", "samp", "tt") and not self._code:
            self._mark("`")
        elif name == "br":
            self._words.append("\n" if self._words or self._code else "")
        elif name == "a":
            self._links.append(attributes.get("href", ""))
            self._from = self._from if self._words else self._line
            self._words.append("\ue010")
        elif name == "img":
            self._picture(attributes)

    def _picture(self, attributes: dict[str, str]) -> None:
        address = attributes.get("src") or attributes.get("data-src", "")
        sizes = (attributes.get("width", ""), attributes.get("height", ""))
        if any(size in ("0", "1", "0px", "1px") for size in sizes) or not address:
            self.builder.drop(address, str(_("a tracking picture")), self._here())
            return
        alt = _ESCAPE.sub(r"\\\1", " ".join(attributes.get("alt", "").split()))[:500]
        address = (
            address.split(",")[0]
            if address.startswith("data:")
            else re.sub(r"[()<>\s]", "", address)
        )
        self._from = self._from if self._words else self._line
        self._words.append(f"![{alt}]({address[:2000]})")

    def _end(self, name: str) -> None:
        if self._dropping:
            if name in self._dropping[-200:]:
                while self._dropping.pop() != name:
                    pass
                if not self._dropping:
                    self._end_drop()
            return
        self._depths[name] = max(self._depths.get(name, 0) - 1, 0)
        if self._notes and self._notes[-1] == (name, self._depths[name]):
            self._flush()
            self._notes.pop()
            self.builder.close("quote", self._line)
        elif name in _HEADINGS or name in ("summary", "title"):
            self._flush()
            self._heading = 0
        elif name == "dt":
            self._unmark("**")
            self._flush()
        elif name in _LISTS or name in ("li", "item", "table", "tr", "td", "th", "blockquote"):
            self._flush()
            kind = {
                "li": "item",
                "item": "item",
                "tr": "row",
                "td": "cell",
                "th": "cell",
                "blockquote": "quote",
            }
            self.builder.close(kind.get(name, "list" if name in _LISTS else name), self._line)
        elif name == "pre":
            self._flush()
            self._code = max(self._code - 1, 0)
        elif name in _PARAGRAPHS:
            self._flush()
            if name == self._main and not self._depths[name]:
                self._main, self.builder.main = "", False
        else:
            self._end_inline(name)

    def _end_inline(self, name: str) -> None:
        if name in _BOLD:
            self._unmark("**")
        elif name in _ITALIC:
            self._unmark("*")
        elif name in ("code", "kbd", "samp", "tt") and not self._code:
            self._unmark("`")
        elif name == "a" and self._links:
            self._close_link()

    def _open_item(self, attributes: dict[str, str]) -> None:
        if self.builder.inside("item", up_to="list"):
            self.builder.close("item", self._line)
        if not self.builder.inside("list", up_to="cell"):
            self.builder.open("list", self._line, number=1)
        items = next(
            block for block in reversed(self.builder.stack) if block.kind in ("list", "root")
        )
        counted = items.number + len(items.children)
        self.builder.open("item", self._line, number=_whole(attributes.get("value"), counted))

    def _open_table(self, name: str) -> None:
        builder = self.builder
        if name == "table":
            builder.open("table", self._line)
        elif not builder.inside("table"):
            return
        elif name == "tr":
            if builder.inside("row", up_to="table"):
                builder.close("row", self._line)
            builder.open("row", self._line)
        else:
            if builder.inside("cell", up_to="row"):
                builder.close("cell", self._line)
            builder.open("cell", self._line)

    def _note(self, name: str, attributes: dict[str, str]) -> str:
        if name in _NOTE_TAGS:
            return _note_of(name) or "note"
        if name in ("div", "section", "p") and attributes.get("class"):
            return _note_of(attributes["class"][:300])
        return ""

    def _meta(self, attributes: dict[str, str]) -> None:
        if attributes.get("name", "").lower() == "description" and not self.description:
            self.description = " ".join(attributes.get("content", "").split())

    def _enter_main(self, name: str) -> None:
        self._flush()
        if self.whole and not self._main:
            self._main, self.builder.main = name, True
            if name == "main" or all(block.main for block in self.builder.root.children):
                for block in self.builder.root.children:
                    block.main = block.kind == "heading" and block.level == 1

    # --- Words ---

    def _data(self, text: str) -> None:
        if self._dropping:
            self._left.append(unescape(text))
            return
        text = unescape(text)
        if not self._words:
            if not text.strip():
                return
            blank = len(text) - len(text.lstrip())
            self._from = self._line + text[:blank].count("\n")
        if self._code:
            self._words.append(text)
        else:
            self._words.append(_ESCAPE.sub(r"\\\1", _SPACE.sub(_space, _TEMPLATE.sub("", text))))

    def _mark(self, mark: str) -> None:
        if not self._code:
            self._from = self._from if self._words else self._line
            self._marks.append(mark)
            self._words.append(mark)

    def _unmark(self, mark: str) -> None:
        if mark in self._marks:
            self._marks.reverse()
            self._marks.remove(mark)
            self._marks.reverse()
            self._words.append(mark)

    def _close_link(self) -> None:
        address = re.sub(r"[()<>\s]", "", self._links.pop())[:2000]
        for nth in range(len(self._words) - 1, -1, -1):
            if self._words[nth] == "\ue010":
                words = "".join(self._words[nth + 1 :])
                link = f"[{words.strip()}]({address})" if words.strip() and address else words
                self._words[nth:] = [
                    link if link == words else link + (" " if words.endswith(" ") else "")
                ]
                return

    def _flush(self) -> None:
        """What was read so far is one block."""
        text = "".join(self._words).replace("\ue010", "")
        marks, self._words, self._links = self._marks, [], []
        if self._code:
            if text.strip():
                self.builder.leaf("code", text.strip("\n"), self._span(self._from))
            return
        for mark in marks:
            if text.count(mark) % 2:
                text += mark
        self._marks = []
        text = re.sub(r"[ \t]*\n[ \t]*", "\n", text).strip()
        if not re.sub(r"[*`\s¶#]+", "", text):
            return
        place = self._span(self._from)
        if self._heading:
            while self.builder.inside("list", "table"):  # they only lay the page out
                self.builder.close(self.builder.stack[-1].kind, self._line)
            title = re.sub(r"\s*(?:¶|#|🔗)$", "", text.replace("\n", " "))
            self.builder.leaf("heading", inline.tidy(title), place, level=self._heading)
        else:
            self.builder.leaf("text", text, place)

    def _end_drop(self) -> None:
        text = " ".join("".join(self._left).split())
        if text and self._link_left and words.SUPPORT.search(text):
            self.builder.leaf("text", text, self._span(self._left_from))
        elif text:
            self.builder.drop(text, self._why, self._span(self._left_from))
        self._dropping, self._left = [], []

    def _span(self, start: int) -> Place:
        """From a line to this one; a piece that is read later may begin above what was open."""
        return Place(min(start, self._line), max(start, self._line))

    def _here(self) -> Place:
        return Place(self._line, self._line)


def _space(found: re.Match[str]) -> str:
    """White space is a blank, but a number on a new line may be that of a step."""
    if not found[1]:
        return " "
    return f"\n{found[1]}" if "\n" in found[0] else f" {found[1]}"


def _note_of(names: str) -> str:
    found = _NOTE_CLASS.search(names)
    if not found:
        return ""
    return (
        "warning" if found[1].lower() in ("warning", "caution", "danger", "important") else "note"
    )


def _whole(text: str | None, default: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 7 else default
