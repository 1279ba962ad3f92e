"""Notices: a known trouble announced on a guide.

The worker may suggest one; only an editor's word makes it stand. While it stands visitors read it,
and fixes that lose data are paused unless the editor says that they are not.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from troubleshooter.text import BadText, clean_text

from .content import Guide
from .log import LogLine

TEXT_LIMIT = 500  # characters: it stands above every fix of the guide
LONGEST = timedelta(days=92)  # that an end may be planned ahead: what lasts longer is no news


class State(models.TextChoices):
    """How a notice stands."""

    SUGGESTED = "suggested", gettext_lazy("suggested")
    STANDING = "standing", gettext_lazy("standing")
    ENDED = "ended", gettext_lazy("ended")
    DISMISSED = "dismissed", gettext_lazy("dismissed")


class CannotAnnounce(ValueError):
    """The notice cannot stand like that; the message is a sentence for the editor."""


class NoticeQuerySet(models.QuerySet["Notice"]):
    def suggest(self, guide: Guide, text: str) -> "Notice | None":
        """Lay a notice before the editors; visitors see nothing of it until one announces it.

        None when a notice stands on the guide or another one is suggested already.
        """
        text = clean_text(text, most=TEXT_LIMIT)
        with transaction.atomic():
            guide = self._lock(guide)
            if self.filter(guide=guide, state__in=(State.SUGGESTED, State.STANDING)).exists():
                return None
            LogLine.objects.note(guide, LogLine.Kind.SUGGESTED, None, reason=text)
            return self.create(guide=guide, text=text)

    def announce(
        self,
        guide: Guide,
        text: str,
        by: User | None,
        *,
        until: datetime | None = None,
        pauses: bool = True,
    ) -> "Notice":
        """Let a notice stand on the guide from now on; one that stands there ends.

        A suggested notice becomes this one. `pauses` pauses the fixes that lose data. Raises
        BadText for the text (visitors read it, so it must not be empty) and CannotAnnounce for
        an end that is past or too far away.
        """
        text, now = clean_text(text, most=TEXT_LIMIT), timezone.now()
        if not text:
            raise BadText(_("Say what the trouble is, in a sentence that visitors understand."))
        if until and until <= now:
            raise CannotAnnounce(_("That end is past: choose a later one, or none."))
        if until and until > now + LONGEST:
            raise CannotAnnounce(_("That end is more than three months away: choose an earlier."))
        with transaction.atomic():
            guide = self._lock(guide)
            before = self.filter(stands_on=guide).first()
            notice = self.filter(guide=guide, state=State.SUGGESTED).first() or Notice(guide=guide)
            if before:
                before._over(State.ENDED, by, now)
            notice.text, notice.until, notice.state = text, until, State.STANDING
            notice.announced_at, notice.announced_by, notice.stands_on = now, by, guide
            notice.pauses_since = _pauses_since(before, now) if pauses else None
            notice.save()
            LogLine.objects.note(guide, LogLine.Kind.ANNOUNCED, by, reason=text)
            return notice

    def end_due(self, now: datetime) -> "list[Notice]":
        """End every notice whose time has come; safe with a second worker."""
        due = list(self.filter(state=State.STANDING, until__lte=now).order_by("until", "pk"))
        return [notice for notice in due if notice.end(by=None)]

    def suggested(self) -> "NoticeQuerySet":
        """Those that wait for an editor's word."""
        return self.filter(state=State.SUGGESTED)

    def _lock(self, guide: Guide) -> Guide:
        """The guide as it is now, for one mover at a time until the transaction ends."""
        return Guide.objects.select_for_update().get(pk=guide.pk)


class Notice(models.Model):
    """A known trouble, told in the language of its guide; each translation has its own.

    `stands_on` is the guide while the notice stands there, and empty before and after. As a
    one-to-one it lets a guide have one notice at most, and whoever reads an edition or a session
    joins it (`guide__notice`) to the statement that is there already: visitors wait for no other.
    Nothing is copied onto the guide, so nothing can differ from this row.
    """

    guide = models.ForeignKey(Guide, models.CASCADE, related_name="notices")
    stands_on = models.OneToOneField(Guide, models.CASCADE, null=True, related_name="notice")
    text = models.CharField(gettext_lazy("text"), max_length=TEXT_LIMIT)
    state = models.CharField(
        gettext_lazy("state"), max_length=9, choices=State, default=State.SUGGESTED
    )
    made_at = models.DateTimeField(default=timezone.now)
    announced_at = models.DateTimeField(null=True)
    announced_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    pauses_since = models.DateTimeField(null=True)  # empty: it pauses nothing
    until = models.DateTimeField(null=True)
    over_at = models.DateTimeField(null=True)  # ended, or dismissed before it ever stood
    over_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )

    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = gettext_lazy("notice")
        verbose_name_plural = gettext_lazy("notices")
        ordering = ["-made_at", "-id"]
        indexes = [models.Index(fields=["guide", "-made_at"], name="troubleshooter_notice_newest")]
        constraints = [
            models.UniqueConstraint(
                fields=["guide"],
                condition=Q(state=State.SUGGESTED),
                name="troubleshooter_notice_one_suggested",
            ),
            models.CheckConstraint(
                condition=Q(
                    state=State.STANDING,
                    stands_on__isnull=False,
                    stands_on=F("guide"),
                    announced_at__isnull=False,
                )
                | (~Q(state=State.STANDING) & Q(stands_on=None)),
                name="troubleshooter_notice_stands",
            ),
        ]

    def __str__(self) -> str:
        return self.text[:60]

    def stands(self, now: datetime) -> bool:
        """Whether visitors read it at this moment, even if the worker is late to end it."""
        return self.stands_on_id is not None and (self.until is None or now < self.until)

    def pauses(self, shown_at: datetime) -> bool:
        """Whether a fix that loses data and was shown at that moment is paused.

        One that was shown before may have been done by then: its answer is still wanted.
        """
        return self.pauses_since is not None and shown_at >= self.pauses_since

    def end(self, by: User | None) -> bool:
        """Take it down; False when it does not stand any more."""
        return self._leave(State.STANDING, State.ENDED, by)

    def dismiss(self, by: User | None) -> bool:
        """Turn the suggestion down; False when it is none any more."""
        return self._leave(State.SUGGESTED, State.DISMISSED, by)

    def _leave(self, old: State, new: State, by: User | None) -> bool:
        with transaction.atomic():
            Guide.objects.select_for_update().get(pk=self.guide_id)
            self.refresh_from_db()
            if self.state != old:
                return False
            self._over(new, by, timezone.now())
            kinds = {State.ENDED: LogLine.Kind.ENDED, State.DISMISSED: LogLine.Kind.DISMISSED}
            LogLine.objects.note(self.guide, kinds[new], by, reason=self.text)
            return True

    def _over(self, state: State, by: User | None, now: datetime) -> None:
        self.state, self.stands_on, self.over_by, self.over_at = state, None, by, now
        self.save(update_fields=["state", "stands_on", "over_by", "over_at"])


def _pauses_since(before: Notice | None, now: datetime) -> datetime:
    """Since when fixes are paused: other words do not end the pause that was there before."""
    went_on = before and (before.until is None or now < before.until)
    return before.pauses_since or now if before and went_on else now


def notice_on(guide: Guide, now: datetime) -> Notice | None:
    """The notice that visitors of this guide read now.

    It asks the database nothing when the guide was read with `Edition.objects.with_notice()` or
    by `Session.objects.walk`.
    """
    known = guide._state.fields_cache  # to ask for one that is known to be none raises an error
    notice: Notice | None = known["notice"] if "notice" in known else getattr(guide, "notice", None)
    return notice if notice and notice.stands(now) else None
