"""Second factors of staff: allauth keeps them; here is what ends them all at once."""

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.db import transaction

from .audit import AuditLine
from .logins import StaffSession


def reset_factors(account: User, by: User | None) -> int:
    """Take every second factor and recovery code from an account, and end its sessions.

    Returns how many factors there were. `by` is None for a command.
    """
    with transaction.atomic():
        count: int = Authenticator.objects.filter(user=account).delete()[0]
        AuditLine.objects.note(AuditLine.Kind.FACTOR_REMOVED, by, account, str(count))
        StaffSession.objects.end(account, by)
    return count
