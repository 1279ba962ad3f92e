"""The sheet of the desk: a guide typed into a form, moved about, and frozen again."""

from typing import Any
from unittest import TestCase as PlainTestCase
from urllib.parse import urlencode

from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from troubleshooter.admin.sheet import GUIDE, SEVERAL, Sheet
from troubleshooter.models import Risk

ABOUT = {"format": 1, "key": "kettle", "language": "en", "topic": "Kitchen", "contacts": []}
PICTURE: dict[str, Any] = {
    "sha256": "ab" * 32,
    "kind": "webp",
    "width": 4,
    "height": 3,
    "alt": "A plug",
}

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
keys = st.lists(st.from_regex(r"[a-z0-9-]{1,16}", fullmatch=True), unique=True, max_size=4)


@st.composite
def contents(draw: st.DrawFn) -> dict[str, Any]:
    """Any frozen content, rules and all."""
    fixes = draw(keys)
    some = st.lists(st.sampled_from(fixes), unique=True).map(sorted) if fixes else st.just([])
    return {
        **ABOUT,
        **{name: draw(texts) for name in ("title", "summary", "about", "closing", "prevention")},
        "symptoms": [
            {"key": key, "text": draw(texts), "start_with": draw(some)} for key in draw(keys)
        ],
        "fixes": [
            {
                "key": key,
                "revision": draw(st.integers(1, 9)),
                **{name: draw(texts) for name in ("title", "why", "loses", "waiting", "note")},
                "minutes": draw(st.integers(0, 999)),
                "risk": draw(st.sampled_from(Risk.values)),
                "closes_page": draw(st.booleans()),
                "pin": draw(st.sampled_from(["", "first", "last"])),
                "after": draw(some),
                "steps": [
                    {
                        "key": step,
                        "heading": draw(texts),
                        "text": draw(texts),
                        "picture": draw(st.sampled_from([None, PICTURE])),
                    }
                    for step in draw(keys)
                ],
            }
            for key in fixes
        ],
    }


def as_posted(sheet: Sheet) -> QueryDict:
    """What a browser sends of this sheet: a box that is not ticked is not sent."""
    pairs: list[tuple[str, str]] = []
    for path, fields in sheet.rows.items():
        for name, value in fields.items():
            values = value if name in SEVERAL else [value]
            pairs += [
                (".".join((*path, name)), "on" if each is True else str(each))
                for each in values
                if each is not False
            ]
    return QueryDict(urlencode(pairs))


def kettle() -> Sheet:
    """Three fixes: a plug with two steps, a fuse after it, a reset."""
    sheet = Sheet({GUIDE: {"title": "The kettle stays cold"}})
    for key in ("plug", "fuse", "reset"):
        sheet.add(("fix", key), {"title": key, "after": []})
    sheet.add(("step", "plug", "one"), {"text": "Pull it."})
    sheet.add(("step", "plug", "two"), {"text": "Push it."})
    sheet.rows["fix", "fuse"]["after"] = ["plug"]
    sheet.add(("symptom", "cold"), {"text": "It is cold", "start_with": ["plug", "fuse"]})
    return sheet


def order(sheet: Sheet, *start: str) -> list[str]:
    return [path[-1] for path in sheet.paths(*start)]


class RoundTests(PlainTestCase):
    @given(contents())
    def test_content_comes_back_as_it_was(self, content: dict[str, Any]) -> None:
        sheet = Sheet.of(content, {PICTURE["sha256"]: 7})
        self.assertEqual(sheet.frozen(ABOUT, {"7": PICTURE}), content)

    @given(contents())
    def test_so_it_does_through_a_form(self, content: dict[str, Any]) -> None:
        posted = Sheet.posted(as_posted(Sheet.of(content, {PICTURE["sha256"]: 7})))
        self.assertEqual(posted.frozen(ABOUT, {"7": PICTURE}), content)

    @given(st.dictionaries(st.text(max_size=30), st.text(max_size=30), max_size=10))
    def test_any_form_is_read(self, data: dict[str, str]) -> None:
        posted = QueryDict(mutable=True)
        posted.update(data)
        self.assertIn("fixes", Sheet.posted(posted).frozen(ABOUT, {}))

    def test_names_that_no_row_has_are_left_out(self) -> None:
        data = QueryDict(
            "csrf=1&act=save&fix.title=x&fix.a.b.c.d=x&fix.a/b.title=x&step.nofix.one.text=x"
            f"&fix.{'a' * 17}.title=x&wand.a.title=x&fix.plug.title=Plug"
        )
        self.assertEqual(Sheet.posted(data).rows, {GUIDE: {}, ("fix", "plug"): {"title": "Plug"}})

    def test_what_is_no_number_or_risk_does_no_harm(self) -> None:
        fields = QueryDict("fix.plug.minutes=many&fix.plug.risk=huge&fix.plug.revision=")
        [fix] = Sheet.posted(fields).frozen(ABOUT, {})["fixes"]
        self.assertEqual((fix["minutes"], fix["risk"], fix["revision"]), (0, "safe", 1))

    def test_a_new_revision_is_one_more(self) -> None:
        fields = QueryDict("fix.plug.revision=3&fix.plug.revised=on")
        self.assertEqual(Sheet.posted(fields).frozen(ABOUT, {})["fixes"][0]["revision"], 4)

    def test_rows_stand_in_the_order_of_the_form(self) -> None:
        data = QueryDict("fix.b.title=B&step.b.y.text=1&step.b.x.text=2&fix.a.title=A")
        sheet = Sheet.posted(data)
        self.assertEqual(order(sheet, "fix"), ["b", "a"])
        self.assertEqual(order(sheet, "step", "b"), ["y", "x"])


class MoveTests(PlainTestCase):
    def test_a_row_moves_up_and_down_among_its_own_kind(self) -> None:
        sheet = kettle()
        sheet.shift(("fix", "reset"), -1)
        sheet.shift(("step", "plug", "one"), 1)
        self.assertEqual(order(sheet, "fix"), ["plug", "reset", "fuse"])
        self.assertEqual(order(sheet, "step", "plug"), ["two", "one"])

    def test_at_the_end_it_stays(self) -> None:
        sheet = kettle()
        sheet.shift(("fix", "plug"), -1)
        sheet.shift(("fix", "reset"), 1)
        sheet.shift(("fix", "nobody"), 1)
        self.assertEqual(order(sheet, "fix"), ["plug", "fuse", "reset"])

    def test_with_a_fix_go_its_steps_and_what_named_it(self) -> None:
        sheet = kettle()
        sheet.remove(("fix", "plug"))
        self.assertEqual(order(sheet, "fix"), ["fuse", "reset"])
        self.assertEqual(sheet.paths("step"), [])
        self.assertEqual(sheet.rows["fix", "fuse"]["after"], [])
        self.assertEqual(sheet.rows["symptom", "cold"]["start_with"], ["fuse"])

    def test_a_step_goes_alone(self) -> None:
        sheet = kettle()
        sheet.remove(("step", "plug", "one"))
        self.assertEqual(order(sheet, "step", "plug"), ["two"])
        self.assertEqual(order(sheet, "fix"), ["plug", "fuse", "reset"])

    def test_taking_out_what_is_not_there_does_nothing(self) -> None:
        sheet = kettle()
        sheet.remove(("fix", "nobody"))
        self.assertEqual(sheet.rows, kettle().rows)
