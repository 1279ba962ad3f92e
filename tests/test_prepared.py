"""Prepared pages: rendered once, filled for each visitor, and the same compressed."""

import gzip
from unittest import TestCase

from hypothesis import given
from hypothesis import strategies as st

from troubleshooter import prepared
from troubleshooter.prepared import compressed, filled, mark, plain, stored

TEXTS = st.text(max_size=300).map(lambda text: text.encode("utf-8", "ignore").decode())


class FilledTests(TestCase):
    def page(self, **slots: str) -> str:
        text = f"<p>{mark('key')} at {mark('seq')}, {mark('key')}</p>"
        return plain(filled(("page", self.id()), lambda: text, slots)).decode()

    def test_each_visitor_finds_their_own_in_its_slots(self) -> None:
        self.assertEqual(self.page(key="abc", seq="3"), "<p>abc at 3, abc</p>")
        self.assertEqual(self.page(key="xyz", seq="4"), "<p>xyz at 4, xyz</p>")

    def test_it_is_rendered_once(self) -> None:
        rendered = []

        def render() -> str:
            rendered.append(1)
            return "the same for all"

        for _visitor in range(3):
            filled(("once", self.id()), render, {})
        self.assertEqual(len(rendered), 1)

    def test_a_mark_that_nothing_fills_is_a_fault_and_never_shown(self) -> None:
        with self.assertRaises(KeyError):
            filled(("wrong", self.id()), lambda: mark("nobody"), {"key": "abc"})

    def test_what_was_filled_can_fill_another(self) -> None:
        line = filled(("line", self.id()), lambda: "<li>cable</li>", {})
        whole = filled(("list", self.id()), lambda: f"<ol>{mark('lines')}</ol>", {"lines": line})
        self.assertEqual(plain(whole), b"<ol><li>cable</li></ol>")

    def test_a_mark_can_stand_where_the_key_of_a_session_can(self) -> None:
        self.assertRegex(mark("key"), r"\A[A-Za-z0-9_-]{38}\Z")
        self.assertNotEqual(mark("key"), mark("seq"))

    def test_pieces_are_joined_once_for_all_who_need_the_same(self) -> None:
        asked = []

        def pieces() -> prepared.Pieces:
            asked.append(True)
            return [compressed("<li>toggle</li>"), stored("<li>restart</li>")]

        once, again = (prepared.joined(("tried", "joined once"), pieces) for _nth in range(2))
        self.assertEqual([piece.text for piece in once], [b"<li>toggle</li><li>restart</li>"])
        self.assertEqual(gzip.decompress(prepared.gzip(again)), plain(once))
        self.assertEqual(asked, [True])

    def test_too_many_joined_pieces_are_forgotten(self) -> None:
        for nth in range(prepared.MOST_JOINED + 1):
            prepared.joined(("tried", nth), lambda: [stored("…")])
        self.assertLessEqual(len(prepared._joined), prepared.MOST_JOINED)

    def test_too_many_pages_are_forgotten_and_made_anew(self) -> None:
        whole = "all that fits " * 1000
        pages = 2 * prepared.MOST_KEPT // len(whole)
        for number in range(pages):
            filled(("many", number), lambda: whole, {})
        self.assertLess(len(prepared._kept), pages)
        self.assertEqual(plain(filled(("many", 0), lambda: "anew", {})), b"anew")


class GzipTests(TestCase):
    @given(st.lists(st.tuples(st.booleans(), TEXTS), max_size=8))
    def test_any_pieces_together_are_one_gzip_file_of_their_text(
        self, parts: list[tuple[bool, str]]
    ) -> None:
        pieces = [(compressed if kept else stored)(text) for kept, text in parts]
        text = "".join(text for _kept, text in parts).encode()
        self.assertEqual(gzip.decompress(prepared.gzip(pieces)), text)
        self.assertEqual(plain(pieces), text)

    def test_more_than_one_block_can_be_stored(self) -> None:
        long = "x" * 200_000
        self.assertEqual(gzip.decompress(prepared.gzip([stored(long)])), long.encode())

    def test_a_secret_is_not_compressed_together_with_other_text(self) -> None:
        key = "Qm9vIQ-secret-of-this-visitor"
        page = compressed("<p>" + key[:-1])  # a guess that would shorten it
        self.assertIn(key.encode(), prepared.gzip([page, stored(key)]))
