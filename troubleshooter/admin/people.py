"""Accounts of staff. Whoever may change accounts must not be able to make themselves more.

What is done to an account stands in the audit log, and what takes rights away ends its sessions.
"""

from typing import Any

from allauth.account.admin import EmailAddress
from allauth.mfa.admin import Authenticator
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from troubleshooter.models import AuditLine, StaffSession, reset_factors

from .base import RecordAdmin

Kind = AuditLine.Kind
RIGHTS = ("is_active", "is_staff", "is_superuser", "groups", "user_permissions", "permissions")

for model in (User, Group, Authenticator, EmailAddress):
    admin.site.unregister(model)  # secrets of second factors are for nobody's eyes


def actor(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


@admin.register(User)
class UserAdmin(DjangoUserAdmin):  # type: ignore[type-arg]
    """Only a superuser makes superusers, hands out single permissions, or touches superusers."""

    change_form_template = "admin/auth/user/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.security_view)
        return [path("<int:pk>/security/", view, name="auth_user_security"), *super().get_urls()]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[Any]:
        fixed = [] if request.user.is_superuser else ["is_superuser", "user_permissions"]
        return [*super().get_readonly_fields(request, obj), *fixed]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return self._within(request, obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return self._within(request, obj) and super().has_delete_permission(request, obj)

    def _within(self, request: HttpRequest, obj: User | None) -> bool:
        return obj is None or not obj.is_superuser or request.user.is_superuser

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        by, user = actor(request), form.instance
        if not change:
            AuditLine.objects.note(Kind.ACCOUNT_ADDED, by, user)
        elif said := _rights(form):
            AuditLine.objects.note(Kind.RIGHTS_CHANGED, by, user, said)
            if not (user.is_active and user.is_staff):
                StaffSession.objects.end(user, by)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        AuditLine.objects.note(Kind.ACCOUNT_DELETED, actor(request), obj)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            AuditLine.objects.note(Kind.ACCOUNT_DELETED, actor(request), user)
        super().delete_queryset(request, queryset)

    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        """Somebody else's password: their sessions end. Django's page, in one transaction."""
        user = self.get_object(request, id)
        with transaction.atomic():
            response = super().user_change_password(request, id, form_url)
            if request.method == "POST" and response.status_code == 302 and user:
                AuditLine.objects.note(Kind.PASSWORD, actor(request), user)
                kept = request.session.session_key if user == request.user else None
                StaffSession.objects.end(user, actor(request), keep=kept)
        return response

    def security_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Where somebody is logged in and by what: end their sessions, reset their factors."""
        user = self.get_object(request, str(pk))
        if user is None:
            raise Http404
        if not self.has_change_permission(request, user):
            raise PermissionDenied
        if request.method == "POST":
            messages.success(request, self._act(request, user, request.POST.get("act", "")))
            return HttpResponseRedirect(reverse("admin:auth_user_security", args=[pk]), status=303)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Logins and second factors"),
            "subtitle": str(user),
            "account": user,
            "sessions": StaffSession.objects.of(user)[:100],
            "factors": Authenticator.objects.filter(user=user).order_by("created_at"),
        }
        return TemplateResponse(request, "admin/auth/user/security.html", context)

    def _act(self, request: HttpRequest, user: User, act: str) -> str:
        match act:
            case "end":
                count = StaffSession.objects.end(user, actor(request))
                said = ngettext("One session has ended.", "%(n)d sessions have ended.", count)
                return said % {"n": count}
            case "reset":
                reset_factors(user, actor(request))
                return _("The second factors are gone, and all sessions have ended.")
        return _("Nothing was done.")


def _rights(form: Any) -> str:
    """Which rights a form changed, and which groups there are now."""
    changed = [name for name in RIGHTS if name in form.changed_data]
    if not changed:
        return ""
    groups = sorted(group.name for group in form.cleaned_data.get("groups", ()))
    return ", ".join(changed) + (": " + ", ".join(groups) if "groups" in changed else "")


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin):
    """Roles: only a superuser changes one, and it is logged."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        said = f"{form.instance.name}: {len(form.cleaned_data['permissions'])}"
        AuditLine.objects.note(Kind.RIGHTS_CHANGED, actor(request), None, said)

    def delete_model(self, request: HttpRequest, obj: Group) -> None:
        AuditLine.objects.note(Kind.RIGHTS_CHANGED, actor(request), None, f"{obj.name}: –")
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Group]) -> None:
        for group in queryset:
            AuditLine.objects.note(Kind.RIGHTS_CHANGED, actor(request), None, f"{group.name}: –")
        super().delete_queryset(request, queryset)


@admin.register(AuditLine)
class AuditLineAdmin(RecordAdmin[AuditLine]):
    """The audit log: to be read, nothing else."""

    list_display = ["at", "what", "member", "about", "said"]
    list_display_links = None
    list_filter = ["kind"]
    search_fields = ["who", "about", "said"]
    search_help_text = gettext_lazy("A name, or what else is said.")
    date_hierarchy = "at"
    show_full_result_count = False

    @admin.display(description=gettext_lazy("what"), ordering="kind")
    def what(self, line: AuditLine) -> str:
        return line.get_kind_display()

    @admin.display(description=gettext_lazy("who"), ordering="who")
    def member(self, line: AuditLine) -> str:
        if line.who:
            return line.who
        return _("somebody") if line.kind in (Kind.FAILED, Kind.LOCKED) else _("a command")
