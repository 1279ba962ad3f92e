"""Lighthouse (mobile) over the visitors' pages: medians of five runs each.

    .venv/bin/python bench/lighthouse.py [RUNS]

Needs Node (it fetches Lighthouse by `npx`) and a Chromium. Starts the real server in a temporary
folder and walks a session, so that the pages of a fix and of the end are there. Exits with 1
when a bar is missed: accessibility and best practices 100 everywhere, performance 98, and SEO
100 on home and guide (pages of a session ask not to be indexed, which costs them that).
"""

import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIGHTHOUSE = ["npx", "--yes", "lighthouse@13.5.0"]
GUIDE = "/g/whatsapp-icloud-backup/"
BARS = {"performance": 98, "accessibility": 100, "best-practices": 100, "seo": 100}


def main(runs: int) -> int:
    chromium = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
    if not (chromium and shutil.which("npx")):
        print("This needs Node (npx) and a Chromium.")
        return 1
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder)) as server:
        fix = server.post(f"{GUIDE}start/", symptom="wa-other")
        end = server.post(server.post(f"{GUIDE}start/", symptom="wa-other"), seq=1, outcome="fixed")
        missed = 0
        print(f"{'page':8}" + "".join(f"{name:>16}" for name in BARS))
        for name, path in (("home", "/"), ("guide", GUIDE), ("fix", fix), ("end", end)):
            scores = [measure(server.url + path, chromium) for _run in range(runs)]
            medians = {bar: statistics.median(each[bar] for each in scores) for bar in BARS}
            print(f"{name:8}" + "".join(f"{medians[bar]:16.0f}" for bar in BARS), flush=True)
            indexed = name in ("home", "guide")
            missed += sum(
                medians[bar] < least for bar, least in BARS.items() if bar != "seo" or indexed
            )
    return 1 if missed else 0


def measure(url: str, chromium: str) -> dict[str, float]:
    """One run: the scores of the four categories, 0 to 100."""
    flags = "--headless --no-sandbox --disable-gpu --disable-background-networking"
    for _attempt in range(3):  # on a busy machine it sometimes does not find its own browser
        ran = subprocess.run(
            [*LIGHTHOUSE, url, "--quiet", "--output=json", f"--chrome-flags={flags}"],
            env=os.environ | {"CHROME_PATH": chromium},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        if ran.returncode == 0:
            break
    categories = json.loads(ran.stdout)["categories"]
    return {bar: 100 * categories[bar]["score"] for bar in BARS}


class Server:
    """The help desk as `make run` serves it, on a free port."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.said = folder / "said.txt"
        self.env = os.environ | {"VAR_DIR": str(folder), "PORT": str(self.port)}

    def __enter__(self) -> "Server":
        with self.said.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "run"],
                env=self.env,
                cwd=ROOT,
                stdout=out,
                stderr=out,
            )
        for _attempt in range(300):
            try:
                urllib.request.urlopen(self.url, timeout=5).close()
                return self
            except OSError:
                time.sleep(0.2)
        raise SystemExit("The server did not start.")

    def __exit__(self, *_error: object) -> None:
        self.process.terminate()
        self.process.wait(20)

    def post(self, path: str, **fields: object) -> str:
        """Post a form; the path of the page it leads to."""
        body = urllib.parse.urlencode(fields).encode()
        with urllib.request.urlopen(self.url + path, body, timeout=10) as response:
            return re.sub(r"^https?://[^/]+", "", response.geturl())


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
