"""The figures in tables of numbers are what a template would write, and texts are escaped."""

from datetime import date
from unittest import TestCase as PlainTestCase

from django.conf import settings
from django.template import engines
from django.utils import translation

from troubleshooter import evidence
from troubleshooter.analytics import DayRow, Durable, Endings, Quartiles, Tally
from troubleshooter.dashboards import cells
from troubleshooter.flow import Reason


class CellsTests(PlainTestCase):
    def test_texts_are_escaped_and_what_was_escaped_is_not_escaped_again(self) -> None:
        inner = cells.html("<b>{}</b>", "<&")
        self.assertEqual(cells.html("{} {}", inner, "'"), "<b>&lt;&amp;</b> &#x27;")
        rows = [DayRow(date(2026, 3, 7), "key", "<script>", 3)]
        self.assertEqual(cells.resolved_by(rows), "<span>&lt;script&gt;: 3</span>")

    def test_a_count_is_written_as_a_template_writes_it(self) -> None:
        template = engines["django"].from_string('<td class="number">{{ n }}</td>')
        for language, _name in settings.LANGUAGES:
            with translation.override(language):
                self.assertEqual(cells.counts([1234567]), template.render({"n": 1234567}))

    def test_a_rate_is_shown_when_there_is_enough(self) -> None:
        self.assertEqual(cells.rate(None), "not tried yet")
        self.assertEqual(cells.rate(None, "none has ended yet"), "none has ended yet")
        self.assertEqual(cells.rate(evidence.rate(1, 4)), "too few yet (n = 4)")
        shown = cells.rate(evidence.rate(5, 10))
        self.assertIn("<strong>50 %</strong>", shown)
        self.assertIn('<line class="range" x1="24" y1="4" x2="76" y2="4" />', shown)
        self.assertIn("<small>24 to 76 %, n = 10</small>", shown)

    def test_what_came_of_a_fix_has_a_cell_for_each_head(self) -> None:
        tally = Tally(shown=9, resolved=1, fixed=2, not_fixed=3, reasons=((Reason.AFRAID, 2),))
        row = cells.tally(tally)
        self.assertEqual(row.count("<td"), 7)
        self.assertIn(f"2 <small>{Reason.AFRAID.label}: 2</small>", row)

    def test_ways_to_end_have_shares_of_what_ended(self) -> None:
        row = cells.endings(Endings(confirmed=6, left=2, under_way=9))
        self.assertEqual(row.count("<td"), 6)
        self.assertIn("6 <small>75 % (41 to 93 %, n = 8)</small>", row)
        self.assertIn("2 <small>25 %</small>", row)
        self.assertNotIn("small", cells.endings(Endings(confirmed=4)))

    def test_what_is_not_known_is_said(self) -> None:
        self.assertEqual(cells.change("", None), '<td class="number">–</td>')
        self.assertIn("+3 <small>4 before</small>", cells.change("+3", 4))
        self.assertEqual(cells.took(None), "–")
        self.assertEqual(cells.took(Quartiles(4, 1, 2, 3)), "too few yet (n = 4)")
        self.assertEqual(
            cells.took(Quartiles(5, 1, 61, 90)),
            "<strong>1 min 1 s</strong> <small>1 s to 1 min 30 s, n = 5</small>",
        )
        self.assertEqual(cells.durable(Durable()), "not asked yet")
        self.assertIn("asked 2, still fixed 0, came back 0", cells.durable(Durable(asked=2)))
        self.assertEqual(cells.bar(1, 0), "")
        self.assertIn("25 % <svg", cells.part(1, 4))
