"""Signals that were seen in the counts: what needs somebody's attention, and the numbers behind it.

What is worth a signal is decided by `troubleshooter/signals.py`; here it is kept, until it has
been quiet for a week. A surge lays a notice before the editors, too.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from troubleshooter.signals import Kind

from .content import Guide
from .notices import Notice

QUIET = timedelta(days=7)  # unseen for so long, it is over; what comes later is a signal anew
SURGES = (Kind.SURGE, Kind.FAILURES)

Evidence = Mapping[str, int | float | str]


class SignalQuerySet(models.QuerySet["Signal"]):
    def saw(
        self,
        kind: Kind,
        guide_key: str,
        evidence: Evidence,
        now: datetime,
        *,
        subject: str = "",
        revision: int = 0,
    ) -> "Signal | None":
        """Note what was seen now; the signal if it is new, None if it was known.

        One that was dismissed stays so for as long as it is seen. A new surge suggests a notice
        on every live guide with this key, in its language. Safe with a second worker.
        """
        what = {"guide_key": guide_key, "kind": kind, "subject": subject, "revision": revision}
        with transaction.atomic():
            known = self.filter(**what).exclude(state=Signal.State.OVER)
            if known.update(evidence=dict(evidence), last_seen=now):
                return None
            try:
                with transaction.atomic():
                    made = self.create(
                        **what, evidence=dict(evidence), first_seen=now, last_seen=now
                    )
            except IntegrityError:  # the other worker was faster
                return None
            if kind in SURGES:
                _suggest(guide_key)
        return made

    def calm(self, now: datetime) -> int:
        """Those not seen for a week are over, and so is what a surge suggested; how many."""
        quiet = self.exclude(state=Signal.State.OVER).filter(last_seen__lte=now - QUIET)
        with transaction.atomic():
            over = list(quiet.select_for_update())
            self.filter(pk__in=[signal.pk for signal in over]).update(state=Signal.State.OVER)
            for signal in over:
                signal.withdraw_suggestion(by=None)
        return len(over)

    def new(self) -> "SignalQuerySet":
        """Those that nobody has dismissed, the latest first."""
        return self.filter(state=Signal.State.NEW).order_by("-first_seen", "-pk")


class Signal(models.Model):
    """Something that was seen in the counts of a guide, in all its languages together."""

    class State(models.TextChoices):
        NEW = "new", gettext_lazy("new")
        DISMISSED = "dismissed", gettext_lazy("dismissed")
        OVER = "over", gettext_lazy("over")

    guide_key = models.CharField(max_length=16)
    kind = models.CharField(gettext_lazy("kind"), max_length=10, choices=Kind)
    subject = models.CharField(max_length=16, blank=True)  # the key of a fix, or a platform
    revision = models.PositiveIntegerField(default=0)  # of the fix
    evidence = models.JSONField()  # of its latest look: the fields of Compared or of Surge
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    state = models.CharField(gettext_lazy("state"), max_length=9, choices=State, default=State.NEW)
    dismissed_at = models.DateTimeField(null=True)
    dismissed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )

    objects = SignalQuerySet.as_manager()

    class Meta:
        verbose_name = gettext_lazy("signal")
        verbose_name_plural = gettext_lazy("signals")
        ordering = ["-first_seen", "-id"]
        indexes = [
            models.Index(fields=["state", "-first_seen"], name="troubleshooter_signal_newest")
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["guide_key", "kind", "subject", "revision"],
                condition=~Q(state="over"),
                name="troubleshooter_signal_once",
            )
        ]

    def __str__(self) -> str:
        return " ".join(filter(None, [self.guide_key, self.kind, self.subject]))

    def dismiss(self, by: User | None) -> bool:
        """Somebody has looked at it; False when somebody else did, or it is over.

        With the last surge of a guide goes the notice that it suggested.
        """
        with transaction.atomic():
            new = Signal.objects.filter(pk=self.pk, state=self.State.NEW)
            if not new.update(
                state=self.State.DISMISSED, dismissed_by=by, dismissed_at=timezone.now()
            ):
                return False
            self.withdraw_suggestion(by)
        self.refresh_from_db()
        return True

    def withdraw_suggestion(self, by: User | None) -> None:
        """Dismiss the notice that waits for an editor, unless another surge stands for it."""
        if self.kind not in SURGES:
            return
        others = Signal.objects.new().filter(guide_key=self.guide_key, kind__in=SURGES)
        if not others.exclude(pk=self.pk).exists():
            for notice in Notice.objects.suggested().filter(guide__key=self.guide_key):
                notice.dismiss(by)


def _suggest(guide_key: str) -> None:
    for guide in Guide.objects.filter(key=guide_key, editions__live=True).order_by("pk"):
        with translation.override(guide.language):
            text = _(
                "More people than usual have this problem right now. We are looking into it. Some"
                " fixes may not help until it is over."
            )
        Notice.objects.suggest(guide, text)
