"""Articles become fixes and steps: every shape, every piece kept or listed, no text breaks it."""

import json
import re
from collections.abc import Iterator
from typing import Any
from unittest import TestCase

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.articles import NOT_TROUBLE, SHAPES
from troubleshooter.importing import inline, source
from troubleshooter.importing.article import Article, UnreadableArticle
from troubleshooter.importing.as_json import as_data
from troubleshooter.importing.outline import outline
from troubleshooter.importing.reading import read_article


def words_of(data: Any) -> Iterator[str]:
    """Every text in plain data."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for value in data.values():
            yield from words_of(value)
    elif isinstance(data, list):
        for value in data:
            yield from words_of(value)


def letters(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


class ShapeTests(TestCase):
    def test_fixes_and_steps_of_every_shape_are_found(self) -> None:
        for name, (file, text, fixes) in SHAPES.items():
            with self.subTest(name):
                article = read_article(text, file)
                found = [(fix.title, len(fix.steps)) for fix in article.fixes]
                self.assertEqual(len(found), len(fixes), found)
                for (title, steps), (wanted, count) in zip(found, fixes, strict=True):
                    self.assertIn(wanted, (title, "*"))
                    self.assertIn(steps, (1, 2, 3) if count is None else (count,), title)

    def test_articles_about_trouble_are_not_flagged(self) -> None:
        for name, (file, text, _fixes) in SHAPES.items():
            article = read_article(text, file)
            self.assertEqual((article.why_not, article.is_troubleshooting), ("", True), name)

    def test_what_is_not_about_trouble_is_flagged_with_a_reason_and_not_refused(self) -> None:
        for name, text in NOT_TROUBLE.items():
            article = read_article(text, "page.md")
            self.assertFalse(article.is_troubleshooting, name)
            self.assertTrue(article.why_not.endswith("."), name)

    def test_every_heading_and_paragraph_is_kept_somewhere(self) -> None:
        for name, (file, text, _fixes) in SHAPES.items():
            kept = letters(" ".join(words_of(as_data(read_article(text, file)))))
            builder, _page = outline(source.read(text, file))
            for top in builder.root.children:
                blocks = top.children[1:] if top.kind == "table" else [top]  # heads become labels
                for block in (each for inner in blocks for each in inner.walk()):
                    if block.kind == "text" and ":" not in block.text and "**" not in block.text:
                        for part in re.split(r"\b[a-d]\) ", inline.plain(block.text)):
                            words = letters(part).removeprefix("note").removeprefix("warning")
                            self.assertIn(words, kept, name)

    def test_every_piece_knows_its_lines(self) -> None:
        file, text, _fixes = SHAPES["keywords and numbers"]
        article = read_article(text, file)
        lines = text.split("\n")
        for fix in article.fixes:
            self.assertIn(fix.title, lines[fix.place.first - 1])
            for step in fix.steps:
                self.assertIn(step.text.split("\n")[0], "\n".join(lines[step.place.first - 1 :]))
                self.assertLessEqual(fix.place.first, step.place.first)
                self.assertLessEqual(step.place.last, fix.place.last)

    def test_how_sure_it_is_comes_with_reasons(self) -> None:
        for file, text, _fixes in SHAPES.values():
            for fix in read_article(text, file).fixes:
                self.assertTrue(0 < fix.sure < 1 and fix.reasons, fix)

    def test_texts_show_no_markup(self) -> None:
        for name, (file, text, _fixes) in SHAPES.items():
            data = as_data(read_article(text, file))
            for fix in data["fixes"]:
                plain = [fix["title"], fix["why"], *(step["text"] for step in fix["steps"])]
                for mark in ("**", "](", "1\\.", ":::", "[!", "{", "<"):
                    self.assertNotIn(mark, " ".join(plain), name)


class PartTests(TestCase):
    def read(self, text: str, name: str = "article.md") -> Article:
        return read_article(text, name)

    def test_titles_that_disagree_are_both_shown(self) -> None:
        article = self.read(
            "---\ntitle: Ten gifts\n---\n# Why is my lamp dark?\n\nChange the bulb.\n"
        )
        self.assertEqual(article.titles, ("Ten gifts", "Why is my lamp dark?"))
        self.assertIn("other titles", article.doubts[0].sentence)

    def test_broken_front_matter_is_read_line_by_line(self) -> None:
        text = "---\ntitle: ''Lamp''' - is dark: why\ntags: [a\n---\nTry another bulb.\n"
        article = self.read(text)
        self.assertEqual(article.title, "Lamp''' - is dark: why")
        self.assertIn("not valid", article.doubts[0].sentence)

    def test_symptoms_causes_and_whom_to_ask_have_their_places(self) -> None:
        article = self.read(SHAPES["symptoms, cause and one resolution"][1])
        self.assertEqual(
            [symptom.text for symptom in article.symptoms],
            ["New entries appear on the phone only.", "You see error 0x12."],
        )
        self.assertEqual(len(article.of("cause")), 1)
        self.assertEqual(article.fixes[0].notes[0].text, "You need your new password.")
        self.assertIn("accounts --refresh", article.fixes[0].steps[1].text)
        german = self.read(SHAPES["German, numbered solutions and when to call for help"][1])
        self.assertIn("Hersteller", german.of("contact")[0].text)
        self.assertEqual(len(german.of("question")), 1)
        self.assertEqual(
            len(self.read(SHAPES["German, issue with a solution"][1]).of("prevention")), 1
        )
        spanish = self.read(SHAPES["Spanish, steps that are fixes"][1])
        self.assertIn("cable nuevo", spanish.of("prerequisite")[0].text)
        self.assertEqual(spanish.language, "es")

    def test_what_stands_before_and_after_the_fixes_is_told_apart(self) -> None:
        article = self.read(
            SHAPES["escaped numbers, advertisements in lists, pictures above numbers"][1]
        )
        self.assertIn("no reason to panic", article.of("about")[0].text)
        self.assertEqual(article.of("closing")[0].heading, "A Tablet Is Only a Computer")

    def test_nested_points_are_steps_inside_a_step(self) -> None:
        article = self.read(SHAPES["German, issue with a solution"][1])
        second = article.fixes[0].steps[1]
        self.assertEqual(
            [child.text for child in second.children], ["Halten Sie ein Gefäß darunter."]
        )
        self.assertEqual(
            second.markdown(), "Öffnen Sie das Ventil.\n- Halten Sie ein Gefäß darunter."
        )

    def test_small_headings_group_the_steps(self) -> None:
        article = self.read(SHAPES["methods with options and systems below"][1])
        self.assertEqual(
            [step.heading for step in article.fixes[2].steps], ["Windows 11", "", "Windows 8", ""]
        )

    def test_a_sentence_above_the_second_list_heads_its_steps(self) -> None:
        article = self.read(
            "# Lamp is dark\n\n## Fix 1: Look\n\nA.\n\n1. Try it.\n\nTo be sure:\n\n1. Wait.\n"
        )
        self.assertEqual([step.heading for step in article.fixes[0].steps], ["", "To be sure"])

    def test_pictures_are_listed_with_their_words_and_belong_to_the_step_above(self) -> None:
        article = self.read(
            "# Dark\n\n## Fix 1: Go\n\n![first](a.png)\n\n1. Click.\n\n   ![then](b.png)\n"
        )
        fix = article.fixes[0]
        self.assertEqual([picture.alt for picture in fix.pictures], ["first"])
        self.assertEqual([picture.address for picture in fix.steps[0].pictures], ["b.png"])
        self.assertEqual(len(article.pictures), 2)
        self.assertEqual(fix.steps[0].text, "Click.")

    def test_junk_is_dropped_and_listed_with_its_reason_and_line(self) -> None:
        _file, text, _fixes = SHAPES[
            "escaped numbers, advertisements in lists, pictures above numbers"
        ]
        article = self.read(text)
        reasons = {dropped.reason for dropped in article.dropped}
        self.assertLessEqual(
            {"an advertisement", "“also read”", "tags or site navigation"}, reasons
        )
        kept = " ".join(words_of({k: v for k, v in as_data(article).items() if k != "dropped"}))
        for junk in ("Mega Cleaner", "grandmothers", "adsbygoogle", "shop.example/x"):
            self.assertNotIn(junk, kept)
            self.assertIn(junk, " ".join(each.text for each in article.dropped) + text)
        cleaner = next(each for each in article.dropped if "Mega Cleaner" in each.text)
        self.assertIn("affiliate", text.split("\n")[cleaner.place.first - 1])

    def test_an_advertisement_takes_no_line_of_the_article_with_it(self) -> None:
        link = '<a href="https://shop.example">Buy</a>'
        ad = f"<!-- affiliate ads begin -->\n{link}\n<!-- affiliate ads end -->"
        for file, before, after in (("a.md", "", ""), ("a.html", "<p>", "</p>")):
            first, second, third = (
                f"{before}{text}{after}" for text in ("Lamp is dark.", "Try it.", "Then wait.")
            )
            text = f"{first}\n{ad}{second}\n{ad}\n{third}"
            article = read_article(text, file)
            kept = " ".join(words_of(as_data(article)["fixes"]))
            self.assertIn("Try it.", kept, file)
            self.assertIn("Then wait.", kept, file)
            self.assertNotIn("Buy", kept, file)
            self.assertEqual([each.place.first for each in article.dropped], [2, 5], file)

    def test_code_between_fences_is_left_alone(self) -> None:
        code = "```html\n<!-- ads begin -->\n1\\. {{< x >}}\n<!-- ads end -->\n```"
        article = self.read(f"# Page is broken\n\nTry this:\n\n{code}\n")
        self.assertIn("1\\. {{< x >}}", article.fixes[0].steps[0].text)
        self.assertEqual(article.dropped, ())

    def test_a_question_about_the_page_is_dropped_and_one_about_the_trouble_stays(self) -> None:
        for asked in ("Was this helpful?", "Was this article useful? Yes No", "Is this useful?"):
            with self.subTest(asked=asked):
                html = f"<h1>Dark</h1><h2>Fix 1: Go</h2><p>Press it.</p><p>{asked}</p>"
                article = read_article(html, "a.html")
                self.assertEqual([each.text for each in article.dropped], [asked])
        article = read_article("# Dark\n\n## Fix 1: Go\n\nPress it.\n\nIs this the cable?\n")
        self.assertEqual(article.dropped, ())

    def test_what_is_around_a_page_is_dropped_and_listed(self) -> None:
        article = self.read(SHAPES["a page with much around it"][1], "page.html")
        dropped = " ".join(each.text for each in article.dropped)
        for junk in (
            "All articles",
            "Pay a bill",
            "Ann Author",
            "Share",
            "thanks!",
            "On this page",
        ):
            self.assertIn(junk, dropped)
        self.assertEqual(article.summary, "What to do when the screen is frozen.")
        self.assertEqual(article.fixes[0].notes[0].text, "Nothing is lost by this.")
        self.assertEqual(article.language, "en")

    def test_glued_and_broken_emphasis_is_put_right(self) -> None:
        for broken, right in {
            "Tap**Save** .": "Tap **Save**.",
            "Click **File **> **Open**": "Click **File** > **Open**",
            "C**heck it** now": "C**heck it** now",
            "これは**「設定」**を": "これは**「設定」**を",
            "use `a**b` and **c**": "use `a**b` and **c**",
            "one ** only": "one  only",
        }.items():
            self.assertEqual(inline.tidy(broken), right)

    def test_what_is_too_long_for_its_field_is_told_and_not_cut(self) -> None:
        title = "Replace the bulb " * 10
        article = self.read(f"# Dark\n\n## Fix 1: {title}\n\n1. {'Turn it. ' * 400}\n")
        self.assertEqual(article.fixes[0].title, title.strip())
        told = " ".join(doubt.sentence for doubt in article.doubts)
        self.assertIn("the title of a fix has 169 characters of 120", told)
        self.assertIn("a step has 3599 characters of 2000", told)


class SourceTests(TestCase):
    ARTICLE = "# Gerät lädt nicht\n\n## Lösung 1: Kabel prüfen\n\n1. Öffnen Sie die Klappe.\n"

    def test_encodings_are_recognised(self) -> None:
        for encoding in (
            "utf-8",
            "utf-8-sig",
            "utf-16",
            "utf-16-le",
            "utf-16-be",
            "utf-32",
            "cp1252",
        ):
            article = read_article(self.ARTICLE.encode(encoding), "a.md")
            self.assertEqual(article.title, "Gerät lädt nicht", encoding)
            self.assertEqual(article.fixes[0].title, "Kabel prüfen", encoding)
        page = '<meta charset="windows-1256"><h1>الهاتف لا يعمل</h1><ol><li>انتظر</ol>'
        article = read_article(page.encode("windows-1256"), "a.html")
        self.assertEqual(article.title, "الهاتف لا يعمل")

    def test_what_no_database_stores_is_left_out(self) -> None:
        article = read_article("# Lamp\0 is \ud800dark\n\n1. Wait\0.\n")
        self.assertEqual((article.title, article.fixes[0].steps[0].text), ("Lamp is dark", "Wait."))

    def test_what_is_no_article_is_refused_with_a_sentence(self) -> None:
        for data in (
            b"",
            b" \n",
            b"%PDF-1.7 ...",
            b"PK\x03\x04...",
            b'{"title": "x", "body": "y"}',
            bytes(range(256)) * 40,
            b"a" * 11_000_000,
            b"a " * 600_000,
            b"# Fix\n" * 100_000,
            b"<h2>Fix</h2>" * 20_000,
            b"1. Go\n" * 9000,
        ):
            with self.assertRaises(UnreadableArticle) as refused:
                read_article(data)
            self.assertRegex(str(refused.exception), r"^[A-Z].*\.$")

    def test_deep_nesting_is_flattened_or_listed(self) -> None:
        article = read_article("# Dark\n\n" + "- " * 10_000 + "lamp\n\nTry it.\n")
        self.assertIn("lamp", " ".join(each.text for each in article.dropped))
        article = read_article("<h1>Dark</h1>" + "<div><b>" * 10_000 + "Try the lamp.")
        self.assertIn("lamp", json.dumps(as_data(article)))
        article = read_article("<h1>Dark</h1>" + "<ul><li>" * 2000 + "Try the lamp.")
        self.assertIn("lamp", json.dumps(as_data(article)))

    def test_growing_front_matter_is_not_expanded(self) -> None:
        bomb = "---\na: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\ntitle: Dark lamp\n---\nTry it.\n"
        self.assertEqual(read_article(bomb).title, "Dark lamp")
        self.assertTrue(read_article("---\na: " + "[" * 30_000 + "\n---\nTry the lamp.\n").fixes)

    def test_an_embedded_picture_is_no_text(self) -> None:
        article = read_article(
            "# Dark\n\n1. Click ![](data:image/png;base64," + "QUJD" * 500_000 + ")\n"
        )
        self.assertLess(len(article.pictures[0].address), 100)


PIECES = (
    "# ", "## Fix 1: ", "1. ", "- ", "> ", "**", "`", "```\n", "<ol>", "<li>", "</ol>",
    "<table><tr><td>", "</td>", "<h2>", "</h2>", "<div class='ad'>", "</div>",
    "<!-- ads begin -->", "<!-- ads end -->", "---\n", "+++\n", "title: x\n", "|a|b|\n|-|-|\n",
    "![a](b)", "[a](b)", "<script>", ":::note\n", ":::\n", "{{< a >}}", "\n", "\n\n", "\t",
    "    ", "Solution", "**Cause:** x", "1\\. ", "a) ", "\ud800", "\x00", "Step 1: ", "①",
    "<pre>", "</pre>", "<details><summary>", "<br>", "&nbsp;", "&#xD800;", "*", "_", "[", "](",
    "<!--", "-->", "<main>", "<nav>", "**Method 1**\n\n", "<dt>", "!!! note\n", "[!NOTE]",
    "=== \"a\"\n", "\r", "\x0c",
)  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=8)).map("".join)
NAMES = st.sampled_from(["a.md", "a.html", ""])


class AnyTextTests(TestCase):
    def check(self, data: str | bytes, name: str) -> None:
        try:
            article = read_article(data, name)
        except UnreadableArticle as refused:
            self.assertTrue(str(refused))
            return
        json.dumps(as_data(article), ensure_ascii=False).encode()
        for fix in article.fixes:
            self.assertTrue(fix.steps or fix.sure < 0.6)
            for step in fix.steps:
                self.assertTrue(1 <= step.place.first <= step.place.last)
        for dropped in article.dropped:
            self.assertTrue(1 <= dropped.place.first <= dropped.place.last)

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(TEXTS, NAMES)
    def test_no_text_whatever_breaks_it(self, text: str, name: str) -> None:
        self.check(text, name)

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.binary(), NAMES)
    def test_no_bytes_whatever_break_it(self, data: bytes, name: str) -> None:
        self.check(data, name)
