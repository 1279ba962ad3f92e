"""What the front page of the admin says of our own pages."""

from django import template
from django.utils import timezone

from troubleshooter.models import Guide

register = template.Library()


@register.simple_tag
def reviews_due() -> int:
    """How many guides stand in the queue for a review."""
    return Guide.objects.due(timezone.localdate()).count()
