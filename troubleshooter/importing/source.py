"""From bytes to text: the encoding, the kind of source, and what stands in front of the body."""

import codecs
import re
import tomllib
from dataclasses import dataclass, field
from typing import Any

import yaml
from django.utils.translation import gettext as _

from .article import UnreadableArticle

MOST_BYTES = 10_000_000  # of a file; pictures may be embedded in it
MOST_CHARACTERS = 1_000_000  # of its text, without embedded pictures
MOST_LINES = 10_000
_MOST_FRONT = 64_000  # characters of front matter

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(
    rb"""<meta[^<>]{0,200}?charset\s*=\s*["']?\s*([\w-]{2,40})|<\?xml[^<>]{0,100}?encoding=["']([\w-]{2,40})""",
    re.IGNORECASE,
)
_OTHER_FORMATS = (
    (b"%PDF", "PDF"),
    (b"PK\x03\x04", "ZIP"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"\xd0\xcf\x11\xe0", "Word"),
    (b"{\\rtf", "RTF"),
    (b"\x1f\x8b", "gzip"),
)
_BASE64 = re.compile(r"(data:[\w/+.-]{1,60};base64,)[A-Za-z0-9+/=]++")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_CONTROL = re.compile(r"[\x01-\x08\x0b\x0e-\x1f\x7f]")
_BLOCK_TAG = re.compile(
    r"<(?:p|div|h[1-6]|ul|ol|li|table|td|tr|section|article|main|body|html|pre|br|title|item|steps)\b",
    re.IGNORECASE,
)
_MARKDOWN = re.compile(
    r"^(?:#{1,6}\s|\s{0,3}(?:[-*+]|\d{1,3}[.)])\s|>\s|```|\|.*\|)|\]\(", re.MULTILINE
)
_HTML_START = re.compile(r"\s*(?:<\?xml|<!doctype|<html|<head|<body)", re.IGNORECASE)
_KEY = re.compile(r"^([A-Za-z_][\w.-]{0,40})\s*[:=]\s*(.*)$")


@dataclass(slots=True)
class Source:
    """A source read: its body as lines, `first` being the number of the first of them."""

    name: str
    is_html: bool
    body: str
    first: int = 1
    front: dict[str, Any] = field(default_factory=dict)
    front_fault: str = ""


def read(data: bytes | str, name: str = "") -> Source:
    """The source of a file's bytes or a pasted text, or UnreadableArticle."""
    text = text_of(data)
    front, fault, body = _front_matter(text)
    first = text[: len(text) - len(body)].count("\n") + 1
    return Source(name, _is_html(body, name), body, first, front, fault)


def text_of(data: bytes | str) -> str:
    """The text that is read, line by line as places count it; of itself it gives itself again."""
    if len(data) > MOST_BYTES:
        sentence = _("This is too big for an article: %(size).1f MB, at most %(most)d MB.")
        most = MOST_BYTES // 1_000_000
        raise UnreadableArticle(sentence % {"size": len(data) / 1_000_000, "most": most})
    text = _decoded(data) if isinstance(data, bytes) else data
    text = _UNSTORABLE.sub("", text.removeprefix("\ufeff"))
    text = _BASE64.sub(r"\1", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = _CONTROL.sub("", text.replace("\x0c", "\n").replace("\u2028", " "))
    _refuse(text)
    return text


def _refuse(text: str) -> None:
    """Refuse what can be no article, with a sentence."""
    if not text.strip():
        raise UnreadableArticle(_("There is no text in it."))
    if len(text) > MOST_CHARACTERS:
        sentence = _("This is too long for an article: %(size)d characters, at most %(most)d.")
        raise UnreadableArticle(sentence % {"size": len(text), "most": MOST_CHARACTERS})
    if (lines := text.count("\n")) > MOST_LINES:
        sentence = _("This is too long for an article: %(size)d lines, at most %(most)d.")
        raise UnreadableArticle(sentence % {"size": lines, "most": MOST_LINES})
    start = text.lstrip()
    if start.startswith(("{\n", '{"', "[{", "[\n")) and text.rstrip()[-1] in "}]" and '":' in text:
        raise UnreadableArticle(_("This is JSON. Articles are read from Markdown and HTML."))


def _decoded(data: bytes) -> str:
    for start, name in _OTHER_FORMATS:
        if data.startswith(start):
            sentence = _(
                "This is a file of the kind %(kind)s. Articles are read from Markdown and HTML."
            )
            raise UnreadableArticle(sentence % {"kind": name})
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return data[len(bom) :].decode(encoding, "replace")
    sample = data[:4000]
    if (zeros := sample.count(0)) > len(sample) // 4:  # every other byte is: UTF-16 without a mark
        high = sum(byte == 0 for byte in sample[::2])
        return data.decode("utf-16-be" if high > zeros / 2 else "utf-16-le", "replace")
    try:
        return data.decode()
    except UnicodeDecodeError:
        pass
    declared = _DECLARED.search(data[:4096])
    encoding = (declared[1] or declared[2]).decode().lower() if declared else "windows-1252"
    if encoding in ("iso-8859-1", "latin1", "latin-1", "ascii", "us-ascii", "utf-8", "utf8"):
        encoding = "windows-1252"  # as browsers read it
    try:
        text = data.decode(encoding, "replace")
    except LookupError:
        text = data.decode("windows-1252", "replace")
    if len(_CONTROL.findall(text)) > len(text) // 20:
        raise UnreadableArticle(_("This is not a text. Articles are read from Markdown and HTML."))
    return text


def _is_html(body: str, name: str) -> bool:
    """Whether the body is HTML: by how it starts, else by its name, else by what prevails."""
    if _HTML_START.match(body):
        return True
    tags = len(_BLOCK_TAG.findall(body[:200_000]))
    marks = len(_MARKDOWN.findall(body[:200_000]))
    if name.lower().endswith((".html", ".htm", ".xhtml", ".page", ".xml")):
        return tags > 0
    if name.lower().endswith((".md", ".mdx", ".markdown")):
        return body.lstrip().startswith("<") and tags > 5 and tags > 8 * marks
    return tags > 2 and tags > 2 * marks


# --- Front matter ---


class _Loader(yaml.SafeLoader):
    """YAML without aliases, which can grow without bound."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("an alias")
        node: yaml.Node | None = super().compose_node(parent, index)
        return node


def _front_matter(text: str) -> tuple[dict[str, Any], str, str]:
    """What the front matter holds, what is wrong with it, and the body after it."""
    start = len(text) - len(text.lstrip())
    head = text[start : start + _MOST_FRONT]
    for fence in ("---", "+++"):
        found = re.match(rf"{re.escape(fence)}[ \t]*\n", head)
        if not found:
            continue
        end = re.compile(rf"^(?:{re.escape(fence)}|\.\.\.)[ \t]*$\n?", re.MULTILINE).search(
            head, found.end()
        )
        if end:
            inside = head[found.end() : end.start()]
            if not inside.strip() or _KEY.search(inside.strip().split("\n")[0]) or fence == "+++":
                values, fault = _values(inside, toml=fence == "+++")
                return values, fault, text[start + end.end() :]
        else:
            return _unclosed(text, start + found.end())
    if comment := re.match(r"<!--[ \t]*\n?(.*?)-->[ \t]*\n?", head, re.DOTALL):
        inside = re.sub(r"^---[ \t]*$", "", comment[1], flags=re.MULTILINE)
        lines = [line for line in inside.split("\n") if line.strip()]
        if lines and all(_KEY.match(line.strip()) or line[:1] in " -\t" for line in lines):
            values, fault = _values("\n".join(lines), toml=False)
            return values, fault, text[start + comment.end() :]
    return {}, "", text


def _unclosed(text: str, at: int) -> tuple[dict[str, Any], str, str]:
    """Front matter that nobody closed: the lines that look like it."""
    end = at
    values: dict[str, Any] = {}
    for line in text[at:].split("\n", 200)[:200]:
        key = _KEY.match(line)
        if not key and not (line.startswith(("  ", "- ")) and values):
            break
        if key:
            values[key[1]] = key[2].strip().strip("\"'")
        end += len(line) + 1
    if not values:
        return {}, "", text
    return values, _("The front matter is never closed."), text[end:]


def _values(inside: str, *, toml: bool) -> tuple[dict[str, Any], str]:
    fault = ""
    try:
        if toml:
            return tomllib.loads(inside), ""
        values = yaml.load(inside, _Loader)  # noqa: S506 (a SafeLoader)
        if isinstance(values, dict):
            return {str(key): value for key, value in values.items()}, ""
        fault = _("The front matter holds no names with values.") if values else ""
    except (yaml.YAMLError, tomllib.TOMLDecodeError, ValueError, RecursionError, TypeError):
        fault = _("The front matter is not valid; its lines were read one by one.")
    found = (_KEY.match(line) for line in inside.split("\n"))
    return {each[1]: each[2].strip().strip("\"'").strip() for each in found if each}, fault
