"""Fields for what editors write: every text passes the common gate."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models

from troubleshooter.text import BadText, clean_text

if TYPE_CHECKING:  # at run time Django's fields take no type arguments
    _CharField = models.CharField[str, str]
    _TextField = models.TextField[str, str]
else:
    _CharField, _TextField = models.CharField, models.TextField

TEXT_LIMIT = 50_000  # characters in one field of prose (reliability D9: bounds the renderer's time)


class LineField(_CharField):
    """One line of text, cleaned by the common gate before it is validated."""

    def to_python(self, value: Any) -> Any:
        return _cleaned(super().to_python(value), most=10_000, lines=False)


class ProseFormField(forms.CharField):
    """What a browser sends: its line ends are no change, or the change log would tell of them."""

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        return value.replace("\r\n", "\n") if isinstance(value, str) else value


class ProseField(_TextField):
    """Markdown of several lines, cleaned by the common gate before it is validated."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", TEXT_LIMIT)
        super().__init__(*args, **kwargs)

    def to_python(self, value: Any) -> Any:
        return _cleaned(super().to_python(value), most=self.max_length or TEXT_LIMIT, lines=True)

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": ProseFormField, **kwargs})


def _cleaned(value: Any, *, most: int, lines: bool) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return clean_text(value, most=most, lines=lines)
    except BadText as refused:
        raise ValidationError(str(refused)) from refused
