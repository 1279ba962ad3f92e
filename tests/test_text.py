"""Text: one gate for everything that comes in."""

import unicodedata
from contextlib import suppress

from django.test import SimpleTestCase
from hypothesis import example, given
from hypothesis import strategies as st

from troubleshooter.text import BadText, clean_text

ANY = st.text(st.characters(exclude_categories=()), max_size=200)  # lone surrogates too
# What text is made difficult of: marks, blanks, ends of lines, controls, hidden letters.
AWKWARD = st.text(
    "ae \t\n\r\x07\x85\xa0\u0301\u0316\u200b\u202e\u2028\u0f73\u1100\u1161가", max_size=60
)


def line(value: str, most: int = 100) -> str:
    return clean_text(value, most=most)


def prose(value: str, most: int = 100) -> str:
    return clean_text(value, most=most, lines=True)


class CleanTextTests(SimpleTestCase):
    def test_a_line_has_single_blanks_and_no_edges(self) -> None:
        self.assertEqual(line("  Open \t Settings\n now\u00a0please "), "Open Settings now please")

    def test_prose_keeps_its_lines_whatever_ends_them(self) -> None:
        self.assertEqual(prose("\r\n\r\nOne  \r\n  two\rthree\n\n"), "One\n  two\nthree")

    def test_the_same_word_is_always_the_same_characters(self) -> None:
        self.assertEqual(line("Cafe\u0301"), "Café")
        self.assertEqual(line("\u1112\u1161\u11ab"), "한")

    def test_what_hides_or_reverses_text_is_dropped(self) -> None:
        self.assertEqual(
            line("in\u200bvisi\ufeffble \u202etxet\u202c \u2066x\u2069"), "invisible txet x"
        )
        self.assertEqual(line("bell\x07 escape\x1b[31m next\x85"), "bell escape[31m next")

    def test_writing_that_needs_joiners_and_marks_keeps_them(self) -> None:
        for word in ("👩\u200d🔧", "می\u200cخواهم", "שָׁלוֹם", "நிரல்", "\u200fعربي"):
            self.assertEqual(line(word), word)

    def test_what_no_database_stores_is_refused_with_a_sentence(self) -> None:
        for bad in ("a\x00b", "\ud800", "fine \udfff"):
            with (
                self.subTest(bad=ascii(bad)),
                self.assertRaisesMessage(BadText, "cannot be stored"),
            ):
                line(bad)

    def test_a_text_too_long_is_refused_with_both_lengths(self) -> None:
        self.assertEqual(line("x" * 100), "x" * 100)
        with self.assertRaisesMessage(BadText, "101 characters, at most 100"):
            line("x" * 101)

    def test_only_what_is_kept_counts(self) -> None:
        self.assertEqual(line(" " * 5000 + "x" * 100), "x" * 100)
        self.assertEqual(line("e\u0301" * 100), "é" * 100)

    def test_a_pile_of_accents_is_cut_down(self) -> None:
        # Composing it takes minutes, so this test only ends when it is not composed.
        self.assertLess(len(prose("Hello a" + "\u0301\u0316" * 90_000 + " world", most=50_000)), 80)
        self.assertLess(len(prose("\u0f73" * 90_000, most=50_000)), 80)
        with self.assertRaises(BadText):
            prose("\u0316\u0301" * 500_000, most=1000)

    @given(ANY | AWKWARD)
    @example("\u0344" * 40)
    def test_what_comes_out_can_be_stored_and_is_clean_already(self, value: str) -> None:
        for clean in (line, prose):
            try:
                cleaned = clean(value)
            except BadText:
                continue
            cleaned.encode()
            self.assertLessEqual(len(cleaned), 100)
            self.assertNotRegex(cleaned, "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\ufeff]")
            self.assertTrue(unicodedata.is_normalized("NFC", cleaned))
            self.assertEqual(clean(cleaned), cleaned)

    @given(ANY)
    def test_a_line_is_one_line(self, value: str) -> None:
        with suppress(BadText):
            self.assertLessEqual(len(line(value).splitlines()), 1)
