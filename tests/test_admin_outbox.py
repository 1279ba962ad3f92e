"""The desk's view of what leaves: webhooks for administrators, deliveries for all staff."""

import re
from typing import Any

from django.core.checks import run_checks
from django.test import override_settings
from django.utils import timezone

from tests.test_admin import HOSTILE, DeskTestCase, admin_url
from troubleshooter.models import Delivery, Webhook
from troubleshooter.models.deliveries import LEASE

FORM = {"name": "Tickets", "url": "https://tickets.example/in?key=sesame", "on_session": "on"}
WEBHOOKS = admin_url("webhook", "changelist")
DELIVERIES = admin_url("delivery", "changelist")


def make_mail(**body: str) -> Delivery:
    words = {"subject": "Help", "text": "It does not print."}
    return Delivery.objects.mail(to="aki@desk.example", **(words | body))


class OutboxTestCase(DeskTestCase):
    def setUp(self) -> None:
        self.client.force_login(self.ada)

    def webhook(self, **fields: Any) -> Webhook:
        return Webhook.objects.create(**{"name": "Tickets", "url": FORM["url"]} | fields)

    def add(self, **changed: str) -> str:
        """Fill in the form; the page it leads to."""
        response = self.client.post(admin_url("webhook", "add"), FORM | changed, follow=True)
        self.assertEqual(response.status_code, 200)
        return response.content.decode()

    def secret_url(self, webhook: Webhook) -> str:
        return admin_url("webhook", "secret", webhook.pk)


class WebhookTests(OutboxTestCase):
    def test_its_secret_is_shown_once_to_whoever_made_it(self) -> None:
        html = self.add()
        webhook = Webhook.objects.get()
        self.assertTrue(webhook.on_session)
        self.assertFalse(webhook.on_escalation)
        self.assertIn(webhook.secret, html)
        self.assertNotIn(webhook.secret, self.html(self.secret_url(webhook)))
        for page in (WEBHOOKS, admin_url("webhook", "change", webhook.pk)):
            self.assertNotIn(webhook.secret, self.html(page))
        self.assertNotIn("sesame", self.html(WEBHOOKS))

    def test_a_new_secret_is_shown_once_and_the_log_has_none(self) -> None:
        webhook = self.webhook()
        old = webhook.secret
        html = self.html(self.secret_url(webhook), act="renew")
        webhook.refresh_from_db()
        self.assertEqual(webhook.old_secret, old)
        self.assertIn(webhook.secret, html)
        self.assertNotIn(old, html)
        pages = [admin_url("webhook", page, webhook.pk) for page in ("history", "change", "delete")]
        for page in (self.secret_url(webhook), WEBHOOKS, *pages):
            for secret in webhook.secrets:
                self.assertNotIn(secret, self.html(page))

    def test_the_old_secret_signs_until_it_is_retired(self) -> None:
        webhook = self.webhook()
        page = self.secret_url(webhook)
        self.assertNotIn('value="Retire the old secret"', self.html(page))
        html = self.html(page, act="renew")
        self.assertIn('value="Retire the old secret"', html)
        self.assertNotIn('value="Make a new secret"', html)
        self.assertIn("Two secrets sign already", self.text(page, act="renew"))
        self.assertIn("signs nothing any more", self.text(page, act="retire"))
        webhook.refresh_from_db()
        self.assertEqual(len(webhook.secrets), 1)
        self.assertNotIn("signs nothing any more", self.text(page, act="retire"))
        said = self.text(admin_url("webhook", "history", webhook.pk))
        self.assertEqual(said.count("The old secret is retired"), 1)

    def test_the_secret_of_one_is_not_shown_on_the_page_of_another(self) -> None:
        first, second = self.webhook(), self.webhook()
        self.client.post(self.secret_url(first), {"act": "renew"})
        first.refresh_from_db()
        self.assertNotIn(first.secret, self.html(self.secret_url(second)))

    def test_a_test_goes_into_the_outbox(self) -> None:
        webhook = self.webhook(active=False)
        text = self.text(self.secret_url(webhook), act="test")
        made = Delivery.objects.get()
        self.assertEqual((made.webhook, made.body), (webhook, {"event": "test", "data": {}}))
        self.assertIn(made.public_id, text)

    def test_an_address_that_is_never_asked_is_refused_with_a_sentence(self) -> None:
        for url, sentence in [
            ("http://tickets.example/", "http is not allowed here"),
            ("https://erin:secret@tickets.example/", "must not have a user name"),
            ("https://tickets.example:22/", "Only the ports 80 and 443"),
            ("javascript:alert(1)", "Only web addresses"),
            ("https://tickets.example/\x00", "Null characters are not allowed"),
        ]:
            with self.subTest(url=url):
                self.assertIn(sentence, self.add(url=url))
        self.assertFalse(Webhook.objects.exists())

    def test_it_can_be_deleted_and_what_was_sent_stays_in_the_list(self) -> None:
        webhook = self.webhook()
        Delivery.objects.test(webhook)
        self.html(admin_url("webhook", "delete", webhook.pk), post="yes")
        self.assertFalse(Webhook.objects.exists())
        self.assertIn("tickets.example", self.text(DELIVERIES))

    def test_only_administrators_see_them(self) -> None:
        webhook = self.webhook()
        pages = [WEBHOOKS, admin_url("webhook", "add"), self.secret_url(webhook)]
        pages += [admin_url("webhook", page, webhook.pk) for page in ("change", "delete")]
        for user in (self.erin, self.arno):
            self.client.force_login(user)
            for page in pages:
                self.assertEqual(self.client.get(page).status_code, 403, page)
            for act in ("renew", "retire", "test"):
                response = self.client.post(self.secret_url(webhook), {"act": act})
                self.assertEqual(response.status_code, 403)
        webhook.refresh_from_db()
        self.assertFalse(Delivery.objects.exists())


@override_settings(EMAIL_HOST="mail.example")
class DeliveryTests(OutboxTestCase):
    def retry(self, *chosen: Delivery) -> Any:
        data = {"action": "try_again", "_selected_action": [row.pk for row in chosen]}
        return self.client.post(DELIVERIES, data, follow=True)

    def test_the_list_says_what_came_of_each_and_never_what_it_said(self) -> None:
        made = make_mail(subject=HOSTILE)
        made.failed(timezone.now(), f"The mail server said 451: {HOSTILE}", 0.5)
        Delivery.objects.update(leased_until=None)
        for user in (self.ada, self.erin, self.arno):
            self.client.force_login(user)
            html = self.html(DELIVERIES)
            self.assertNotIn("<script>alert", html)
            text = self.text(DELIVERIES)
            self.assertIn("The mail server said 451", text)
            self.assertIn("waiting", text)
            page = self.text(admin_url("delivery", "change", made.pk))
            self.assertIn("aki@desk.example", page)
            self.assertNotIn("It does not print", text + page)

    def test_its_queries_do_not_grow_with_rows(self) -> None:
        webhook = self.webhook()
        Delivery.objects.test(webhook)
        self.client.get(DELIVERIES)
        with self.assertStatements(8):
            self.client.get(DELIVERIES)
        for _number in range(5):
            Delivery.objects.test(webhook)
        with self.assertStatements(8):
            self.client.get(DELIVERIES)

    def test_an_administrator_tries_those_given_up_and_those_that_wait_again(self) -> None:
        dead, waiting, done, leased = (make_mail() for _each in range(4))
        dead.failed(timezone.now(), "No.", 0.5, hopeless=True)
        waiting.failed(timezone.now(), "Away.", 0.5)
        done.delivered(timezone.now())
        Delivery.objects.filter(pk=leased.pk).update(leased_until=timezone.now() + LEASE)
        response = self.retry(dead, waiting, done, leased)
        self.assertContains(response, "2 messages are tried again")
        due = Delivery.objects.lease(timezone.now(), 10)
        self.assertEqual({row.pk for row in due}, {dead.pk, waiting.pk})

    def test_editors_and_agents_only_look(self) -> None:
        dead = make_mail()
        dead.failed(timezone.now(), "No.", 0.5, hopeless=True)
        for user in (self.erin, self.arno):
            self.client.force_login(user)
            self.assertNotIn("Try again", self.html(DELIVERIES))
            self.retry(dead)
            for page in ("delete", "change"):
                url = admin_url("delivery", page, dead.pk)
                self.assertEqual(self.client.post(url, {"post": "yes"}).status_code, 403)
        dead.refresh_from_db()
        self.assertEqual(dead.state, "dead")

    def test_the_front_page_tells_of_those_given_up(self) -> None:
        dead = make_mail()
        self.assertNotIn("Not delivered", self.text("/admin/"))
        dead.failed(timezone.now(), "No.", 0.5, hopeless=True)
        for user in (self.ada, self.erin, self.arno):
            self.client.force_login(user)
            html = self.html("/admin/")
            self.assertIn("Not delivered: one message was given up", html)
            [link] = re.findall(r'href="([^"]*state__exact=dead)"', html)
            self.assertIn(dead.public_id, self.text(link))

    def test_it_says_that_mail_waits_while_it_is_not_set_up(self) -> None:
        make_mail()
        self.assertNotIn("Mail is not set up", self.text(DELIVERIES))
        with override_settings(EMAIL_HOST=""):
            self.assertIn("Mail is not set up, so 1 mail waits", self.text(DELIVERIES))


class CheckTests(DeskTestCase):
    def test_the_check_says_that_mail_waits_and_does_not_fail(self) -> None:
        for host, ids in (("", ["troubleshooter.I001"]), ("mail.example", [])):
            with override_settings(EMAIL_HOST=host):
                found = [said for said in run_checks() if said.id == "troubleshooter.I001"]
            self.assertEqual([said.id for said in found], ids)
            self.assertFalse([said for said in found if said.is_serious()])
