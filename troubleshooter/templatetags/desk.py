"""What the front page of the admin says of our own pages."""

from django import template
from django.db.models import Q
from django.utils import timezone

from troubleshooter.models import Delivery, Escalation, Guide, Signal, Translation

register = template.Library()


@register.simple_tag
def reviews_due() -> int:
    """How many guides stand in the queue for a review, or lag behind their original."""
    behind = Translation.objects.behind().values("guide_id")
    due = Guide.objects.due(timezone.localdate()).values("pk")
    return Guide.objects.filter(Q(pk__in=due) | Q(pk__in=behind)).count()


@register.simple_tag
def signals_new() -> int:
    """How much in the numbers needs somebody's attention."""
    return Signal.objects.new().count()


@register.simple_tag
def dead_letters() -> int:
    """How many deliveries were given up."""
    return Delivery.objects.dead().count()


@register.simple_tag
def escalations_new() -> int:
    """How many wait for somebody to take them."""
    waiting = Escalation.objects.filter(state__in=(Escalation.State.NEW, Escalation.State.OPEN))
    # None of them is closed: said, so that the index of the queue is read and not every row.
    return waiting.filter(closed_at=None, assigned_to=None, forgotten_at=None).count()
