"""What the longest inputs that are let in cost, one by one: `python bench/inputs.py`.

Every text that a form or an address takes is at most this long, and every request but an upload of
staff at most 64 kB. Printed are seconds of CPU; it ends with 1 when one took more than a second.
bench/importing.py does the same for imported articles.
"""

import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run from anywhere
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")

import django
from django.conf import settings
from django.core.exceptions import TooManyFieldsSent
from django.http import QueryDict
from django.test import RequestFactory

django.setup()

from troubleshooter import markup, search, text, tokens  # noqa: E402
from troubleshooter.languages import wanted  # noqa: E402
from troubleshooter.models.fields import TEXT_LIMIT  # noqa: E402

MOST = 1.0  # seconds of CPU
BODY = settings.BODY_LIMIT

# What parsers stumble over; each is repeated until the text is full.
PIECES = {
    "brackets": "[",
    "closed brackets": "[]",
    "links in links": "[a](",
    "links never closed": "[a](<b",
    "links with titles": '[a](b "',
    "links by name": "[a][b]\n[b]: c\n",
    "pictures": "![a](",
    "stars": "*a **b ",
    "stars alone": "*",
    "underscores": "_a_ __b ",
    "backticks": "` ``a ",
    "quotes": "> ",
    "quotes and lists": "> - ",
    "lists": "- ",
    "numbers": "1. a\n",
    "growing lists": "  - a\n",
    "signs": "<",
    "tags": "<a b='",
    "comments": "<!--",
    "declarations": "<!A ",
    "instructions": "<?",
    "entities": "&amp;#",
    "backslashes": "\\",
    "headings": "# ",
    "fences": "```\n",
    "lines": "a\n\n",
    "blanks": " \t",
    "addresses": "https://a.example/(",
    "mails": "<a@b.example>",
    "accents": "e\u0301\u0323",
    "a pile of accents": "\u0301",
    "Korean parts": "\u1100\u1161\u11a8",
    "turned round": "\u202ea",
    "words": "printer offline ",
    "percent signs": "%",
    "pairs": "a=%41&",
}


def ways() -> dict[str, tuple[int, Callable[[str], object]]]:
    """Where a text goes, and how long it may be there."""
    fixes = tuple(f"Fix number {n} of the printer" for n in range(20))
    index = search.Index(
        [
            search.Document(f"g{n}", (search.Field(search.Part.TITLE, f"Printer {n} is offline"),
             *(search.Field(search.Part.FIX, fix) for fix in fixes)))
            for n in range(200)
        ]
    )  # fmt: skip
    request = RequestFactory()
    return {
        "shown as Markdown": (TEXT_LIMIT, markup.render),
        "its words alone": (TEXT_LIMIT, lambda given: markup.plain(markup.render(given))),
        "cleaned": (BODY, _cleaned),
        "searched for": (BODY, index.find),
        "as a key": (BODY, tokens.open_session_key),
        "as a code": (BODY, tokens.handover_digests),
        "as a number": (BODY, tokens.typed_reference),
        "as a form": (BODY, _form),
        "as languages": (
            BODY,
            lambda given: wanted(request.get("/", headers={"accept-language": given})),
        ),
    }


def _form(given: str) -> None:
    with suppress(TooManyFieldsSent):
        QueryDict(given)


def _cleaned(given: str) -> None:
    with suppress(text.BadText):
        text.clean_text(given, most=TEXT_LIMIT, lines=True)


def main() -> int:
    worst: dict[str, tuple[float, str]] = {}
    for way, (most, takes) in ways().items():
        takes("Warm up.")
        for name, piece in PIECES.items():
            given = (piece * (most // len(piece) + 1))[:most]
            start = time.process_time()
            takes(given)
            worst[way] = max(worst.get(way, (0.0, "")), (time.process_time() - start, name))
    print(f"{'where it goes':26} {'s':>6}  the worst")
    for way, (seconds, name) in worst.items():
        print(f"{way:26} {seconds:6.3f}  {name}")
    return int(any(seconds > MOST for seconds, _name in worst.values()))


if __name__ == "__main__":
    sys.exit(main())
