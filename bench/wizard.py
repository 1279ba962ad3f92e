"""The usual way: a django-formtools wizard that asks the same of the same guide, fix by fix."""

from typing import Any

from django import forms
from django.http import HttpResponse
from django.urls import path
from formtools.wizard.views import SessionWizardView

from bench.servers import FIXES


class FixForm(forms.Form):
    """What a visitor says of one fix."""

    outcome = forms.ChoiceField(
        choices=[("fixed", "It’s fixed"), ("not_fixed", "Still broken"), ("skipped", "Skip")],
        widget=forms.RadioSelect,
    )
    reason = forms.ChoiceField(
        choices=[("", "—"), ("no_time", "No time"), ("afraid", "Afraid"), ("other", "Other")],
        required=False,
    )


class FixWizard(SessionWizardView):
    template_name = "wizard.html"

    def get_context_data(self, form: forms.Form, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(form=form, **kwargs)
        return context | {"fix": FIXES[int(self.steps.current)]}

    def done(self, form_list: Any, **kwargs: Any) -> HttpResponse:
        return HttpResponse("done")


urlpatterns = [path("", FixWizard.as_view([FixForm] * len(FIXES)))]
