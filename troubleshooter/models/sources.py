"""Sources: the text a guide was imported from, kept so that importing it again updates it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models, transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from troubleshooter.matching import keyed, likeness, merged

from .content import Contact, Fix, Guide, Placement, Topic, new_key
from .drafts import rewrite
from .fields import LineField
from .log import LogLine
from .reading import freeze

MOST_CHARACTERS = 1_000_000  # of a source; what is longer is no article
SAME = 0.5  # how alike two contents of one file name must be, to be the same article
CANDIDATES = 20  # guides from a file of the same name that are compared

Content = Mapping[str, Any]


@dataclass(frozen=True)
class Incoming:
    """A source and what was made of it: `content` has the texts, symptoms and fixes of a frozen
    draft, its keys still empty; `contacts` are those the guide shall point to.
    """

    text: str
    name: str
    language: str
    content: Content
    contacts: Sequence[Content] = ()
    moves: Sequence[Sequence[str]] = ()


@dataclass(frozen=True)
class Taken:
    """What became of an import. `changed` says whether the draft is another one now.

    `told` are sentences for the editor.
    """

    guide: Guide
    new: bool
    changed: bool
    told: tuple[str, ...] = ()


class SourceQuerySet(models.QuerySet["Source"]):
    def known(self, text: str, name: str, content: Content, language: str) -> Guide | None:
        """The guide that was imported from this source: the same text, or else a file of the same
        name that is about the same thing.
        """
        sources = self.filter(guide__language=language).select_related("guide").defer("text")
        if same := sources.filter(digest=digest_of(text)).order_by("-at").first():
            return same.guide
        if not name:
            return None
        named = sources.filter(name=name).order_by("-at")[:CANDIDATES]
        alike = [(likeness(source.content, content), source) for source in named]
        score, best = max(alike, key=lambda each: each[0], default=(0.0, None))
        return best.guide if best and score >= SAME else None

    def take(
        self,
        came: Incoming,
        by: User | None,
        *,
        guide: Guide | None = None,
        topic: Topic | None = None,
    ) -> Taken:
        """Save what was imported as a draft and keep its source, in one transaction.

        With `guide` that draft is updated: what the source changed since the last import is
        taken, what only editors changed stays, and so does every key. Without, it is a new guide
        on `topic` (needed then), which is published by nobody yet.
        """
        with transaction.atomic():
            new = guide is None
            guide = guide or _new_guide(came, topic)
            Guide.objects.select_for_update().get(pk=guide.pk)
            draft = freeze(Guide.objects.whole().get(pk=guide.pk))
            source = self.filter(guide=guide).first() or Source(guide=guide)
            if new:
                imported, told = keyed(came.content, new_key), []
                after: Content = {**draft, **imported}
            else:
                result = merged(draft, source.content or None, came.content, new_key)
                imported, after = result.imported, result.content
                told = [*_told(result.gone, result.kept_out), *_shared(guide, draft, after)]
            rewrite(guide, after)
            _add_contacts(guide, came.contacts)
            source.keep(came, imported, by)
            if changed := new or freeze(Guide.objects.whole().get(pk=guide.pk)) != draft:
                said = _imported(came.name, new, told)
                LogLine.objects.note(guide, LogLine.Kind.CHANGED, by, said=said)
            guide.refresh_from_db()
            return Taken(guide, new, changed, tuple(told))


class Source(models.Model):
    """The text one guide was imported from last, and how its pieces were sorted.

    `content` is what the pieces came to, with the keys they got: by it the next import tells what
    the source changed from what editors changed. `moves` are what the editor did on the review
    page; they are done again when the source is imported again.
    """

    guide = models.OneToOneField(
        Guide, models.CASCADE, related_name="source", verbose_name=gettext_lazy("guide")
    )
    name = LineField(gettext_lazy("name"), max_length=200, blank=True)
    digest = models.CharField(max_length=64, db_index=True, editable=False)
    text = models.TextField(gettext_lazy("text"), max_length=MOST_CHARACTERS)
    content = models.JSONField(default=dict, editable=False)
    moves = models.JSONField(default=list, editable=False)
    at = models.DateTimeField(gettext_lazy("imported"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=gettext_lazy("by"),
    )

    objects = SourceQuerySet.as_manager()

    class Meta:
        verbose_name = gettext_lazy("source")
        verbose_name_plural = gettext_lazy("sources")
        ordering = ["-at"]
        indexes = [models.Index(fields=["name"], name="troubleshooter_source_name")]

    def __str__(self) -> str:
        return self.name or str(self._meta.verbose_name)

    def keep(self, came: Incoming, content: Content, by: User | None) -> None:
        """Keep this text as what the guide was imported from last."""
        self.text, self.digest, self.name = came.text, digest_of(came.text), came.name[:200]
        self.content, self.moves = dict(content), [list(move) for move in came.moves]
        self.at, self.by = timezone.now(), by
        self.save()


def digest_of(text: str) -> str:
    """The SHA-256 of a source's text."""
    return hashlib.sha256(text.encode()).hexdigest()


def _new_guide(came: Incoming, topic: Topic | None) -> Guide:
    """An empty draft under a free address; its texts are written with the rest."""
    if topic is None:
        raise ValueError("A new guide needs a topic.")
    slug = slugify(came.content["title"])[:60].strip("-") or new_key()
    if Guide.objects.filter(slug=slug).exists():
        slug = f"{slug}-{new_key()}"
    return Guide.objects.create(language=came.language, topic=topic, slug=slug)


def _add_contacts(guide: Guide, contacts: Sequence[Content]) -> None:
    """Let the guide point to these too; one that is there already is used as it is."""
    for each in contacts:
        same = Contact.objects.filter(language=guide.language, url=each["url"]).first()
        guide.contacts.add(same or Contact.objects.create(language=guide.language, **each))


def _told(gone: Sequence[str], kept_out: Sequence[str]) -> list[str]:
    told = []
    if gone:
        said = ngettext(
            "The source has no such fix any more, so it was taken out: %(fixes)s.",
            "The source has no such fixes any more, so they were taken out: %(fixes)s.",
            len(gone),
        )
        told.append(said % {"fixes": _quoted(gone)})
    if kept_out:
        said = ngettext(
            "You took it out before, so it stays out: %(fixes)s.",
            "You took them out before, so they stay out: %(fixes)s.",
            len(kept_out),
        )
        told.append(said % {"fixes": _quoted(kept_out)})
    return told


def _shared(guide: Guide, before: Content, after: Content) -> list[str]:
    """A fix is written once: what changes here changes in the drafts of other guides, too."""
    old = {fix["key"]: fix for fix in before["fixes"]}
    changed = [fix["key"] for fix in after["fixes"] if old.get(fix["key"], fix) != fix]
    fixes = Fix.objects.filter(language=guide.language, key__in=changed)
    shared = fixes.filter(placements__in=Placement.objects.exclude(guide=guide)).distinct()
    if not (titles := [fix.title for fix in shared.only("title")]):
        return []
    said = _("Other guides offer what changed here, too: %(fixes)s.")
    return [said % {"fixes": _quoted(titles)}]


def _quoted(titles: Sequence[str]) -> str:
    return ", ".join(f"“{title}”" for title in titles)


def _imported(name: str, new: bool, told: Sequence[str]) -> str:
    """The line for the change log."""
    named = {"name": name or _("pasted text")}
    said = _("Imported from %(name)s.") if new else _("Imported again from %(name)s.")
    return " ".join([said % named, *told])
