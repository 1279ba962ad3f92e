"""Whatever anybody typed is shown as it was typed, wherever it is shown, and never run."""

from collections.abc import Iterator
from html.parser import HTMLParser

from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from tests.base import CastTestCase, ask, count, make_staff, walk
from troubleshooter.models import (
    Cure,
    Delivery,
    Edition,
    Escalation,
    Fix,
    Guide,
    Session,
    Symptom,
    Topic,
)

# Out of a text, an attribute, a title, a script and a template; short enough for every name.
TYPED = "'\"></title></script><img src=x onerror=alert(1)>{{ 7 }}%(x)s"


class Reader(HTMLParser):
    """What a browser would make of a page: whether anything typed became markup."""

    def __init__(self) -> None:
        super().__init__()
        self.markup: list[str] = []
        self.shown = 0  # how often what was typed is there as words

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if (tag == "img" and values.get("src") == "x") or any(
            name.startswith("on") for name, _value in attrs
        ):
            self.markup.append(f"{tag} {attrs}")
        self.shown += sum(TYPED in (value or "") for value in values.values())

    def handle_data(self, data: str) -> None:
        self.shown += TYPED in data


@override_settings(SUPPORT_EMAIL="team@example.org")
class EscapingTests(CastTestCase):
    """A guide, its fixes and a visitor's words, all made of TYPED."""

    session: Session
    escalation: Escalation
    waiting: Escalation
    ada: User

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        Guide.objects.update(title=TYPED, summary=TYPED)
        Topic.objects.update(name=TYPED)
        Fix.objects.update(title=TYPED)
        Symptom.objects.update(text=TYPED)
        guide = Guide.objects.get()
        guide.contacts.update(name=TYPED, note=TYPED)
        edition = Edition.objects.publish(guide, by=None)
        cls.session = walk(Session.objects.start(edition, "unknown"), "not_fixed", "cant_find")
        cls.escalation = ask(cls.session, TYPED, name=TYPED)
        aki = make_staff("aki", "Agent")
        cls.escalation.reply(aki, TYPED)
        cls.escalation.note(aki, TYPED + " again")
        cls.escalation.add(TYPED)
        cls.escalation.close(aki, Cure.FIX, "cable")
        cls.waiting = ask(cls.session, TYPED + " once more", name=TYPED)
        cls.ada = make_staff("ada", "Administrator")

    def setUp(self) -> None:
        cache.clear()

    def assertHarmless(self, html: str, where: str, *, least: int = 1) -> None:
        reader = Reader()
        reader.feed(html)
        self.assertEqual(reader.markup, [], where)
        self.assertGreaterEqual(reader.shown, least, where)

    def visitors_pages(self) -> Iterator[str]:
        yield from ("/", "/?q=onerror", "/g/printer-offline/")
        url = self.session.url
        yield from (url, f"{url}cable/", f"{url}end/", f"{url}person/", self.escalation.url)

    def test_on_visitors_pages(self) -> None:
        for url in self.visitors_pages():
            page = self.client.get(url, follow=True)
            self.assertEqual(page.status_code, 200, url)
            self.assertHarmless(page.content.decode(), url)

    def test_in_a_form_that_comes_back(self) -> None:
        form = {"message": TYPED, "email": TYPED, "phone": TYPED, "name": TYPED}
        page = self.client.post(f"{self.session.url}person/", form)
        self.assertEqual(page.status_code, 422)
        self.assertHarmless(page.content.decode(), "the form", least=4)

    def test_on_the_pages_of_agents_and_of_numbers(self) -> None:
        queue = reverse("admin:troubleshooter_escalation_changelist")
        ones = [
            reverse("admin:troubleshooter_escalation_change", args=[each.pk])
            for each in (self.escalation, self.waiting)
        ]
        staff = Client()
        staff.force_login(self.ada)
        for url in (queue, f"{queue}?tab=closed", *ones, "/escalation-numbers/", "/numbers/"):
            self.assertHarmless(staff.get(url).content.decode(), url)
        asked = staff.get(queue, {"q": TYPED}).content.decode()
        self.assertHarmless(asked, "a search", least=2)

    def test_in_what_the_desk_says_after_a_press(self) -> None:
        staff = Client()
        staff.force_login(self.ada)
        url = reverse("admin:troubleshooter_escalation_change", args=[self.waiting.pk])
        for act in (
            {"act": "note", "note-text": TYPED},
            {"act": "reply", "reply-text": TYPED},
            {"act": "close", "close-cure": "new"},
        ):
            page = staff.post(url, act, follow=True)
            self.assertEqual(page.status_code, 200)
            self.assertHarmless(page.content.decode(), str(act))

    def test_in_the_files_of_escalations_no_cell_is_a_formula(self) -> None:
        Guide.objects.update(title="=1+1")
        Edition.objects.publish(Guide.objects.get(), by=None)
        count()
        staff = Client()
        staff.force_login(self.ada)
        response = staff.get("/escalation-numbers/guides.csv")
        text = b"".join(response).decode()
        self.assertIn("'=1+1", text)
        self.assertNotIn('"=1+1', text)

    def test_in_mails(self) -> None:
        self.assertTrue(Delivery.objects.exists())
        for mail in Delivery.objects.all():
            self.assertNotIn("onerror", mail.body["subject"])
            reader = Reader()
            reader.feed(mail.body["html"])
            self.assertEqual(reader.markup, [])

    def test_in_the_outbox_when_a_mail_server_repeats_it(self) -> None:
        mail = Delivery.objects.order_by("pk")[0]
        mail.failed(timezone.now(), TYPED, 0.5, hopeless=True)
        staff = Client()
        staff.force_login(self.ada)
        for page in ("changelist", "change"):
            args = [mail.pk] if page == "change" else []
            url = reverse(f"admin:troubleshooter_delivery_{page}", args=args)
            self.assertHarmless(staff.get(url).content.decode(), url)
