"""Guide packs in the admin: chosen guides as a zip, and a zip back, shown before it is saved."""

import base64
import binascii
from collections.abc import Iterator
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION, CHANGE
from django.contrib.auth.models import User
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from troubleshooter.importing.drafting import content, fix_content
from troubleshooter.importing.packs import members, read, remedy, shown
from troubleshooter.importing.parts import GuideFile, ScenarioPart
from troubleshooter.importing.plans import Change, Plan, Reach, plan
from troubleshooter.importing.unpacking import PackError, packed, unpacked
from troubleshooter.languages import language
from troubleshooter.models import Fix, Guide, Scenario
from troubleshooter.web import see_other

from .changelog import by_pack, in_sentences, note
from .differences import Difference, Item, Section, differences, pieces
from .publishing import PublishingAdmin

WRITES = ("guide", "placement", "symptom", "scenario", "fix", "step")  # what a save may touch
HOLDS = (*WRITES, "topic", "contact", "picture")  # what a pack may touch
# Between its two requests a pack lies in the form, as text that is a third longer.
MOST_UPLOADED = settings.FILE_LIMIT * 5 // 8
SALT = "troubleshooter.admin.packs"
A_DAY = 24 * 3600


class PackForm(forms.Form):
    pack = forms.FileField(
        label=gettext_lazy("Pack"),
        widget=forms.FileInput(attrs={"accept": ".zip,application/zip"}),
        error_messages={
            "required": gettext_lazy("Choose a file."),
            "empty": gettext_lazy("The file is empty."),
        },
    )


class PacksAdmin(PublishingAdmin):
    """Export and import, for those who write guides."""

    actions = [*PublishingAdmin.actions, "export_chosen"]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.import_pack_view)
        return [
            path("import-pack/", view, name="troubleshooter_guide_import_pack"),
            *super().get_urls(),
        ]

    def has_pack_permission(self, request: HttpRequest) -> bool:
        """Named as Django's admin wants it, so that the action on the list asks for it, too."""
        names = (f"{action}_{model}" for action in ("add", "change") for model in HOLDS)
        return request.user.has_perms([f"troubleshooter.{name}" for name in names])

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        context = {"may_import": self.has_pack_permission(request), **(extra_context or {})}
        return super().changelist_view(request, context)

    @admin.action(description=gettext_lazy("Export the chosen guides"), permissions=["pack"])
    def export_chosen(self, request: HttpRequest, queryset: QuerySet[Guide]) -> Any:
        """A zip of the drafts as they are."""
        try:
            files = members(queryset)
            data = packed(files)
        except PackError as refused:
            messages.error(request, str(refused))
            return None
        guides = [name.removesuffix(".toml") for name in files if name.endswith(".toml")]
        name = guides[0] if len(guides) == 1 else "guides"
        response = HttpResponse(data, content_type="application/zip")
        response["Content-Disposition"] = f'attachment; filename="{name}.zip"'
        return response

    def import_pack_view(self, request: HttpRequest) -> HttpResponse:
        """Choose a pack, see what it would change, and save that; nothing is kept in between."""
        if not self.has_pack_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return self._pack_page(request, PackForm())
        data = _carried(request)
        form = PackForm(None if data else request.POST, None if data else request.FILES)
        if not data and not form.is_valid():
            return self._pack_page(request, form)
        try:
            data = data or _uploaded(form)
            found = _planned(data)
        except PackError as refused:
            return self._pack_page(request, PackForm(), refused=str(refused))
        seal = {"plan": found.digest, "by": request.user.pk}
        if "seal" in request.POST and _unsealed(request.POST["seal"]) == seal:
            self._save_plan(request, found)
            return see_other(reverse("admin:troubleshooter_guide_changelist"))
        context = {
            "guides": [(change, sections(change)) for change in found.changes],
            "reaches": [(reach, of_reach(reach)) for reach in found.reaches],
            "plan": found,
            "again": "seal" in request.POST,
            "pack": base64.b64encode(data).decode(),
            "seal": signing.dumps(seal, salt=SALT),
        }
        return self._pack_page(request, PackForm(), **context)

    def _save_plan(self, request: HttpRequest, found: Plan) -> None:
        """Save one guide after the other, and say what became of them."""
        saved = []
        for change in found.changes:
            try:
                saved.append(_save(found, change, cast(User, request.user)))
            except PackError as refused:
                messages.error(request, str(refused))
        if saved:
            said = ngettext(
                "%(count)d guide is saved as a draft: %(titles)s. Visitors see it when you"
                " publish.",
                "%(count)d guides are saved as drafts: %(titles)s. Visitors see them when you"
                " publish.",
                len(saved),
            )
            titles = ", ".join(f"“{guide.title}”" for guide in saved)
            messages.success(request, said % {"count": len(saved), "titles": titles})

    def _pack_page(self, request: HttpRequest, form: PackForm, **context: Any) -> HttpResponse:
        context |= {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Import a pack"),
            "form": form,
            "most": MOST_UPLOADED // (1024 * 1024),
        }
        return TemplateResponse(request, "admin/troubleshooter/guide/import_pack.html", context)


def _carried(request: HttpRequest) -> bytes:
    """The pack that the form of the second step carries; empty in the first."""
    try:
        return base64.b64decode(request.POST.get("pack", ""), validate=True)
    except (binascii.Error, ValueError):
        return b"\0"  # no pack, which is told


def _uploaded(form: PackForm) -> bytes:
    file = form.cleaned_data["pack"]
    if file.size > MOST_UPLOADED:
        said = _("This pack has more than %(most)d MiB: use “manage.py import_pack” for it.")
        raise PackError(said % {"most": MOST_UPLOADED // (1024 * 1024)})
    return cast(bytes, file.read())


def _planned(data: bytes) -> Plan:
    """What the pack would change; its texts must fit on one page."""
    files = unpacked(data)
    texts = sum(len(text) for name, text in files.items() if name.endswith(".toml"))
    if texts > settings.BODY_LIMIT_STAFF:
        said = _("These are more texts than one page shows: use “manage.py import_pack” for them.")
        raise PackError(said)
    return plan(read(files), new_drawings=False)


def _unsealed(text: str) -> Any:
    """Which plan was shown, and to whom; None when we did not show it, or long ago."""
    try:
        return signing.loads(text, salt=SALT, max_age=A_DAY)
    except signing.BadSignature:
        return None


def _save(found: Plan, change: Change, by: User) -> Guide:
    """Save one guide, and note it in Django's own history as the desk does."""
    with transaction.atomic():
        said = told(change)
        guide = found.save(change, by, said)
        note(by, guide, CHANGE if change.before else ADDITION, said)
        old = {fix.key: remedy(fix) for fix in change.before.fix} if change.before else {}
        keys = [fix.key for fix in change.after.fix if old.get(fix.key) != remedy(fix)]
        for fix in Fix.objects.filter(language=guide.language, key__in=keys):
            note(by, fix, CHANGE, by_pack(guide))
    return guide


# --- What a pack would change, as an editor reads it ---

_NOTHING: dict[str, Any] = {
    **dict.fromkeys(("topic", "title", "summary", "about", "prevention", "closing"), ""),
    "symptoms": [],
    "contacts": [],
}


def told(change: Change) -> str:
    """One change in sentences, for the log."""
    if not change.before:
        return _("Imported from a pack.")
    said = in_sentences(_state(change.before), _state(change.after))
    return _("Imported from a pack: %(said)s") % {"said": said}


def _state(part: GuideFile) -> dict[str, Any]:
    beside = {"slug": part.slug, "scenarios": part.scenario, "owner": None, "review_on": None}
    return {**content(part), **beside}


def sections(change: Change) -> list[Section]:
    """Every difference that a change makes; of a new guide, all that is in it."""
    new = content(change.after)
    empty = {**_NOTHING, "fixes": []}
    found = differences(content(change.before) if change.before else empty, new)
    found += [
        Section(heading, items)
        for heading, items in (
            (_("Scenarios"), list(_scenarios(change))),
            (_("Besides"), list(_besides(change))),
        )
        if items
    ]
    return found


def _scenarios(change: Change) -> Iterator[Item]:
    before = change.before.scenario if change.before else ()
    old, new = ("\n".join(map(_line, parts)) for parts in (before, change.after.scenario))
    if old != new:
        label = capfirst(str(Scenario._meta.verbose_name_plural))
        yield Item("", [Difference(label, pieces(old, new))])


def _line(scenario: ScenarioPart) -> str:
    """A scenario in the words of a guide's file."""
    answers = ", ".join(scenario.answers) or _("no answers")
    return " ".join(filter(None, [scenario.symptom, answers, "→", scenario.status, scenario.fix]))


def _besides(change: Change) -> Iterator[Item]:
    """What is no text of the guide."""
    before, after = change.before, change.after
    if after.original and not (before and before.original):
        said = _("This is a translation of “%(title)s” (%(language)s).")
        name = language(after.original).name
        yield Item(said % {"title": change.original, "language": name})
    left = "\n".join(before.untranslated) if before else ""
    if left != (now := "\n".join(after.untranslated)):
        yield Item("", [Difference(_("Not translated yet"), pieces(left, now))])
    old = before.slug if before else ""
    if old != after.slug:
        label = capfirst(str(Guide._meta.get_field("slug").verbose_name))
        yield Item("", [Difference(label, pieces(old, after.slug))])
    if not before:
        return
    if before.contact != after.contact and content(before) == content(after):
        yield Item(_("The contacts stand in another order."))
    names = {picture.sha256: picture.name for picture in shown([before])}
    for sha256, name in {picture.sha256: picture.name for picture in shown([after])}.items():
        if names.get(sha256, name) != name:
            said = _("The picture “%(old)s” is now called “%(new)s”.")
            yield Item(said % {"old": names[sha256], "new": name})


def of_reach(reach: Reach) -> list[Section]:
    """What changes in a fix that other guides offer, too."""
    old, new = ({**_NOTHING, "fixes": [fix_content(fix)]} for fix in (reach.before, reach.after))
    return differences(old, new)
