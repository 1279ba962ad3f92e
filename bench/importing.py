"""What reading hostile articles costs: `python bench/importing.py [FILE...]`.

Each source is read in a process of its own. Printed are seconds of CPU for each megabyte (of
sources under a megabyte: seconds), the memory the process grew by, and what came of it. It ends
with 1 when a source took more than a second for a megabyte (and more than one in all) or 200 MB.
"""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MOST_SECONDS, MOST_MEMORY = 1.0, 200.0

_WORDS = "Open the **Settings** and tap [Network](https://net.example/a_b) until it works. "
_FIX = f"## Fix 1: Try\n\n1. {_WORDS}\n2. {_WORDS}\n\n"
_PAGE = "<div><h2>Fix</h2><p>Try <b>this</b> <a href='/x'>now</a></p><ol><li>Go<li>Do</ol></div>\n"
_PICTURE = b"# Broken\n\n1. Click ![](data:image/png;base64,%b)\n"
_BOMB = b"".join(b"%c: &%c [*%c,*%c]\n" % (n + 1, n + 1, n, n) for n in range(97, 121))

SOURCES: dict[str, Callable[[], bytes]] = {
    "10 MB of text": lambda: (_WORDS.encode() * 130_000)[:10_000_000],
    "1 MB of paragraphs": lambda: ((_WORDS * 12 + "\n\n") * 2000).encode()[:990_000],
    "1 MB of lists": lambda: (_FIX * 1600).encode(),
    "1 MB on one line": lambda: (_WORDS * 12_000).encode()[:990_000],
    "1 MB of HTML": lambda: (_PAGE * 3_000).encode(),
    "9 MB of embedded pictures": lambda: _PICTURE % (b"QUJD" * 2_130_000),
    "100,000 headings": lambda: b"# Fix\n" * 100_000,
    "9,500 headings": lambda: b"# Fix\n" * 9_500,
    "9,500 numbered headings": lambda: b"".join(b"## %d. Fix\n" % (n % 90) for n in range(9_500)),
    "100,000 headings of HTML": lambda: b"<h2>Fix</h2>" * 100_000,
    "10,000 lists in one line": lambda: b"- " * 10_000 + b"a",
    "10,000 lists of HTML": lambda: b"<ul><li>" * 10_000 + b"a" + b"</ul>" * 10_000,
    "100,000 elements nested": lambda: b"<div><b>" * 100_000 + b"a",
    "10,000 quotes": lambda: b">" * 10_000 + b"a",
    "growing lists": lambda: b"".join(b" " * (2 * n) + b"- a\n" for n in range(900)),
    "9,500 items": lambda: b"1. a\n" * 9_500,
    "brackets": lambda: b"[" * 1_000_000,
    "pictures never closed": lambda: b"![a](" * 160_000,
    "links never closed": lambda: b"[a](<b" * 130_000,
    "links with titles": lambda: b'[a](b "' * 130_000,
    "stars": lambda: b"*a **b " * 130_000,
    "backticks": lambda: b"".join(b"`" * (n % 500) + b" " for n in range(3500)),
    "tags never closed": lambda: b"<a b='" * 130_000,
    "comments never closed": lambda: b"<!--" * 160_000,
    "comments on lines": lambda: b"<!-- ads begin -->\na\n" * 3_000,
    "elements never closed": lambda: b"<script>\n" * 9_500,
    "signs": lambda: b"<" * 1_000_000,
    "entities": lambda: b"&amp;#" * 130_000,
    "tags of templates": lambda: b"{{<{%" * 160_000,
    "colons": lambda: b":::image " * 100_000,
    "blanks": lambda: b"a" + b" " * 950_000 + b"b",
    "blank lines with blanks": lambda: (b" " * 90 + b"\n") * 9_500 + b"a",
    "pipes": lambda: b"|a" * 240_000 + b"\n" + b"|-" * 240_000,
    "tables": lambda: b"|a|b|\n|-|-|\n" + b"|Open it|Try it|\n" * 3_000,
    "yaml bomb": lambda: b"---\na: &a [x,x]\n" + _BOMB + b"---\nTry it.\n",
    "deep yaml": lambda: b"---\na: " + b"[" * 30_000 + b"\n---\nTry it.\n",
    "NUL bytes": lambda: b"# Broken\0\n\n1. Click\0\n" * 3000,
    "UTF-16": lambda: ("# Broken\n\n1. Klicken Sie ä\n" * 3000).encode("utf-16"),
    "random bytes": lambda: os.urandom(2_000_000),
    "letters like steps": lambda: b"a) b) c) d) " * 80_000,
    "numbers in brackets": lambda: b"1) 2) 3) 4) " * 80_000,
    "words without end": lambda: b"if " * 330_000,
    "one long word": lambda: b"a" * 950_000,
    "arrows": lambda: b"a > " * 240_000,
    "underscores": lambda: b"_" * 1_000_000,
    "mixed underscores": lambda: b"_a_ __b " * 130_000,
    "backslashes": lambda: b"\\" * 1_000_000,
}  # fmt: skip


def main(files: list[str]) -> int:
    """Read every source, or the given files; 1 when one was over a bar."""
    bad = 0
    names = files or list(SOURCES)
    print(f"{'source':28} {'MB':>6} {'s':>6} {'s/MB':>6} {'MB more':>8}")
    for name in names:
        done = subprocess.run(
            [sys.executable, __file__, "--one", name], capture_output=True, text=True, check=False
        )
        print(done.stdout.strip() or f"{name}: {done.stderr.strip()[-300:]}", flush=True)
        bad += done.returncode != 0
    return 1 if bad else 0


def one(name: str) -> int:
    """Read one source in this process and print what it cost."""
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
    import django

    django.setup()
    from troubleshooter.importing.article import UnreadableArticle
    from troubleshooter.importing.reading import read_article

    data = SOURCES[name]() if name in SOURCES else Path(name).read_bytes()
    read_article("# Warm\n\n1. Click up.\n")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start = time.process_time()
    try:
        article = read_article(data, Path(name).name)
        said = f"{len(article.fixes)} fixes, {len(article.dropped)} pieces dropped"
    except UnreadableArticle as refused:
        said = str(refused)
    took = time.process_time() - start
    more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - memory
    size = len(data) / 1_000_000
    rate = took / max(size, 1.0)
    over = rate > MOST_SECONDS or more > MOST_MEMORY
    shown = f"{Path(name).name[:28]:28} {size:6.2f} {took:6.2f} {rate:6.2f} {more:8.1f}"
    print(f"{shown}  {said[:70]}{'  TOO MUCH' if over else ''}")
    return int(over)


if __name__ == "__main__":
    sys.exit(one(sys.argv[2]) if sys.argv[1:2] == ["--one"] else main(sys.argv[1:]))
