"""Markdown inside a line: tidied, read as plain words, and its pictures and links found.

Sources glue bold text to words (`tap**Save** .`), break emphasis (`**Save **>`) and escape what
needs no escape. `tidy` puts that right on text outside code. Every pattern runs in linear time.
"""

import re
from functools import lru_cache
from html import unescape
from typing import NamedTuple

_ADDRESS = r"<[^<>\n]{0,4000}>|[^()\s<>]*+(?:\([^()\s]*+\)[^()\s]*+)*+"
_TITLE = r"""(?:\s++(?:"[^"\n]{0,300}+"|'[^'\n]{0,300}+'))?"""
_TARGET = rf"\(\s*+(?P<address>{_ADDRESS}){_TITLE}\s*+\)"
_WORDS = r"(?:[^\[\]\\]|\\.|\[[^\[\]\n]{0,300}+\])"
PICTURE = re.compile(rf"!\[(?P<words>{_WORDS}{{0,600}}+)\]{_TARGET}")
LINK = re.compile(rf"(?<!!)\[(?P<words>{_WORDS}{{0,600}}+)\]{_TARGET}")
_BARE = re.compile(r"<((?:https?://|mailto:)[^<>\s]{1,2000})>|<([\w.+-]{1,80}@[\w.-]{1,200})>")
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,2000}+>")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_BLANKS = re.compile(r"\s+")
_MARKUP = re.compile(r"[*_`<&\\\[\]]")
_STAR = "\ue000"  # stands for an escaped character's star while emphasis is read
_UNDER = "\ue001"
_CODE = "\ue002"  # around the number of a span of code
_CODE_SPAN = re.compile("\ue002(\\d+)\ue002")
_PRIVATE = str.maketrans("", "", "\ue000\ue001\ue002\ue010")
_EMPHASIS = re.compile(r"\*\*\*|\*\*|(?<![\w_])__(?=\S)|(?<=\S)__(?![\w_])")
_ITALIC = re.compile(r"(?<![\w*\\])[*_](?=[^\s*_])|(?<=[^\s*_\\])[*_](?![\w*])")
_LATIN = re.compile(r"[A-Za-zÀ-ɏ0-9]")
_GLUE = re.compile(r"[A-Za-zÀ-ɏ0-9,;:!?]")
_EMPTY_LINK = re.compile(r"(?<![!\]])\[\s*\]\([^()\n]{0,2000}\)(?:\s*\]\([^()\n]{0,2000}\))?")
_GLUED_LINK = re.compile(r"(?<=[a-z0-9,;:])(?=\[[^\[\]\n]{1,300}\]\()")
_GAP = re.compile(r"^ +(?=[,.;:!?)](?![.\w]))")
_HIDDEN = re.compile("[\u200b\u200c\u2060\ufeff\u00ad]")


class Picture(NamedTuple):
    address: str
    alt: str


@lru_cache(maxsize=2000)
def plain(text: str) -> str:
    """The words without any markup, on one line."""
    if _MARKUP.search(text):
        text = _unmarked(text)
    return _BLANKS.sub(" ", text).strip()


def _unmarked(text: str) -> str:
    if "](" in text:
        text = PICTURE.sub(" ", text)
        for _nested in range(2):
            text = LINK.sub(r"\g<words>", text)
    if "<" in text:
        text = _TAG.sub(" ", _BARE.sub(lambda found: found[1] or found[2], text))
    text = text.replace("\\*", _STAR).replace("\\_", _UNDER)
    if "*" in text or "_" in text:
        text = _ITALIC.sub("", _EMPHASIS.sub("", text))
    text = text.replace("`", "").replace("**", "")
    text = _ESCAPED.sub(r"\1", text).replace(_STAR, "*").replace(_UNDER, "_")
    return unescape(text).replace("**", "") if "&" in text else text


def pictures(text: str) -> list[Picture]:
    return [
        Picture(found["address"].strip("<>"), plain(found["words"]))
        for found in PICTURE.finditer(text)
    ]


def without_pictures(text: str) -> str:
    """The text without pictures, and without links that held nothing else."""
    if "![" not in text:
        return text
    return LINK.sub(lambda link: link[0] if link["words"].strip() else "", PICTURE.sub("", text))


def links(text: str) -> list[tuple[str, str]]:
    """Words and address of each link."""
    found = [(plain(each["words"]), each["address"].strip("<>")) for each in LINK.finditer(text)]
    return found + [
        (each[1] or each[2], each[1] or f"mailto:{each[2]}") for each in _BARE.finditer(text)
    ]


def is_links_only(text: str) -> bool:
    """Whether nothing but links and what separates them is there."""
    if "](" not in text:
        return False
    rest = LINK.sub(" ", without_pictures(text))
    return not re.sub(r"[\s*_|·•>»›/,;:&\\–—-]+", "", rest)


def is_bold(text: str) -> bool:
    """Whether all of the words are bold (a mark of a heading in disguise)."""
    text = without_pictures(text).strip()
    while (link := LINK.fullmatch(text)) and "**" in link["words"]:
        text = link["words"].strip()
    if not text.startswith(("**", "__")):
        return False
    inside, bold = [], True
    for nth, part in enumerate(re.split(r"\*\*|__", text)):
        if nth % 2:
            inside.append(part)
        elif re.sub(r"[\s:：.•*_\\]+", "", part):
            bold = False
    return bold and any(re.search(r"\w", part) for part in inside)


def bold_lead(text: str) -> tuple[str, str]:
    """The bold words a text begins with, and what follows; ("", text) without."""
    found = re.match(r"\s*(?:\*\*|__)([^*_\n][^*\n]{0,160}?)(?:\*\*|__)\s*([:：.–—-]*)\s*", text)
    return (found[1].strip(), text[found.end() :]) if found else ("", text)


def tidy(text: str) -> str:
    """The text with emphasis repaired, needless tags gone and entities as characters."""
    parts = re.split(r"(`+)", _HIDDEN.sub("", text.translate(_PRIVATE)))
    out: list[str] = []
    spans: list[str] = []  # of code, while the rest is tidied
    last = {tick: nth for nth, tick in enumerate(parts) if nth % 2}
    code = ""
    for nth, part in enumerate(parts):
        if code:
            spans[-1] += part
            code = "" if part == code and nth % 2 else code
        elif nth % 2 and last[part] > nth:
            code = part
            spans.append(part)
            out.append(f"{_CODE}{len(spans) - 1}{_CODE}")
        else:
            out.append(part if nth % 2 else _tidied(part))
    text = _EMPTY_LINK.sub("", _tidied_bold("".join(out)))
    text = _GLUED_LINK.sub(" ", text).strip()
    return _CODE_SPAN.sub(lambda found: spans[int(found[1])], text) if spans else text


def _tidied(text: str) -> str:
    """Outside code: entities and tags of HTML become Markdown."""
    if "<" in text:
        text = re.sub(r"<br\s*/?>", "  \n", text, flags=re.IGNORECASE)
        text = re.sub(r"</?(?:b|strong)\b[^<>]{0,200}>", "**", text, flags=re.IGNORECASE)
        text = re.sub(r"<(?!https?:|mailto:|[\w.+-]+@)/?[a-zA-Z][^<>]{0,2000}+>", "", text)
    if "&" in text:
        text = re.sub(
            r"&(?:lbrace|rbrace|nbsp|quot|amp|apos|\w{2,8}|#x?[0-9a-fA-F]{1,6});", _entity, text
        )
    return text


def _entity(found: re.Match[str]) -> str:
    character = unescape(found[0])
    if character == found[0]:
        return character
    return f"\\{character}" if character in "<>*_[]`" else character.replace("\xa0", " ")


def _tidied_bold(text: str) -> str:
    """Pairs of `**` with their blanks outside, so that any renderer sees them."""
    if "**" not in text:
        return text
    parts = text.replace("\\*", _STAR).replace("****", "").split("**")
    if len(parts) % 2 == 0:  # one is without its partner: the last
        parts[-2:] = [parts[-2] + parts[-1]]
    out = parts[0]
    for nth in range(1, len(parts), 2):
        inner, after = parts[nth], parts[nth + 1]
        words = inner.strip(" \t")
        if not re.search(r"\w|[^\s.,;:]", words):
            out += inner + after
            continue
        before = out[-1:]
        lone = re.search(r"(?:^|[^\w])[B-HJ-Zb-hj-z]$", out[-2:])  # a letter split off its word
        if inner[:1] in (" ", "\t") or (_GLUE.match(before) and _LATIN.match(words) and not lone):
            out = out if before.isspace() or not before else f"{out} "
        if (inner[-1:] in (" ", "\t") and after[:1] not in (" ", "", "\n")) or (
            _LATIN.match(after[:1]) and len(words) > 1 and _LATIN.match(words[-1])
        ):
            after = f" {after}"
        out += f"**{words}**{_GAP.sub('', after)}"
    return out.replace(_STAR, "\\*")
