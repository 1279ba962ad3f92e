"""Read articles that are there already, Markdown or HTML, and save them as draft guides."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from troubleshooter.importing.article import Article, UnreadableArticle
from troubleshooter.importing.as_json import as_data
from troubleshooter.importing.reading import read_article
from troubleshooter.importing.saving import Understood, understand
from troubleshooter.importing.source import MOST_BYTES
from troubleshooter.models import Edition, Guide, NotReady, Taken, Topic, findings

# What one file may be refused for; whatever else goes wrong is not the file's fault.
REFUSED = (UnreadableArticle, ValidationError)


class Command(BaseCommand):
    help = "Read articles (Markdown or HTML) and save each as the draft of a guide."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="articles to read")
        parser.add_argument(
            "--json", action="store_true", help="print what is understood; save nothing"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would be saved; save nothing"
        )
        parser.add_argument(
            "--topic", default="", help="name of the topic of new guides; “Imported” without"
        )
        parser.add_argument(
            "--publish", action="store_true", help="publish what has nothing against it"
        )

    def handle(self, *args: Any, files: list[Path], **options: Any) -> None:
        if options["json"]:
            self._print(files)
            return
        name = _topic(options["topic"])
        if options["dry_run"]:
            self._each(files, lambda path: self._try(path))
        else:
            self._each(files, lambda path: self._save(path, name, publish=options["publish"]))

    def _print(self, files: list[Path]) -> None:
        read: dict[str, Any] = {}
        for path in files:
            try:
                read[_name(path, files)] = as_data(read_article(_bytes(path), path.name))
            except UnreadableArticle as refused:
                self.stderr.write(f"{path.name}: {refused}")
        shown: Any = next(iter(read.values()), {}) if len(files) == 1 else read
        self.stdout.write(json.dumps(shown, ensure_ascii=False, indent=1))
        _fail(len(files) - len(read))

    def _each(self, files: list[Path], take: Callable[[Path], str]) -> None:
        """Take each file and say what became of it; one that is refused stops nothing."""
        came: dict[str, int] = {}
        for nth, path in enumerate(files, start=1):
            self.stdout.write(f"[{nth}/{len(files)}] {path}")
            try:
                what = take(path)
            except REFUSED as refused:
                what = _("refused")
                self.stderr.write(f"{path}: {_sentence(refused)}")
            came[what] = came.get(what, 0) + 1
        self.stdout.write(", ".join(f"{what}: {count}" for what, count in sorted(came.items())))
        _fail(came.get(_("refused"), 0))

    def _try(self, path: Path) -> str:
        understood = understand(_bytes(path), path.name)
        self._tell(understood)
        known = understood.known()
        return _("would be updated") if known else _("would be new")

    def _save(self, path: Path, topic: str, *, publish: bool) -> str:
        understood = understand(_bytes(path), path.name)
        known = understood.known()
        if known:
            # What an editor did on the review page is done again.
            understood = understood.moved(known.source.moves)
        topic_of_new = None if known else Topic.objects.called(topic)
        taken = understood.save(None, guide=known, topic=topic_of_new)
        self._tell(understood, *taken.told)
        if publish:
            self._publish(taken, understood.article)
        if taken.new:
            return _("new")
        return _("updated") if taken.changed else _("unchanged")

    def _publish(self, taken: Taken, article: Article) -> None:
        draft = Guide.objects.whole().get(pk=taken.guide.pk)
        if article.why_not:
            self._say(_("Not published: %(why)s") % {"why": article.why_not})
            return
        try:
            edition = Edition.objects.publish(draft, by=None)
        except NotReady as refused:
            self._say(_("Not published: %(why)s") % {"why": refused})
            return
        self._say(_("Published: edition %(number)d is live.") % {"number": edition.number})
        for finding in findings(draft):
            self._say(_("Look at this again: %(why)s") % {"why": finding.sentence})

    def _tell(self, understood: Understood, *told: str) -> None:
        """What was understood, and what an editor should look at."""
        for sentence in (*_found(understood), *told):
            self._say(sentence)

    def _say(self, sentence: str) -> None:
        self.stdout.write(f"    {sentence}")


def _topic(name: str) -> str:
    """The name of the topic of new guides; what no topic can be called is no fault of a file."""
    try:
        return str(Topic._meta.get_field("name").clean(name or _("Imported"), None))
    except ValidationError as refused:
        raise CommandError(f"--topic: {_sentence(refused)}") from refused


def _found(understood: Understood) -> Iterator[str]:
    pieces, article = understood.pieces, understood.article
    steps = [len(fix["steps"]) for fix in understood.draft.content["fixes"]]
    yield ngettext(
        "“%(title)s”: %(count)d fix (steps: %(steps)s).",
        "“%(title)s”: %(count)d fixes (steps: %(steps)s).",
        len(steps),
    ) % {"title": pieces.title, "count": len(steps), "steps": ", ".join(map(str, steps)) or "0"}
    if article.why_not:
        yield _("Does not look like an article about trouble: %(why)s") % {"why": article.why_not}
    yield from (doubt.sentence for doubt in article.doubts)
    yield from understood.draft.told
    if article.dropped:
        count = len(article.dropped)
        said = ngettext("%(n)d piece was left out", "%(n)d pieces were left out", count)
        reasons = sorted({each.reason for each in article.dropped})
        yield f"{said % {'n': count}}: {', '.join(reasons)}"
    if count := len(article.pictures):
        said = ngettext(
            "%(n)d picture of the source was not fetched.",
            "%(n)d pictures of the source were not fetched.",
            count,
        )
        yield said % {"n": count}


def _sentence(refused: Exception) -> str:
    return " ".join(refused.messages) if isinstance(refused, ValidationError) else str(refused)


def _fail(refused: int) -> None:
    """End with 1 when files were refused."""
    if refused:
        sentence = ngettext(
            "%(count)d file was not read.", "%(count)d files were not read.", refused
        )
        raise CommandError(sentence % {"count": refused})


def _name(path: Path, files: list[Path]) -> str:
    """The name of a file; with its folders where two files are called the same."""
    same = sum(other.name == path.name for other in files)
    return path.name if same == 1 else str(path)


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as fault:
        sentence = _("the file cannot be opened: %(fault)s.")
        raise UnreadableArticle(sentence % {"fault": fault.strerror}) from fault
