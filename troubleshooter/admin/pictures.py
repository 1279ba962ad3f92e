"""Pictures: an editor's file is made anew, and kept as long as anything shows it."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from troubleshooter.models import Edition, Picture
from troubleshooter.pictures import MOST_BYTES, BadPicture, Encoded, reencode

from .base import DeskAdmin, ModelForm

ACCEPTED = ("image/png", "image/jpeg", "image/webp", "image/gif")
MOST_NAMED = 5  # editions that are listed when one of them keeps a picture


class PictureInput(forms.FileInput):
    """Chooses a file; with JavaScript it also takes one that is pasted or dropped, and shows it."""

    class Media:
        js = ["js/pictures.js"]

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        kinds = {"accept": ",".join(ACCEPTED)}
        chooser = super().render(name, value, {**kinds, **(attrs or {})}, renderer)
        context = {"chooser": chooser, "most": MOST_BYTES}
        return render_to_string("admin/troubleshooter/picture/_input.html", context)


class NewPictureForm(ModelForm[Picture]):
    """A file and its words; a file that cannot be taken is refused with a sentence."""

    file = forms.FileField(
        label=_("Picture"),
        widget=PictureInput,
        help_text=_("PNG, JPEG, WebP or GIF, at most 5 MiB. Only its pixels are kept."),
    )

    def clean_file(self) -> Encoded:
        try:
            return reencode(self.cleaned_data["file"].read())
        except BadPicture as refused:
            raise ValidationError(str(refused)) from refused


@admin.register(Picture)
class PictureAdmin(DeskAdmin[Picture]):
    """Only the name and the words change: an edition may name the bytes, so they stay."""

    list_display = ["name", "thumbnail", "alt", "size"]
    search_fields = ["name", "alt"]
    readonly_fields = ["thumbnail", "kind", "size", "sha256"]
    instead = _(
        "Steps or editions show this picture, so it stays. To take it away from new visitors,"
        " give the steps another picture and publish their guides."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Picture]:
        return super().get_queryset(request).defer("content")

    def get_fields(self, request: HttpRequest, obj: Picture | None = None) -> Any:
        shown = ["thumbnail", "name", "alt", "kind", "size", "sha256"]
        return shown if obj else ["file", "name", "alt"]

    def get_form(
        self, request: HttpRequest, obj: Picture | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        if not obj:
            kwargs["form"] = NewPictureForm
        return super().get_form(request, obj, change, **kwargs)

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        words: Picture = super().save_form(request, form, change)
        if change:
            return words
        encoded: Encoded = form.cleaned_data["file"]
        if Picture.objects.filter(sha256=encoded.sha256).exists():
            said = gettext("This picture was here already: now it has the words you gave it.")
            messages.info(request, said)
            messages.set_level(request, messages.WARNING)  # Django would say that it was added
        return Picture.objects.store(encoded, words.name, words.alt)

    def kept_by(self, objs: Iterable[Picture]) -> Iterable[str]:
        for picture in objs:
            for edition in Edition.objects.light().naming(picture)[:MOST_NAMED]:
                yield gettext("“%(picture)s” is shown by %(edition)s") % {
                    "picture": picture,
                    "edition": edition,
                }

    @admin.display(description=_("picture"))
    def thumbnail(self, picture: Picture) -> SafeString:
        return format_html(
            '<img class="desk-thumbnail" src="{}" alt="" width="{}" height="{}">',
            address(picture),
            picture.width,
            picture.height,
        )

    @admin.display(description=_("size"))
    def size(self, picture: Picture) -> str:
        return f"{picture.width} × {picture.height}"


def address(picture: Picture) -> str:
    return reverse("picture", args=[picture.sha256, picture.kind])
