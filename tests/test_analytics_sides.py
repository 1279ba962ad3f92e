"""Sessions told apart by what they are alike in, and two sets of them beside each other."""

from datetime import UTC, date, datetime, timedelta

from tests.base import count, walk
from tests.test_analytics import (
    NumbersTestCase,
    change,
    make_german_guide,
    publish_again,
    quiet_since,
    revise,
)
from troubleshooter import analytics
from troubleshooter.analytics import Endings, Filter, FixPair, GroupRow
from troubleshooter.analytics.filters import REAL
from troubleshooter.evidence import rate
from troubleshooter.flow import Outcome
from troubleshooter.models import Edition, Guide, Session

NOON = datetime(2026, 3, 7, 12, tzinfo=UTC)


class GroupsTests(NumbersTestCase):
    def test_the_same_sessions_are_told_apart_in_four_ways(self) -> None:
        german = Edition.objects.publish(make_german_guide(), by=None)
        walk(Session.objects.start(self.edition, "offline", platform="ios"), "fixed")
        walk(Session.objects.start(self.edition, "offline"), "not_fixed")
        walk(Session.objects.start(german, "", platform="mac"), "fixed")
        quiet_since(Session.objects.start(german, "", platform="ios"), self.now)
        found = self.numbers.groups("printer")
        offline, none = Endings(confirmed=1, assumed=1), Endings(confirmed=1, under_way=1)
        self.assertEqual(
            found.symptoms,
            (
                GroupRow("", "", {}, none),
                GroupRow("offline", "It says offline", {"symptom": "offline"}, offline),
            ),
        )
        self.assertEqual(
            found.platforms,
            (
                GroupRow(
                    "ios",
                    "iPhone or iPad",
                    {"platform": "ios"},
                    Endings(confirmed=1, under_way=1),
                ),
                GroupRow("", "", {}, Endings(assumed=1)),
                GroupRow("mac", "Mac", {"platform": "mac"}, Endings(confirmed=1)),
            ),
        )
        self.assertEqual(
            found.editions,
            (
                GroupRow("de-1", "1", {"edition": "1", "language": "de"}, none),
                GroupRow("en-1", "1", {"edition": "1", "language": "en"}, offline),
            ),
        )
        self.assertEqual(
            found.languages,
            (
                GroupRow("de", "de", {"language": "de"}, none),
                GroupRow("en", "en", {"language": "en"}, offline),
            ),
        )

    def test_the_newest_edition_comes_first(self) -> None:
        self.start(), self.start()
        revise("cable", "Change the cable")
        walk(Session.objects.start(publish_again(self.guide), ""), "fixed")
        editions = self.numbers.groups("printer").editions
        self.assertEqual([row.key for row in editions], ["en-2", "en-1"])

    def test_the_rate_is_of_those_that_have_ended(self) -> None:
        endings = Endings(confirmed=2, exhausted=1, assumed=1, left=1, under_way=7)
        self.assertEqual((endings.ended, endings.confirmed_rate), (5, rate(2, 5)))
        self.assertIsNone(Endings(under_way=1).confirmed_rate)

    def test_it_is_filtered(self) -> None:
        walk(Session.objects.start(self.edition, "offline", platform="ios"), "fixed")
        self.start()
        found = self.numbers.groups("printer", Filter(platform="ios"))
        self.assertEqual([row.key for row in found.symptoms], ["offline"])
        self.assertEqual(self.numbers.groups("toaster").platforms, ())

    def test_it_takes_the_same_statements_however_many_groups_there_are(self) -> None:
        self.start()
        self.numbers.groups("printer")  # the process has read the edition
        with self.assertStatements(4):
            analytics.groups("printer")
        for platform in Session.Platform.values:
            Session.objects.start(self.edition, "offline", platform=platform)
        count(self.now)
        with self.assertStatements(4):
            self.assertEqual(len(analytics.groups("printer").platforms), 8)


class BesideTests(NumbersTestCase):
    ios, mac = Filter(platform="ios"), Filter(platform="mac")

    def start_on(self, platform: str) -> Session:
        return Session.objects.start(self.edition, "", platform=platform)

    def test_each_side_is_counted_by_itself(self) -> None:
        walk(self.start_on("ios"), "not_fixed", "fixed")
        change(walk(self.start_on("ios"), "not_fixed"), 1, Outcome.FIXED)
        walk(self.start_on("ios"), "afraid")
        quiet_since(walk(self.start_on("ios"), "not_fixed"), self.now)
        walk(self.start_on("mac"), "not_fixed")
        self.start_on("linux")
        found = self.numbers.beside("printer", (self.ios, self.mac))
        self.assertEqual(found.a.endings, Endings(confirmed=2, assumed=1, under_way=1))
        self.assertEqual(found.b.endings, Endings(assumed=1))
        self.assertEqual((found.a.tries, found.b.tries), (3, 1))
        self.assertEqual((found.a.mean_tries, found.b.mean_tries), (1, 1))
        self.assertEqual(found.a.times and found.a.times.n, 2)
        self.assertIsNone(found.b.times)
        self.assertEqual(found.shared, 0)

    def test_the_fixes_that_somebody_tried_stand_beside_each_other(self) -> None:
        walk(self.start_on("ios"), "not_fixed", "fixed")
        walk(self.start_on("mac"), "fixed")
        walk(self.start_on("mac"), "not_fixed", "afraid")
        found = self.numbers.beside("printer", (self.ios, self.mac))
        self.assertEqual(
            found.fixes,
            (
                FixPair("cable", 1, "Check the cable", rate(0, 1), rate(1, 2)),
                FixPair("restart", 1, "Restart the computer", rate(1, 1), None),
            ),
        )

    def test_revisions_are_different_remedies(self) -> None:
        walk(self.start(), "fixed")
        revise("cable", "Change the cable")
        walk(Session.objects.start(publish_again(self.guide), ""), "not_fixed")
        found = self.numbers.beside("printer", (Filter(edition=1), Filter(edition=2)))
        self.assertEqual(
            found.fixes,
            (
                FixPair("cable", 2, "Change the cable", None, rate(0, 1)),
                FixPair("cable", 1, "Check the cable", rate(1, 1), None),
            ),
        )

    def test_sessions_on_both_sides_are_told(self) -> None:
        self.start_on("ios"), self.start_on("ios"), self.start_on("mac")
        found = self.numbers.beside("printer", (Filter(), self.ios))
        self.assertEqual(found.shared, 2)

    def test_nothing_ended_has_no_mean(self) -> None:
        found = self.numbers.beside("printer", (self.ios, self.mac))
        self.assertIsNone(found.a.mean_tries)

    def test_two_periods_of_whole_days_meet_without_sharing_one(self) -> None:
        before, last = analytics.two_periods(NOON, self.ios)
        self.assertEqual(
            (before.from_day, before.to_day, last.from_day, last.to_day),
            (date(2026, 1, 10), date(2026, 2, 6), date(2026, 2, 7), date(2026, 3, 6)),
        )
        self.assertEqual(
            last.to_day and last.from_day and last.to_day - last.from_day, timedelta(days=27)
        )
        self.assertEqual({before.platform, last.platform}, {"ios"})

    def two_editions(self, only: Filter = REAL) -> tuple[tuple[str, int | None], ...] | None:
        found = analytics.two_editions("printer", only)
        return found and tuple((side.language, side.edition) for side in found)

    def test_the_live_edition_stands_beside_the_one_before(self) -> None:
        self.assertIsNone(self.two_editions())
        for title in ("Change the cable", "Mend the cable"):
            revise("cable", title)
            publish_again(self.guide)
        self.assertEqual(self.two_editions(), (("en", 2), ("en", 3)))
        Edition.objects.unpublish(Guide.objects.get(pk=self.guide.pk))
        self.assertIsNone(self.two_editions())

    def test_the_editions_are_of_one_language(self) -> None:
        german = make_german_guide()
        Edition.objects.publish(german, by=None)
        self.assertIsNone(self.two_editions())
        german.title = "Der Drucker druckt nicht"
        german.save()
        publish_again(german)
        self.assertEqual(self.two_editions(), (("de", 1), ("de", 2)))
        self.assertIsNone(self.two_editions(Filter(language="en")))
        revise("driver", "Load the driver")
        publish_again(self.guide)
        self.assertEqual(self.two_editions(), (("en", 1), ("en", 2)))  # the site's own
        self.assertEqual(self.two_editions(Filter(language="de")), (("de", 1), ("de", 2)))
