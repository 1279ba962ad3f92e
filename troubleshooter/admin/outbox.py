"""What leaves the house: the webhooks, and every delivery with what came of it."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from troubleshooter.delivery import mail_is_set_up
from troubleshooter.models import Delivery, TwoSecrets, Webhook

from .base import DeskAdmin, RecordAdmin

FRESH = "webhook-secret"  # in the session of whoever made one, until it is shown


@admin.register(Webhook)
class WebhookAdmin(DeskAdmin[Webhook]):
    """A webhook; its secret is shown once, to whoever made it."""

    list_display = ["name", "host", "on_escalation", "on_session", "active"]
    fields = ["name", "url", "on_escalation", "on_session", "active"]
    change_form_template = "admin/troubleshooter/webhook/change_form.html"

    @admin.display(description=gettext_lazy("address"))
    def host(self, webhook: Webhook) -> str:
        return webhook.host  # the rest of an address may be a secret

    def get_urls(self) -> list[URLPattern]:
        secret = path(
            "<int:pk>/secret/",
            self.admin_site.admin_view(self.secret_view),
            name="troubleshooter_webhook_secret",
        )
        return [secret, *super().get_urls()]

    def response_add(
        self, request: HttpRequest, obj: Webhook, post_url_continue: str | None = None
    ) -> HttpResponse:
        self._keep(request, obj)
        super().response_add(request, obj, post_url_continue)  # says that it was added
        return HttpResponseRedirect(_secret_url(obj))

    def secret_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The secret just made, once; others make a new one, retire the old one, send a test."""
        webhook = self.get_object(request, str(pk))
        if webhook is None:
            raise Http404
        if not self.has_change_permission(request, webhook):
            raise PermissionDenied
        if request.method == "POST":
            self._act(request, webhook, request.POST.get("act", ""))
            return HttpResponseRedirect(_secret_url(webhook))
        fresh = request.session.pop(FRESH, None) or {}
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Secret and test"),
            "subtitle": str(webhook),
            "webhook": webhook,
            "secret": fresh.get("secret") if fresh.get("of") == webhook.pk else None,
        }
        template = "admin/troubleshooter/webhook/secret.html"
        response = TemplateResponse(request, template, context)
        response["Cache-Control"] = "no-store"
        return response

    def _act(self, request: HttpRequest, webhook: Webhook, act: str) -> None:
        try:
            with transaction.atomic():
                said = self._done(request, webhook, act)
                if said:
                    self.log_change(request, webhook, said)
        except TwoSecrets as refused:
            messages.error(request, str(refused))
            return
        if said:
            messages.success(request, said)

    def _done(self, request: HttpRequest, webhook: Webhook, act: str) -> str:
        """Do what was pressed, and say so; nothing is said when nothing was done."""
        match act:
            case "renew":
                webhook.renew()
                self._keep(request, webhook)
                return _("There is a new secret; the old one signs beside it until you retire it.")
            case "retire" if webhook.old_secret:
                webhook.retire()
                return _("The old secret is retired: it signs nothing any more.")
            case "test":
                test = Delivery.objects.test(webhook)
                said = _("The test %(id)s leaves in a few seconds: see Deliveries.")
                return said % {"id": test.public_id}
        return ""

    def _keep(self, request: HttpRequest, webhook: Webhook) -> None:
        request.session[FRESH] = {"of": webhook.pk, "secret": webhook.secret}


def _secret_url(webhook: Webhook) -> str:
    return reverse("admin:troubleshooter_webhook_secret", args=[webhook.pk])


@admin.register(Delivery)
class DeliveryAdmin(RecordAdmin[Delivery]):
    """What was sent, what waits, what was given up; never what it says."""

    list_display = ["public_id", "state", "to", "wrong", "tries", "next_try", "made_at"]
    list_filter = ["state", "kind", "webhook"]
    search_fields = ["public_id__startswith"]
    show_full_result_count = False
    actions = ["try_again"]
    fields = ["public_id", "kind", "to", "webhook", "state", "made_at", "tries", "next_try"]
    fields += ["ended_at", "error"]
    readonly_fields = ["next_try"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        return super().get_queryset(request).defer("body").select_related("webhook")

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("troubleshooter.change_delivery")

    @admin.display(description=gettext_lazy("next try"), ordering="next_try_at")
    def next_try(self, delivery: Delivery) -> Any:
        return delivery.next_try_at if delivery.state == Delivery.State.WAITING else None

    @admin.display(description=gettext_lazy("what went wrong"))
    def wrong(self, delivery: Delivery) -> str:
        return Truncator(delivery.error).chars(80)

    @admin.action(description=gettext_lazy("Try again"), permissions=["retry"])
    def try_again(self, request: HttpRequest, chosen: QuerySet[Delivery]) -> None:
        count = Delivery.objects.filter(pk__in=chosen.values("pk")).retry(timezone.now())
        said = ngettext(
            "%(count)d message is tried again in a few seconds.",
            "%(count)d messages are tried again in a few seconds.",
            count,
        )
        messages.success(request, said % {"count": count})

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if request.method == "GET" and not mail_is_set_up():
            self._say_that_mail_waits(request)
        return super().changelist_view(request, extra_context)

    def _say_that_mail_waits(self, request: HttpRequest) -> None:
        count = Delivery.objects.waiting_mail().count()
        said = ngettext(
            "Mail is not set up, so %(count)d mail waits; nothing is lost. The operator sets it up"
            " by EMAIL_HOST.",
            "Mail is not set up, so %(count)d mails wait; nothing is lost. The operator sets it up"
            " by EMAIL_HOST.",
            count,
        )
        messages.warning(request, said % {"count": count})
