"""Show what a pack would change, and with --yes save that as drafts."""

from collections.abc import Container, Iterable, Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from troubleshooter.admin.differences import ADDED, REMOVED, Item, Section
from troubleshooter.admin.packs import of_reach, sections, told
from troubleshooter.importing.packs import Pack, read
from troubleshooter.importing.plans import Plan, plan
from troubleshooter.importing.unpacking import PackError, opened
from troubleshooter.languages import language
from troubleshooter.models import Edition, Guide, NotReady, Translation

MARKS = {ADDED: ("{+", "+}"), REMOVED: ("[-", "-]")}  # as in git's word diff


class Command(BaseCommand):
    help = "Shows what a pack (a zip or a folder) would change; with --yes, saves it as drafts."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", type=Path, metavar="FILE.zip|FOLDER")
        sure = parser.add_mutually_exclusive_group()
        sure.add_argument("--dry-run", action="store_true", help="only show it (the default)")
        sure.add_argument("--yes", action="store_true", help="save what is shown")
        parser.add_argument(
            "--publish", action="store_true", help="with --yes: publish the guides, too"
        )

    def handle(self, *args: Any, source: Path, yes: bool, publish: bool, **options: Any) -> None:
        try:
            pack = read(opened(source))
            found = plan(pack, new_drawings=True)
        except PackError as refused:
            raise CommandError(str(refused)) from refused
        for line in shown(found):
            self.stdout.write(line)
        if not yes:
            if found.changes or publish:
                self.stdout.write(_("Nothing is saved. Say --yes to do it."))
            return
        made: set[int] = set()
        failed = self._save(found, made)
        if publish:
            failed += self._publish(pack, made)
        if failed:
            raise CommandError(_("Not everything was done."))

    def _save(self, found: Plan, made: set[int]) -> int:
        """Save guide by guide, and put those into `made` that became translations by that.

        Returns how many could not be saved.
        """
        failed = 0
        for change in found.changes:
            try:
                guide = found.save(change, None, told(change))
            except PackError as refused:
                self.stderr.write(str(refused))
                failed += 1
            else:
                if change.after.original and not (change.before and change.before.original):
                    made.add(guide.pk)
                self.stdout.write(_("Saved: “%(guide)s”.") % {"guide": guide.title})
        return failed

    def _publish(self, pack: Pack, made: Container[int]) -> int:
        """Publish the guides of the pack; returns how many are not ready.

        One that links to another is ready once that one is live, so those are tried again.
        """
        rows = Guide.objects.filter(key__in=[each.key for each in pack.guides])
        by_name = {(row.key, row.language): row for row in rows}
        names = [(each.key, each.language) for each in pack.guides]  # originals come first
        waiting = [by_name[name] for name in names if name in by_name]
        refused: dict[Guide, NotReady] = {}
        while waiting:
            refused = {}
            for guide in waiting:
                try:
                    if guide.pk in made:
                        Translation.objects.catch_up(guide)
                    edition = Edition.objects.publish(guide, by=None)
                except NotReady as found:
                    refused[guide] = found
                else:
                    said = _("Live: “%(guide)s”, edition %(number)d.")
                    self.stdout.write(said % {"guide": guide.title, "number": edition.number})
            if len(refused) == len(waiting):
                break
            waiting = list(refused)
        for guide, why in refused.items():
            said = _("“%(guide)s” stays a draft: %(findings)s")
            self.stderr.write(said % {"guide": guide.title, "findings": why})
        return len(refused)


def shown(found: Plan) -> Iterator[str]:
    """What a plan would change, line by line."""
    yield from found.notes
    for reach in found.reaches:
        yield _("The fix “%(fix)s” is here already and changes.") % {"fix": reach.before.title}
        if reach.others:
            titles = ", ".join(f"“{title}”" for title in reach.others)
            yield _("These guides offer it, too: %(titles)s.") % {"titles": titles}
        yield from _of_sections(of_reach(reach))
    for change in found.changes:
        heading = _("Changed: “%(title)s” (%(language)s)")
        if not change.before:
            heading = _("New: “%(title)s” (%(language)s)")
        name = language(change.after.language).name
        yield heading % {"title": change.after.title, "language": name}
        yield from _of_sections(sections(change))
    for guide in found.same:
        yield _("The same already: “%(title)s”.") % {"title": guide.title}


def _of_sections(found: Iterable[Section]) -> Iterator[str]:
    for section in found:
        yield f"  {section.heading}"
        yield from _of_items(section.items, "    ")


def _of_items(items: Iterable[Item], indent: str) -> Iterator[str]:
    for item in items:
        if item.sentence:
            yield indent + item.sentence
        for each in item.fields:
            marked = (
                f"{before}{piece.text}{after}"
                for piece in each.pieces
                for before, after in [MARKS.get(piece.kind, ("", ""))]
            )
            text = "".join(marked).replace("\n", f"\n{indent}    ")
            yield f"{indent}  {each.label}: {text}"
        yield from _of_items(item.items, indent + "  ")
