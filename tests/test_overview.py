"""All guides in one table: by hand, against a plain recount, and as the page says it."""

import csv
import json
import random
import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from unittest import TestCase as PlainTestCase
from zoneinfo import ZoneInfo

from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.base import CastTestCase, answer_current, ask, count, make_fix, walk
from tests.test_dashboards import NUMBERS, NumbersPageTestCase
from troubleshooter import analytics, flow
from troubleshooter.analytics import Ending, Endings, Filter, GuideRow
from troubleshooter.dashboards.base import ROWS_PER_PAGE
from troubleshooter.dashboards.filters import PeriodForm
from troubleshooter.dashboards.looks import first_looks
from troubleshooter.dashboards.overview import Line, signed
from troubleshooter.dashboards.sorting import Column, Sorting
from troubleshooter.flow import Outcome, Reason, Status
from troubleshooter.models import (
    Edition,
    Fix,
    Guide,
    Placement,
    Session,
    Step,
    Topic,
    idle_for,
    outline,
)

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)
IDLE = idle_for()


def make_guide(key: str, title: str, *fixes: str, topic: str = "printer") -> Guide:
    """A published guide that holds these fixes, which may be there already."""
    place, _made = Topic.objects.get_or_create(slug=topic, defaults={"name": topic.title()})
    guide = Guide.objects.create(key=key, slug=key, topic=place, title=title, summary="…")
    for position, fix_key in enumerate(fixes, start=1):
        fix = Fix.objects.filter(key=fix_key, language="en").first()
        fix = fix or make_fix(fix_key, f"Try {fix_key}", "Do it.")
        Placement.objects.create(guide=guide, fix=fix, position=position)
    publish(guide)
    return guide


def make_german_guide() -> Guide:
    """The printer guide in German: the same keys, two of its fixes, in another order."""
    guide = Guide.objects.create(
        key="printer",
        language="de",
        topic=Topic.objects.get(slug="printer"),
        slug="drucker",
        title="Der Drucker ist offline",
        summary="…",
    )
    for position, (key, title) in enumerate(
        (("restart", "Computer neu starten"), ("cable", "Kabel prüfen")), start=1
    ):
        fix = Fix.objects.create(key=key, language="de", title=title, minutes=1)
        Step.objects.create(key=f"{key}1", fix=fix, text="Los.")
        Placement.objects.create(guide=guide, fix=fix, position=position)
    publish(guide)
    return guide


def publish(guide: Guide) -> Edition:
    return Edition.objects.publish(Guide.objects.get(pk=guide.pk), by=None)


def live(key: str, language: str = "en") -> Edition:
    return Edition.objects.live().get(guide__key=key, language=language)


def at(session: Session, moment: datetime, **fields: object) -> Session:
    """Let a session have happened at another time."""
    Session.objects.filter(pk=session.pk).update(started_at=moment, last_answer_at=moment, **fields)
    return session


class WorldTestCase(CastTestCase):
    """Three guides in two topics and two languages that share fixes, and random visitors."""

    SESSIONS = 300

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        chance = random.Random(2026)
        make_german_guide()
        make_guide("scanner", "Scans are blue", "restart", "glass", "cable", topic="scanner")
        make_guide("copier", "Copies are grey", "cable", "toner")
        for nth in range(cls.SESSIONS):
            if nth == cls.SESSIONS // 2:
                cls.change()
            editions = list(Edition.objects.live().order_by("pk"))
            cls.wander(chance, chance.choice(editions), asks=nth % 6 == 0)

    @classmethod
    def change(cls) -> None:
        """A fix becomes another, one is taken out and deleted, and one guide is withdrawn."""
        Fix.objects.filter(key="cable", language="en").update(revision=2, title="Change the cable")
        cls.guide.placements.filter(fix__key="driver").delete()
        Fix.objects.get(key="driver").delete()
        publish(cls.guide)
        publish(Guide.objects.get(key="scanner"))
        Edition.objects.withdraw(Guide.objects.get(key="copier"), "It can give a shock.")

    @classmethod
    def wander(cls, chance: random.Random, edition: Edition, *, asks: bool) -> None:
        session = Session.objects.start(edition, "", platform=chance.choice(["ios", "mac", ""]))
        for _nth in range(chance.randrange(7)):
            if session.status == Status.OPEN and chance.random() < 0.85:
                answers = ["fixed", "not_fixed", "cant_find", "afraid"]
                answer_current(session, chance.choices(answers, [2, 5, 2, 1])[0])
                continue
            row = chance.choice(session.rows)
            outcome = chance.choice(list(Outcome))
            reason = chance.choice(Reason.values) if outcome is Outcome.SKIPPED else ""
            session.record(row.seq, row.fix_key, outcome, reason, change=True, agreed=True)
        if asks:
            ask(session)
        started = NOON - chance.random() * timedelta(days=150)
        idle = chance.choice([timedelta(minutes=10), *[2 * IDLE] * 4])
        Session.objects.filter(pk=session.pk).update(
            started_at=started,
            last_answer_at=NOON - idle,
            channel=chance.choice([*["web"] * 6, Session.SIMULATED]),
        )

    @staticmethod
    def any_filter(chance: random.Random) -> Filter:
        first, last = sorted(NOON.date() - timedelta(days=chance.randrange(120)) for _ in "ab")
        return Filter(
            platform=chance.choice(["", "", "ios", "mac"]),
            language=chance.choice(["", "", "en", "de"]),
            topic=chance.choice(["", "", "printer", "scanner"]),
            from_day=chance.choice([None, first, first]),
            to_day=chance.choice([None, last]),
            simulated=chance.choice([False, True]),
        )

    @staticmethod
    def lets_through(only: Filter, session: Session) -> bool:
        """All of the filter but its days."""
        return (
            (not only.platform or session.platform == only.platform)
            and (not only.language or session.language == only.language)
            and (not only.topic or session.edition.guide.topic.slug == only.topic)
            and (only.simulated or session.channel != "simulated")
        )

    @staticmethod
    def in_days(session: Session, first: date | None, last: date | None) -> bool:
        day = timezone.localdate(session.started_at)
        return (first is None or day >= first) and (last is None or day <= last)

    @staticmethod
    def sessions() -> list[Session]:
        return list(Session.objects.select_related("edition__guide__topic"))


def ending(session: Session) -> Ending:
    """The population rule as DESIGN.md tells it, replayed from the attempts."""
    match session.next:
        case flow.Resolved():
            return Ending.CONFIRMED
        case _ if session.escalations.exists():
            return Ending.ESCALATED
        case flow.Exhausted():
            return Ending.EXHAUSTED
    if NOON - session.last_answer_at < IDLE:
        return Ending.UNDER_WAY
    last = session.rows[-1]
    if session.withdrawn or last.outcome or session.reading.by_key[last.fix_key].loses_data:
        return Ending.LEFT
    return Ending.ASSUMED


class RecountTests(WorldTestCase):
    def test_the_overview_agrees_with_a_plain_recount(self) -> None:
        chance = random.Random(8)
        told = [(session, ending(session)) for session in self.sessions()]
        seen: Counter[str] = Counter()
        with timezone.override("America/New_York"):
            count(NOON)
            today = timezone.localdate(NOON)
            for _nth in range(40):
                only = self.any_filter(chance)
                passed = [each for each in told if self.lets_through(only, each[0])]
                with self.subTest(only=only):
                    for row in analytics.traffic(NOON, only):
                        mine = [
                            each for each in passed if each[0].edition.guide.key == row.guide.key
                        ]
                        now = [
                            how
                            for each, how in mine
                            if self.in_days(each, only.from_day, only.to_day)
                        ]
                        self.assertEqual(+Counter(dict(row.guide.endings.pairs)), Counter(now))
                        last = min(only.to_day or today, today)
                        self.assertEqual(row.weeks, self.weeks([each for each, _how in mine], last))
                        compared = self.compared(mine, only.from_day, only.to_day, today)
                        self.assertEqual((row.whole, row.before), compared)
                        seen.update(now)
                        seen["whole"] += row.whole or 0
                        seen["before"] += row.before or 0
        # Or the recount would prove little.
        self.assertEqual(set(seen), {*Ending, "whole", "before"})
        self.assertGreater(min(seen.values()), 20)

    @staticmethod
    def weeks(sessions: list[Session], last: date) -> tuple[int, ...]:
        ago = Counter((last - timezone.localdate(each.started_at)).days // 7 for each in sessions)
        return tuple(ago[week] for week in range(11, -1, -1))

    @classmethod
    def compared(
        cls,
        mine: list[tuple[Session, Ending]],
        first: date | None,
        last: date | None,
        today: date,
    ) -> tuple[int | None, int | None]:
        """The sessions on the days of a period that are over, and on as many before."""
        days = [today - timedelta(days=ago) for ago in range(1, 300)]
        over = [day for day in days if first and first <= day <= (last or day)]
        if not over:
            return None, None
        before = [day - timedelta(days=len(over)) for day in over]
        started = Counter(timezone.localdate(session.started_at) for session, _how in mine)
        return sum(started[day] for day in over), sum(started[day] for day in before)

    def test_guides_that_the_filter_has_nothing_to_do_with_are_left_out(self) -> None:
        count(NOON)

        def keys(only: Filter) -> set[str]:
            return {row.guide.key for row in analytics.traffic(NOON, only)}

        self.assertEqual(keys(Filter()), {"printer", "scanner", "copier"})
        self.assertEqual(keys(Filter(topic="scanner")), {"scanner"})
        self.assertEqual(keys(Filter(language="de")), {"printer"})
        old = Filter(to_day=date(2020, 1, 1))
        self.assertEqual(keys(old), {"printer", "scanner"})  # the copier is not live


class TrafficTests(CastTestCase):
    def row(self, only: Filter, now: datetime = NOON) -> analytics.TrafficRow:
        count(now)
        [row] = analytics.traffic(now, only)
        return row

    def test_the_change_is_of_whole_days_against_as_many_before(self) -> None:
        only = Filter(from_day=date(2026, 11, 17))  # six whole days, and today
        for moment, counted in (
            (datetime(2026, 11, 11, 0, 0, tzinfo=UTC) - MOMENT, (0, 0)),
            (datetime(2026, 11, 11, 0, 0, tzinfo=UTC), (0, 1)),
            (datetime(2026, 11, 17, 0, 0, tzinfo=UTC) - MOMENT, (0, 1)),
            (datetime(2026, 11, 17, 0, 0, tzinfo=UTC), (1, 0)),
            (datetime(2026, 11, 23, 0, 0, tzinfo=UTC) - MOMENT, (1, 0)),
            (datetime(2026, 11, 23, 0, 0, tzinfo=UTC), (0, 0)),
        ):
            with self.subTest(moment=moment):
                at(self.start(), moment)
                row = self.row(only)
                self.assertEqual((row.whole, row.before), counted)
                self.assertEqual(row.change, counted[0] - counted[1])
                Session.objects.all().delete()

    def test_a_period_without_a_whole_day_is_held_against_nothing(self) -> None:
        at(self.start(), NOON)
        row = self.row(Filter(from_day=NOON.date()))
        self.assertEqual((row.guide.endings.total, row.before, row.change), (1, None, None))

    def test_a_period_that_is_over_is_held_against_whole_days(self) -> None:
        only = Filter(from_day=date(2026, 11, 20), to_day=date(2026, 11, 21))
        at(self.start(), datetime(2026, 11, 19, 23, 59, tzinfo=UTC))
        at(self.start(), datetime(2026, 11, 18, 0, 0, tzinfo=UTC))
        at(self.start(), datetime(2026, 11, 21, 0, 0, tzinfo=UTC))
        row = self.row(only)
        self.assertEqual((row.guide.endings.total, row.before, row.change), (1, 2, -1))

    def test_without_a_beginning_there_is_nothing_to_compare_with(self) -> None:
        for only in (Filter(), Filter(to_day=NOON.date()), Filter(from_day=date(2027, 1, 1))):
            with self.subTest(only=only):
                row = self.row(only)
                self.assertEqual((row.before, row.change), (None, None))

    def test_any_days_can_be_asked_for(self) -> None:
        first, last = date(1970, 1, 1), date(9998, 12, 31)
        for only in (Filter(from_day=first, to_day=last), Filter(to_day=first)):
            with self.subTest(only=only):
                self.assertEqual(self.row(only).weeks, (0,) * 12)

    def test_a_week_ends_with_the_last_day_of_the_period(self) -> None:
        at(self.start(), datetime(2026, 11, 16, 23, 59, tzinfo=UTC))
        at(self.start(), datetime(2026, 11, 17, 0, 0, tzinfo=UTC))
        at(self.start(), datetime(2026, 9, 1, 0, 0, tzinfo=UTC))
        at(self.start(), datetime(2026, 8, 31, 23, 59, tzinfo=UTC))
        self.assertEqual(self.row(Filter()).weeks, (1, *[0] * 9, 1, 1))
        days = analytics.weeks(NOON, Filter())
        self.assertEqual(
            (days[0][0], days[-1]), (date(2026, 9, 1), (date(2026, 11, 17), NOON.date()))
        )
        self.assertEqual(self.row(Filter(to_day=date(2026, 11, 16))).weeks[-1], 1)
        self.assertEqual(self.row(Filter(from_day=NOON.date())).weeks[0], 1)

    def test_days_are_those_of_the_sites_time_zone(self) -> None:
        berlin = ZoneInfo("Europe/Berlin")
        at(self.start(), datetime(2026, 11, 17, 0, 30, tzinfo=berlin))
        for zone, last_week in (("UTC", 0), ("Europe/Berlin", 1)):
            with self.subTest(zone=zone), timezone.override(zone):
                self.assertEqual(self.row(Filter()).weeks[-1], last_week)

    def test_a_guide_says_its_topic(self) -> None:
        make_german_guide()
        other = Topic.objects.create(slug="de", name="Drucker")
        for language in ("de", "es"):  # before and after English in the alphabet
            Guide.objects.exclude(language="en").update(language=language, topic=other)
            self.assertEqual(self.row(Filter()).topic, "Printer")


class RatesTests(PlainTestCase):
    def test_shares_are_of_what_ended(self) -> None:
        endings = Endings(confirmed=3, exhausted=1, assumed=1, left=1, under_way=14)
        confirmed = endings.rate(Ending.CONFIRMED)
        assert confirmed
        self.assertEqual((endings.ended, confirmed.good, confirmed.n), (6, 3, 6))
        self.assertEqual(
            [(way, sessions) for way, sessions, _rate in endings.rates], endings.pairs[:-1]
        )
        self.assertIsNone(Endings(under_way=2).rate(Ending.LEFT))


class LineTests(PlainTestCase):
    def test_the_highest_week_is_near_the_top_and_none_is_on_the_ground(self) -> None:
        line = Line((0, 4, 2))
        self.assertEqual(line.points, "0,21.0 10,3.0 20,12.0")
        self.assertIn('cx="20" cy="12.0"', line.drawing)
        self.assertIn("0, 4, 2.", line.in_words)

    def test_no_sessions_are_a_flat_line(self) -> None:
        self.assertEqual(Line((0, 0)).points, "0,21.0 10,21.0")

    def test_a_change_is_written_with_its_sign(self) -> None:
        self.assertEqual([signed(change) for change in (3, -3, 0, None)], ["+3", "−3", "0", ""])


class SortingTests(PlainTestCase):
    ROWS = (("a", 2), ("b", None), ("c", 1), ("d", 2))
    COLUMNS = {
        "name": Column[tuple[str, int | None]]("Name", lambda row: row[0], number=False),
        "many": Column[tuple[str, int | None]]("Many", lambda row: row[1]),
    }

    def sorting(self, asked: str) -> Sorting[tuple[str, int | None]]:
        return Sorting(asked, self.COLUMNS, "-many")

    def order(self, asked: str) -> str:
        return "".join(name for name, _many in self.sorting(asked).of(self.ROWS))

    def test_rows_come_as_asked_and_what_is_not_known_comes_last(self) -> None:
        for asked, order in (("", "adcb"), ("many", "cadb"), ("name", "abcd"), ("-name", "dcba")):
            with self.subTest(asked=asked):
                self.assertEqual(self.order(asked), order)
                self.assertEqual(self.sorting(asked).sentence, "")

    def test_a_column_that_is_not_there_gets_the_usual_order_and_a_sentence(self) -> None:
        for asked in ("toast", "--many", "-", "many ", "\x00", "9" * 5000):
            with self.subTest(asked=asked[:20]):
                self.assertEqual(self.order(asked), "adcb")
                self.assertIn(f"no column “{asked}”", self.sorting(asked).sentence)

    def test_each_head_leads_to_the_other_direction_and_keeps_the_filter(self) -> None:
        for asked, heads in (
            ("", [("p=1&sort=name", ""), ("p=1&sort=many", "descending")]),
            ("name", [("p=1&sort=-name", "ascending"), ("p=1&sort=-many", "")]),
        ):
            with self.subTest(asked=asked):
                found = [(head.query, head.sorted) for head in self.sorting(asked).heads("p=1")]
                self.assertEqual(found, heads)
        self.assertEqual(self.sorting("name").query(""), "sort=name")


class LooksTests(PlainTestCase):
    def looks(self, *endings: Endings) -> list[str]:
        return first_looks(
            [GuideRow(str(nth), f"G{nth}", True, each) for nth, each in enumerate(endings)]
        )

    def test_the_guide_that_most_often_ran_out_of_fixes_is_named(self) -> None:
        [said] = self.looks(Endings(exhausted=2, left=9), Endings(exhausted=12, left=18))
        self.assertIn("“G1”: in 12 of its 30 sessions", said)

    def test_it_is_not_named_when_chance_may_have_made_it_the_first(self) -> None:
        for endings in (
            (Endings(exhausted=14), Endings(exhausted=13)),
            (Endings(exhausted=4), Endings()),
            (Endings(exhausted=40),),
            (Endings(), Endings()),
            (),
        ):
            with self.subTest(endings=endings):
                self.assertEqual(self.looks(*endings), [])

    def test_the_guide_that_helps_clearly_less_than_all_others_is_named(self) -> None:
        good, bad = Endings(confirmed=30, left=10), Endings(confirmed=4, left=36)
        [said] = self.looks(good, bad, good)
        self.assertIn("10 % of the sessions of “G1”", said)
        self.assertIn("(75 %)", said)

    def test_it_is_not_named_when_the_intervals_touch(self) -> None:
        nearly = Endings(confirmed=24, left=16)
        for endings in (
            (Endings(confirmed=30, left=10), nearly),
            (Endings(confirmed=4), Endings(left=4)),
            (Endings(left=40),),
            (Endings(under_way=9), Endings(under_way=9)),
        ):
            with self.subTest(endings=endings):
                self.assertEqual(self.looks(*endings), [])


class PeriodFormTests(PlainTestCase):
    TODAY = date(2026, 11, 23)

    def form(self, query: str, usual: str = "28") -> PeriodForm:
        topics = {"printer": "Printer"}
        return PeriodForm(QueryDict(query), topics=topics, today=self.TODAY, usual=usual)

    def test_a_period_is_so_many_days_with_today(self) -> None:
        for query, first in (
            ("", date(2026, 10, 27)),
            ("period=7", date(2026, 11, 17)),
            ("period=28", date(2026, 10, 27)),
            ("period=90", date(2026, 8, 26)),
            ("period=all", None),
            ("from_day=2026-11-01", date(2026, 11, 1)),
            ("to_day=2026-11-01", None),
        ):
            with self.subTest(query=query):
                self.assertEqual(self.form(query).filter.from_day, first)
        self.assertIsNone(self.form("", usual="all").filter.from_day)

    def test_every_field_narrows_down(self) -> None:
        query = "period=all&topic=printer&language=de&platform=ios&simulated=1"
        self.assertEqual(
            self.form(query).filter,
            Filter(topic="printer", language="de", platform="ios", simulated=True),
        )
        self.assertEqual(self.form(query).guide_query, "platform=ios&language=de&simulated=1")

    def test_a_guides_page_is_given_days_for_the_period(self) -> None:
        self.assertEqual(self.form("period=7&topic=printer").guide_query, "from_day=2026-11-17")
        days = "from_day=2026-11-01&to_day=2026-11-02"
        self.assertEqual(self.form(days).guide_query, days)
        self.assertEqual(self.form(days).days_in_words, "from 1 Nov 2026 to 2 Nov 2026")
        self.assertEqual(self.form("period=all").days_in_words, "until 23 Nov 2026")

    def test_what_cannot_be_is_left_out_with_a_sentence(self) -> None:
        usual = self.form("").filter
        for query, sentence in (
            ("period=5", "“5” is none of the periods"),
            ("period=%00", "is none of the periods"),
            ("topic=toast", "“toast” is no topic"),
            ("language=xx", "“xx” is no language here"),
            ("platform=toaster", "“toaster” is no platform"),
            ("simulated=2", "“2” is neither 1 nor empty"),
            ("from_day=today", "That is no day"),
        ):
            with self.subTest(query=query):
                form = self.form(query)
                self.assertEqual(form.filter, usual)
                self.assertIn(sentence, " ".join(form.sentences))
                self.assertEqual(form.query, "")

    def test_days_say_it_better_than_a_period(self) -> None:
        form = self.form("period=7&from_day=2026-11-01")
        self.assertEqual(form.filter.from_day, date(2026, 11, 1))
        self.assertIn("The days say it already", " ".join(form.sentences))


class PageTests(NumbersPageTestCase):
    CAPTION = "Sessions of each guide that started"

    def guides(self, query: str = "") -> list[str]:
        """The titles in the order of the table."""
        html = self.page(f"{NUMBERS}?{query}")
        return re.findall(r'<th scope="row">\s*<a href="[^"]*">([^<]*)</a>', html)

    def test_shares_are_shown_when_enough_ended(self) -> None:
        for answers in (["fixed"], ["fixed"], ["fixed"], ["not_fixed"] * 4):
            walk(self.start(), *answers)
        row = self.rows(NUMBERS, self.CAPTION)[1]
        self.assertTrue(row.endswith(" 3 0 1 0 0 0"), row)
        walk(self.start(), *["not_fixed"] * 4)
        walk(self.start(), *["not_fixed"] * 4)
        row = self.rows(NUMBERS, self.CAPTION)[1]
        # 3 of 6: Wilson's interval is 0.1876 to 0.8124
        self.assertTrue(row.endswith(" 3 50 % (19 to 81 %, n = 6) 0 0 % 3 50 % 0 0 % 0 0 % 0"), row)

    def test_it_is_sorted_by_links(self) -> None:
        make_guide("a", "Alpha", "x")
        make_guide("z", "zeta", "x")
        walk(Session.objects.start(live("z"), ""), "fixed")
        for query, order in (
            ("", ["zeta", "Alpha", "The printer is offline"]),
            ("sort=title", ["Alpha", "The printer is offline", "zeta"]),
            ("sort=-title", ["zeta", "The printer is offline", "Alpha"]),
            ("sort=toast", ["zeta", "Alpha", "The printer is offline"]),
        ):
            with self.subTest(query=query):
                self.assertEqual(self.guides(query), order)
        html = self.page(f"{NUMBERS}?sort=title&platform=ios")
        self.assertIn('href="?platform=ios&amp;sort=-title">Guide</a>', html)
        self.assertEqual(re.findall('aria-sort="([a-z]*)"', html), ["ascending"])
        self.assertIn('<input type="hidden" name="sort" value="title">', html)

    def test_every_column_sorts(self) -> None:
        walk(self.start(), "fixed")
        for name in ("title", "sessions", "change", "confirmed", "escalated", "exhausted"):
            for sort in (name, f"-{name}", "under_way"):
                with self.subTest(sort=sort):
                    self.assertEqual(self.guides(f"sort={sort}"), ["The printer is offline"])

    def test_guides_come_in_pages_and_the_last_row_counts_them_all(self) -> None:
        for nth in range(ROWS_PER_PAGE):
            make_guide(f"g{nth}", f"Guide {nth:02}", "x")
        walk(Session.objects.start(live("g49"), ""), "fixed")
        self.assertEqual(len(self.guides("sort=title")), ROWS_PER_PAGE)
        self.assertEqual(self.guides("sort=title&page=2"), ["The printer is offline"])
        self.assertEqual(self.guides("sort=title&page=99"), ["The printer is offline"])
        html = self.page(f"{NUMBERS}?sort=title&period=7")
        self.assertIn('rel="next" href="?period=7&amp;sort=title&amp;page=2"', html)
        last = self.rows(f"{NUMBERS}?sort=title&page=2", self.CAPTION)[-1]
        self.assertTrue(last.startswith("All guides 1 0 0 before"), last)

    def test_a_guide_links_to_its_page_with_the_same_filter(self) -> None:
        html = self.page(f"{NUMBERS}?from_day=2026-01-01&platform=ios&topic=printer")
        url = reverse("numbers_guide", args=["printer"])
        self.assertIn(f'href="{url}?platform=ios&amp;from_day=2026-01-01"', html)

    def test_the_line_can_be_read_as_text_and_as_a_table(self) -> None:
        self.start()
        html = self.page(NUMBERS)
        self.assertRegex(html, r'role="img" aria-label="Sessions in each week[^"]*0, 0, 1\."')
        self.assertEqual(self.rows(NUMBERS, "that begin on these days")[-1][-3:], "0 1")

    def test_what_deserves_a_look_is_said_above_the_table(self) -> None:
        make_guide("z", "Zeta", "x")
        for _nth in range(6):
            walk(Session.objects.start(live("z"), ""), "not_fixed")
        self.assertIn("No guide ran out of fixes as often as “Zeta”", self.text(NUMBERS))

    def test_junk_in_any_parameter_gets_a_sentence(self) -> None:
        for name in ("period", "from_day", "to_day", "topic", "language", "platform", "simulated"):
            for junk in ("%00", "toast", "9" * 3000, "%F0%9F%8D%9E", "-1"):
                with self.subTest(name=name, junk=junk[:20]):
                    self.assertIn("so it is left out.", self.text(f"{NUMBERS}?{name}={junk}"))
                    file = self.client.get(f"{NUMBERS}guides.csv?{name}={junk}")
                    self.assertContains(file, "so it is left out.", status_code=400)
        self.assertIn("no column “\x00”", self.text(f"{NUMBERS}?sort=%00").replace("�", "\x00"))
        self.assertEqual(self.guides("page=%00"), ["The printer is offline"])

    def test_a_filter_that_no_guide_passes_says_so(self) -> None:
        Topic.objects.create(slug="empty", name="Empty")
        self.assertIn("The filter lets no guide through.", self.text(f"{NUMBERS}?topic=empty"))

    def test_the_file_says_what_the_page_says(self) -> None:
        for answers in (["fixed"], ["fixed"], ["fixed"], *[["not_fixed"] * 4] * 3):
            walk(self.start(), *answers)
        now = timezone.now()
        at(self.start(), now - timedelta(days=30))
        count(now)
        response = self.client.get(f"{NUMBERS}guides.csv")
        [row] = csv.DictReader(StringIO(bytes(response.getvalue()).decode()))
        told = {
            **{"topic": "Printer", "before": "1", "change": "-1", "ended": "6", "sessions": "6"},
            **{"confirmed_share": "0.5", "confirmed_low": "0.1876", "confirmed_high": "0.8124"},
            **{
                "escalated_share": "0.0",
                "exhausted_share": "0.5",
                "assumed_share": "0.0",
                "left_share": "0.0",
            },
            **{"week_12": "6", "week_8": "1"},
        }
        self.assertEqual({name: row[name] for name in told}, told)
        response = self.client.get(f"{NUMBERS}guides.json?period=all")
        [each] = json.loads(bytes(response.getvalue()))
        self.assertEqual((each["sessions"], each["before"], each["change"]), (7, None, None))

    def test_more_of_everything_takes_no_more_statements(self) -> None:
        def statements() -> int:
            outline._kept.clear()
            count()
            with CaptureQueriesContext(connection) as captured:
                self.page_as_counted(NUMBERS)
                self.client.get(f"{NUMBERS}guides.csv").getvalue()
            return len(captured)

        walk(self.start(), "not_fixed")
        Session.objects.update(last_answer_at=timezone.now() - 2 * IDLE)
        before = statements()
        for nth in range(4):
            guide = make_guide(f"g{nth}", f"Guide {nth}", f"x{nth}", "cable", topic=f"t{nth}")
            walk(Session.objects.start(live(guide.key), ""), "not_fixed")
            self.start()
        Session.objects.update(last_answer_at=timezone.now() - 2 * IDLE)
        self.assertEqual(statements(), before)
        self.assertEqual(len(self.guides()), 5)
