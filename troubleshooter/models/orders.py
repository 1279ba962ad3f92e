"""The order that was learned for each guide and symptom, and all that it was learned from.

Both belong to a guide's key: its editions and its languages learn together. A learner that was
stopped has no orders, so that every session then gets the author's.
"""

from datetime import UTC, datetime

from django.contrib.auth.models import User
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from troubleshooter import learning

from .content import Guide
from .log import LogLine

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class OrderQuerySet(models.QuerySet["Order"]):
    def learned(self, guide_key: str, symptom_key: str) -> list[str] | None:
        """The fixes in the learned order; None while nothing was learned."""
        rows = self.filter(guide_key=guide_key, symptom_key=symptom_key)
        return rows.values_list("fixes", flat=True).first()

    def put(
        self, guide_key: str, symptom_key: str, ranking: learning.Ranking, now: datetime
    ) -> None:
        """Keep this order; what it was before is kept, too, when it has changed."""
        fixes = list(ranking.order)
        row = self.filter(guide_key=guide_key, symptom_key=symptom_key).first()
        if row is None:
            author = list(ranking.author)
            row = Order(guide_key=guide_key, symptom_key=symptom_key, fixes=author, changed_at=now)
        if row.fixes != fixes:
            row.before, row.fixes = row.fixes, fixes
            row.changed_at, row.changed_after = now, ranking.sessions
        row.lines = [line._asdict() | {"held": line.held.value} for line in ranking.lines]
        row.learned, row.sessions = ranking.learned, ranking.sessions
        row.minutes, row.author_minutes = ranking.minutes, ranking.author_minutes
        row.policy = learning.POLICY
        row.save()


class Order(models.Model):
    """The order of one guide and symptom, as sessions are given it now."""

    guide_key = models.CharField(max_length=16)
    symptom_key = models.CharField(max_length=16, blank=True)
    fixes = models.JSONField()  # their keys
    lines = models.JSONField()  # why each stands where it does: learning.Line
    learned = models.BooleanField()  # not while the author's order stands, for lack of evidence
    minutes = models.FloatField()  # expected until the cure, by the model
    author_minutes = models.FloatField()  # the same in the author's order
    sessions = models.PositiveIntegerField()  # that it was learned from
    policy = models.CharField(max_length=20)
    before = models.JSONField(default=list)  # the fixes in the order before this one
    changed_at = models.DateTimeField()
    changed_after = models.PositiveIntegerField(default=0)  # so many sessions

    objects = OrderQuerySet.as_manager()

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        ordering = ["guide_key", "symptom_key"]
        constraints = [
            models.UniqueConstraint(
                fields=["guide_key", "symptom_key"], name="troubleshooter_order_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.guide_key} {self.symptom_key}"

    def told(self) -> list[learning.Line]:
        """Why each fix stands where it does, in the order."""
        return [
            learning.Line(**line | {"held": learning.Held(line["held"])}) for line in self.lines
        ]


class LearnerQuerySet(models.QuerySet["Learner"]):
    def hold(self, guide_key: str) -> "Learner":
        """The learner of a guide, for one mover at a time until the transaction ends."""
        self.get_or_create(guide_key=guide_key)
        return self.select_for_update().get(guide_key=guide_key)

    def resume(self, guide: Guide, by: User | None) -> None:
        """Let it order again after the breaker stopped it; the proof begins anew."""
        with transaction.atomic():
            learner = self.hold(guide.key)
            if learner.stopped_at is None:
                return
            learner.stopped_at, learner.trial, learner.ranked = None, {}, ""
            learner.save(update_fields=["stopped_at", "trial", "ranked"])
            _note(guide.key, LogLine.Kind.ORDER_RESUMED, by)


class Learner(models.Model):
    """What the sessions of one guide taught: each is read once, when it ends first."""

    guide_key = models.CharField(max_length=16, unique=True)
    state = models.JSONField(default=dict)  # of learning.Learner
    trial = models.JSONField(default=dict)  # of proof.Trial: learned against author's
    tried_to = models.DateTimeField(default=BEGINNING)  # sessions that began later are not in it
    sessions = models.PositiveIntegerField(default=0)
    folded_at = models.DateTimeField(null=True)
    ranked = models.CharField(max_length=64, blank=True)  # digest of the edition it made orders for
    stopped_at = models.DateTimeField(null=True)  # by the breaker: the learned order did harm

    objects = LearnerQuerySet.as_manager()

    class Meta:
        verbose_name = _("learner")
        verbose_name_plural = _("learners")
        ordering = ["guide_key"]

    def __str__(self) -> str:
        return self.guide_key

    def stop(self, now: datetime) -> None:
        """The breaker: every new session gets the author's order, until an editor says otherwise.

        To be called while it is held.
        """
        self.stopped_at = now
        self.save(update_fields=["stopped_at"])
        Order.objects.filter(guide_key=self.guide_key).delete()
        _note(self.guide_key, LogLine.Kind.ORDER_STOPPED, None)


def _note(guide_key: str, kind: LogLine.Kind, by: User | None) -> None:
    """A line in the change log of the guide, in each of its languages."""
    for guide in Guide.objects.filter(key=guide_key):
        LogLine.objects.note(guide, kind, by)
