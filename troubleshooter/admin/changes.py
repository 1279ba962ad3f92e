"""What publishing a draft would change for visitors, and where else its fixes are used."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Count, Max
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from troubleshooter.models import Change, Edition, Fix, Guide, Placement, freeze, weighed

TEXTS = ("topic", "title", "summary", "about", "closing", "prevention")


class ChangeForm(forms.Form):
    """What a new edition means for the translations of its guide; weighed, if nobody says."""

    change = forms.ChoiceField(
        label=gettext_lazy("For translations this change is"),
        choices=Change.choices,
        widget=forms.RadioSelect,
        required=False,
    )

    @classmethod
    def about(cls, edition: Edition | None, draft: Guide, data: Any = None) -> "ChangeForm | None":
        """For a guide with translations; None where there is nothing to tell, or nobody."""
        content = freeze(draft)
        if edition is None or edition.content == content or not draft.translations.exists():
            return None
        return cls(data, initial={"change": weighed(edition.content, content)})

    @classmethod
    def said(cls, data: Any) -> str:
        """What was chosen; empty when it was not, or is no choice."""
        form = cls(data)
        return str(form.cleaned_data["change"]) if form.is_valid() else ""


@dataclass(frozen=True, slots=True)
class FixChange:
    """One fix that visitors will find changed; `entry` is who changed it last, when known."""

    sentence: str
    fix: Fix | None = None
    others: int = 0
    entry: LogEntry | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs between an edition and the draft: in the guide itself, and in its fixes."""

    guide: list[str]
    fixes: list[FixChange]


def changes(edition: Edition, draft: Guide) -> Changes | None:
    """What differs, or None when nothing does. Read the draft with `Guide.objects.whole()`."""
    old, new = edition.content, freeze(draft)
    if old == new:
        return None
    return Changes(list(_of_guide(old, new)), list(_of_fixes(edition, draft, new)))


def _of_guide(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    texts = [name for name in TEXTS if old[name] != new[name]]
    if texts:
        labels = [str(Guide._meta.get_field(name).verbose_name) for name in texts]  # type: ignore[union-attr]
        yield capfirst(", ".join(labels))
    if old["symptoms"] != new["symptoms"]:
        yield _("The symptoms")
    if _rules(old, new) != _rules(new, old):
        yield _("The order of the fixes, or the rules for it")
    if old["contacts"] != new["contacts"]:
        yield _("The contacts")


def _rules(content: dict[str, Any], other: dict[str, Any]) -> list[Any]:
    """How the fixes that both contents have are placed in `content`."""
    shared = {fix["key"] for fix in other["fixes"]}
    return [
        (fix["key"], fix["pin"], fix["after"]) for fix in content["fixes"] if fix["key"] in shared
    ]


def _of_fixes(edition: Edition, draft: Guide, content: dict[str, Any]) -> Iterator[FixChange]:
    old = {fix["key"]: fix for fix in edition.content["fixes"]}
    new = {fix["key"]: fix for fix in content["fixes"]}
    rows = {placement.fix.key: placement.fix for placement in draft.placements.all()}
    changed = [rows[key] for key in new if key in old and remedy(old[key]) != remedy(new[key])]
    others = _other_guides(changed, draft)
    entries = _last_entries(changed, edition)
    for fix in changed:
        sentence = _("“%(fix)s” changed.") % {"fix": fix.title}
        if fix.revision != old[fix.key]["revision"]:
            sentence = _("“%(fix)s” is a new remedy: revision %(revision)d.") % {
                "fix": fix.title,
                "revision": fix.revision,
            }
        yield FixChange(sentence, fix, others.get(fix.pk, 0), entries.get(str(fix.pk)))
    for fix in (rows[key] for key in new if key not in old):
        yield FixChange(_("“%(fix)s” is new in this guide.") % {"fix": fix.title}, fix)
    for title in (old[key]["title"] for key in old if key not in new):
        yield FixChange(_("“%(fix)s” is taken out of this guide.") % {"fix": title})


def remedy(fix: dict[str, Any]) -> dict[str, Any]:
    """A frozen fix without its place in the guide."""
    return {name: value for name, value in fix.items() if name not in ("pin", "after")}


def _other_guides(fixes: Collection[Fix], guide: Guide) -> dict[int, int]:
    placements = Placement.objects.filter(fix__in=fixes).exclude(guide=guide)
    return dict(placements.order_by().values_list("fix").annotate(Count("guide")))


def _last_entries(fixes: Collection[Fix], edition: Edition) -> dict[str, LogEntry]:
    """The newest entry in the admin's history for each fix since the edition was frozen."""
    entries = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(Fix),
        object_id__in=[str(fix.pk) for fix in fixes],
        action_time__gt=edition.frozen_at,
    )
    newest = entries.order_by().values("object_id").annotate(newest=Max("id")).values("newest")
    found = LogEntry.objects.filter(id__in=newest).select_related("user")
    return {str(entry.object_id): entry for entry in found}
