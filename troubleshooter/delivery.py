"""Hands a delivery over to whoever it is for: a mail server, or another system's webhook.

Nothing here reads or writes a row: the worker leases deliveries and records what came of them.
"""

import hashlib
import hmac
import json
import queue
import re
import smtplib
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from logging import getLogger
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.utils import timezone
from django.utils.translation import gettext as _

from troubleshooter import outbound
from troubleshooter.models import Delivery, Webhook
from troubleshooter.models.deliveries import one_address

logger = getLogger(__name__)

MOST_SECONDS = 60  # for one batch
VERSION = 1  # of the JSON that webhooks are sent

TOO_LARGE = 552
# No such mailbox, not here, too large, not a name, refused; the host takes no mail at all.
FOR_GOOD = (550, 551, TOO_LARGE, 553, 554, 556)
# To a recipient: a bad sender (5.1.7, 5.1.8), or policy (5.7), which is mostly a relay that does
# not know us.
OURS_TO_MEND = re.compile(rb"5\.(1\.[78]|7\.\d+)\b")


class NotDelivered(Exception):
    """It was not handed over; the message says why. `hopeless` when no later try can go better."""

    def __init__(self, why: str, *, hopeless: bool = False) -> None:
        super().__init__(why)
        self.hopeless = hopeless


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a delivery: no fault, or one."""

    delivery: Delivery
    fault: NotDelivered | None


def mail_is_set_up() -> bool:
    return bool(settings.EMAIL_HOST)


def hand_over_all(deliveries: Sequence[Delivery]) -> Iterator[Result]:
    """Hand these over at once, each by a thread of its own; the results as they come.

    Side by side, so that one receiver that hangs holds up no other. The threads touch no row, and
    whoever stops listening need not wait for them. One that takes longer than a minute counts as
    failed, well before its lease runs out; should it arrive after all, its id is the same.
    """
    results: queue.SimpleQueue[Result] = queue.SimpleQueue()

    def run(delivery: Delivery) -> None:
        results.put(Result(delivery, _fault_of(delivery)))

    for delivery in deliveries:
        threading.Thread(target=run, args=[delivery], name="delivery", daemon=True).start()
    under_way, end = {each.pk: each for each in deliveries}, time.monotonic() + MOST_SECONDS
    with suppress(queue.Empty):
        while under_way:
            result = results.get(timeout=max(end - time.monotonic(), 0))
            del under_way[result.delivery.pk]
            yield result
    late = NotDelivered(_("It took more than %(seconds)d seconds.") % {"seconds": MOST_SECONDS})
    yield from (Result(delivery, late) for delivery in under_way.values())


def _fault_of(delivery: Delivery) -> NotDelivered | None:
    try:
        hand_over(delivery, timezone.now())
    except NotDelivered as fault:
        return fault
    except Exception as fault:  # a bug must not stop the queue behind it
        # Not the traceback, and not what the fault says: an address or a text may be in it.
        name = type(fault).__name__
        logger.error("Delivery %s failed by a fault of ours: %s", delivery.public_id, name)
        return NotDelivered(_("A fault of ours: %(name)s.") % {"name": name})
    return None


def hand_over(delivery: Delivery, now: datetime) -> None:
    """Hand one delivery over; NotDelivered when that did not work."""
    if delivery.poisonous:  # else it would kill workers for ever
        said = _("It was taken %(count)d times and never heard of: the worker may have died of it.")
        raise NotDelivered(said % {"count": delivery.unheard - 1}, hopeless=True)
    if delivery.kind == Delivery.Kind.MAIL:
        _send(delivery)
    else:
        _post(delivery, now)


# --- Mail ---------------------------------------------------------------------------------------


def _send(delivery: Delivery) -> None:
    try:
        message = letter(delivery)
        message.message().as_bytes()  # whatever cannot be written down at all
    except (ValueError, KeyError) as fault:
        said = _("This mail cannot be written: %(why)s") % {"why": fault}
        raise NotDelivered(said, hopeless=True) from fault
    connection = get_connection()
    try:
        try:
            connection.send_messages([message])
        finally:  # it is still open when a login was refused
            connection.close()
    except smtplib.SMTPResponseException as fault:
        said = _answered(fault.smtp_code, fault.smtp_error)
        raise NotDelivered(said, hopeless=refused_for_good(fault)) from fault
    except smtplib.SMTPRecipientsRefused as fault:
        said = _answered(*next(iter(fault.recipients.values())))  # a mail has one recipient
        raise NotDelivered(said, hopeless=refused_for_good(fault)) from fault
    except (OSError, smtplib.SMTPException) as fault:
        said = _("The mail server cannot be reached: %(why)s") % {"why": fault}
        raise NotDelivered(said) from fault


def refused_for_good(fault: smtplib.SMTPException) -> bool:
    """Whether a mail server will never take this mail, or never for this recipient.

    Any other 5xx is somebody else's to mend, and holds for every mail: a greeting, a login, a
    sender or a relay that is refused. Then mails wait. RFC 5321 (4.2), RFC 3463, RFC 7504.
    """
    match fault:
        case smtplib.SMTPRecipientsRefused():
            code, words = next(iter(fault.recipients.values()))
            return code in FOR_GOOD and not OURS_TO_MEND.match(words)
        case smtplib.SMTPDataError():
            return fault.smtp_code in FOR_GOOD
        case smtplib.SMTPSenderRefused():  # the size of the mail goes with the sender's address
            return fault.smtp_code == TOO_LARGE
    return False


def _answered(code: int, error: bytes | str) -> str:
    words = error.decode("utf-8", "replace") if isinstance(error, bytes) else error
    return _("The mail server said %(code)d: %(words)s") % {"code": code, "words": words}


def letter(delivery: Delivery) -> EmailMultiAlternatives:
    """The mail of a delivery, the same at each try; ValueError when it cannot be written.

    Everything that stands in a header is looked at once more: a row may be older than a rule.
    """
    body = delivery.body
    reply_to = [one_address(body["reply_to"])] if body["reply_to"] else None
    if not body["subject"].isprintable():
        raise ValueError(_("there is a line break or a hidden character in the subject."))
    host = urlsplit(settings.SITE_URL).hostname or ""
    literal = f"[IPv6:{host}]" if ":" in host else ""
    message = EmailMultiAlternatives(
        subject=body["subject"],
        body=body["text"],
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[one_address(delivery.to)],
        reply_to=reply_to,
        headers={
            "Message-ID": f"<{delivery.public_id}@{literal or host}>",
            "Date": format_datetime(delivery.made_at),
            "Auto-Submitted": "auto-generated",  # so that no out-of-office reply comes back
        },
    )
    if body["html"]:
        message.attach_alternative(body["html"], "text/html")
    return message


# --- Webhooks -----------------------------------------------------------------------------------


def _post(delivery: Delivery, now: datetime) -> None:
    webhook = delivery.webhook
    if webhook is None:
        raise NotDelivered(_("The webhook was deleted."), hopeless=True)
    if not webhook.active and delivery.body["event"] != Webhook.TEST:
        raise NotDelivered(_("The webhook is switched off."), hopeless=True)
    body = message(delivery)
    try:
        answer = outbound.fetch(
            "POST", webhook.url, body=body, headers=signed(delivery, body, now, webhook.secrets)
        )
    except outbound.OutboundError as fault:
        raise NotDelivered(str(fault)) from fault
    if not 200 <= answer.status < 300:
        raise NotDelivered(_("It answered with status %(status)d.") % {"status": answer.status})


def message(delivery: Delivery) -> bytes:
    """What a webhook is sent: the same to the letter at each try."""
    told: dict[str, Any] = {
        "version": VERSION,
        "id": delivery.public_id,
        "event": delivery.body["event"],
        "at": delivery.made_at.isoformat(),
        "data": delivery.body["data"],
    }
    return json.dumps(told, separators=(",", ":")).encode()


def signed(
    delivery: Delivery, body: bytes, now: datetime, secrets: Sequence[str]
) -> dict[str, str]:
    """The headers of a message: its id, the time of this try, and a signature by each secret."""
    stamp = str(int(now.timestamp()))
    signatures = [signature(secret, delivery.public_id, stamp, body) for secret in secrets]
    return {
        "Content-Type": "application/json",
        "Helpdesk-Id": delivery.public_id,
        "Helpdesk-Timestamp": stamp,
        "Helpdesk-Signature": ",".join(signatures),
    }


def signature(secret: str, public_id: str, stamp: str, body: bytes) -> str:
    """HMAC-SHA256 over id, time stamp and body with dots between them, in hexadecimal.

    Before it stands which way of signing this is, so that another can be sent beside it one day.
    """
    signed = f"{public_id}.{stamp}.".encode() + body
    return "v1=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
