"""The pieces of an article, each move an editor can make, and the draft they come to."""

from unittest import TestCase

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.articles import SHAPES
from tests.lookalike import ARTICLE, STEPS
from troubleshooter.importing import fitting
from troubleshooter.importing.fitting import Draft, divided, draft_of, language_of, shortened
from troubleshooter.importing.moves import VERBS, Move, can, moved, short, with_move
from troubleshooter.importing.pieces import FixPieces, Piece, Pieces, pieces_of
from troubleshooter.importing.reading import read_article

LAMP = """---
title: Ten nice lamps
---
# My lamp stays dark

It was fine yesterday.

## Symptoms

- No light at all

## Fix 1: Change the bulb

Bulbs burn out.

1. Unscrew it.
2. Screw a new one in.
3. Switch it on.

Keep the old one for glass recycling.

## Fix 2: Look at the fuse

1. Open the box.

   - The upper one is for the kitchen.
   - The lower one is for the hall.
2. Push the switch up.

<!-- ads begin -->
Buy our lamp
<!-- ads end -->

## Prevention

Use better bulbs.

## Contact

Ask [Lamp Support](https://lamp.example/help) or [nobody](javascript:alert(1)).
"""


class LampTestCase(TestCase):
    def setUp(self) -> None:
        self.pieces = pieces_of(read_article(LAMP, "lamp.md"))

    def move(self, verb: str, target: str, word: str = "") -> bool:
        return can(self.pieces, Move(verb, target, word))

    def fix(self, title: str) -> FixPieces:
        return next(fix for fix in self.pieces.fixes if fix.title == title)

    def piece(self, text: str) -> Piece:
        dropped = [each for each in self.pieces.dropped if isinstance(each, Piece)]
        return next(each for each in (*self.pieces.walk(), *dropped) if text in each.text)

    def outline(self) -> dict[str, list[str]]:
        return {fix.title: [step.text for step in fix.steps] for fix in self.pieces.fixes}


class PieceTests(LampTestCase):
    def test_every_part_of_an_article_has_its_place(self) -> None:
        self.assertEqual(self.pieces.titles, ("Ten nice lamps", "My lamp stays dark"))
        uses = {piece.text: piece.use for piece in self.pieces.walk()}
        self.assertEqual(uses["It was fine yesterday."], "about")
        self.assertEqual(uses["No light at all"], "symptom")
        self.assertEqual(uses["Bulbs burn out."], "why")
        self.assertEqual(uses["Keep the old one for glass recycling."], "note")
        self.assertEqual(uses["Use better bulbs."], "prevention")
        self.assertEqual([each.reason for each in self.pieces.dropped], ["an advertisement"])

    def test_the_same_text_has_the_same_id_wherever_it_stands(self) -> None:
        longer = LAMP.replace("## Fix 1", "## Fix 0: Wait\n\n1. Wait a minute.\n\n## Fix 1")
        ids = {piece.text: piece.id for piece in pieces_of(read_article(longer, "a.md")).walk()}
        for piece in self.pieces.walk():
            self.assertEqual(ids[piece.text], piece.id)

    def test_two_pieces_that_say_the_same_have_two_ids(self) -> None:
        twice = "# Dark\n\n## Fix 1: A\n\n1. Go.\n2. Go.\n\n## Fix 2: B\n\n1. Go.\n"
        ids = [piece.id for piece in pieces_of(read_article(twice, "a.md")).walk()]
        self.assertEqual(len(set(ids)), 3)


class MoveTests(LampTestCase):
    def test_split_makes_two_fixes_of_one(self) -> None:
        self.assertTrue(self.move("split", self.piece("new one").id))
        self.assertEqual(
            list(self.outline()), ["Change the bulb", "Screw a new one in", "Look at the fuse"]
        )
        self.assertEqual(
            self.outline()["Screw a new one in"], ["Screw a new one in.", "Switch it on."]
        )
        self.assertEqual(len(self.fix("Screw a new one in").of("note")), 1)
        self.assertEqual(len(self.fix("Change the bulb").of("why")), 1)
        self.assertFalse(self.move("split", self.piece("Unscrew").id), "it is the first step")

    def test_merge_makes_one_fix_of_two_and_loses_nothing(self) -> None:
        self.assertTrue(self.move("merge", self.fix("Look at the fuse").id))
        [fix] = self.pieces.fixes
        self.assertEqual(len(fix.steps), 5)
        self.assertIn("Look at the fuse", [getattr(each, "text", "") for each in self.dropped()])
        self.assertFalse(self.move("merge", fix.id), "there is none before it")

    def dropped(self) -> list[Piece | FixPieces]:
        return self.pieces.dropped

    def test_promote_makes_a_fix_of_a_step_and_of_the_points_inside_it(self) -> None:
        self.assertTrue(self.move("promote", self.piece("Open the box").id))
        self.assertEqual(
            self.outline()["Open the box"],
            ["The upper one is for the kitchen.", "The lower one is for the hall."],
        )
        self.assertEqual(self.outline()["Look at the fuse"], ["Push the switch up."])

    def test_promote_makes_a_fix_of_a_heading_with_the_steps_it_groups(self) -> None:
        grouped = SHAPES["methods with options and systems below"][1]
        pieces = pieces_of(read_article(grouped, "scanner.md"))
        fix = pieces.fixes[2]
        headed = next(step for step in fix.steps if step.heading == "Windows 8")
        self.assertTrue(can(pieces, Move("promote", headed.id)))
        self.assertEqual([len(pieces.fixes[at].steps) for at in (2, 3)], [2, 2])
        self.assertEqual(pieces.fixes[3].title, "Windows 8")

    def test_promote_makes_a_fix_of_a_text_and_of_what_was_dropped(self) -> None:
        self.assertTrue(self.move("promote", self.piece("better bulbs").id))
        self.assertTrue(self.move("promote", self.piece("Buy our lamp").id))
        titles = list(self.outline())
        self.assertEqual(titles[2:], ["Buy our lamp", "Prevention"])
        self.assertEqual(self.outline()["Prevention"], ["Use better bulbs."])

    def test_promote_leaves_no_fix_without_steps(self) -> None:
        self.move("junk", self.piece("Push the switch").id)
        self.assertFalse(self.move("promote", self.piece("Open the box").id))

    def test_demote_makes_a_fix_steps_of_the_one_before_under_its_title(self) -> None:
        self.assertTrue(self.move("demote", self.fix("Look at the fuse").id))
        [fix] = self.pieces.fixes
        self.assertEqual(
            [(step.heading, step.text.split("\n")[0]) for step in fix.steps[3:]],
            [("Look at the fuse", "Open the box."), ("", "Push the switch up.")],
        )

    def test_junk_and_back_are_a_way_there_and_back(self) -> None:
        before = self.outline()
        for target in (self.piece("new one").id, self.fix("Change the bulb").id):
            self.assertTrue(self.move("junk", target))
            self.assertNotEqual(self.outline(), before)
            self.assertIn("You marked it as junk.", [each.reason for each in self.dropped()])
            self.assertTrue(self.move("back", target))
            self.assertEqual(self.outline(), before)

    def test_what_the_importer_dropped_comes_back_into_the_fix_around_it(self) -> None:
        self.assertTrue(self.move("back", self.piece("Buy our lamp").id))
        self.assertEqual(self.fix("Look at the fuse").of("note")[0].text, "Buy our lamp")
        self.assertEqual(self.dropped(), [])

    def test_a_piece_can_be_something_else(self) -> None:
        bulbs = self.piece("better bulbs").id
        self.assertTrue(self.move("use", bulbs, "step"))
        self.assertEqual(self.outline()["Look at the fuse"][-1], "Use better bulbs.")
        for use in ("why", "note", "about", "closing", "symptom", "contact", "prevention"):
            self.assertTrue(self.move("use", bulbs, use))
            self.assertEqual(self.piece("better bulbs").use, use)
        self.assertFalse(self.move("use", bulbs, "nonsense"))

    def test_titles_and_summary_can_be_given(self) -> None:
        self.move("rename", self.fix("Change the bulb").id, " Take a new bulb ")
        self.move("title", "", "My lamp stays dark")
        self.move("summary", "", "No light.")
        self.assertIn("Take a new bulb", self.outline())
        self.assertEqual(self.pieces.title, "My lamp stays dark")
        self.assertEqual(self.pieces.summary, "No light.")

    def test_moves_without_their_piece_are_passed_over(self) -> None:
        before = self.outline()
        for verb in (*VERBS, "fly"):
            if verb not in ("title", "summary"):
                self.assertFalse(self.move(verb, "s0000000000", "step"), verb)
        self.assertEqual(self.outline(), before)

    def test_renaming_again_replaces_the_move_before(self) -> None:
        moves = with_move(with_move([], Move("rename", "f", "A")), Move("rename", "f", "B"))
        self.assertEqual(moves, [Move("rename", "f", "B")])

    @settings(max_examples=150, deadline=None)
    @given(st.data())
    def test_whatever_the_moves_no_piece_is_lost_and_they_give_the_same_again(
        self, data: st.DataObject
    ) -> None:
        article = read_article(LAMP, "lamp.md")
        made: list[Move] = []
        pieces = pieces_of(article)
        for _nth in range(data.draw(st.integers(1, 12))):
            ids = sorted(ids_of(pieces))
            verb = data.draw(st.sampled_from([*VERBS]))
            word = data.draw(st.sampled_from(["step", "why", "note", "about", "closing"]))
            move = Move(verb, data.draw(st.sampled_from(ids)), word)
            can(pieces, move)
            made.append(move)
        again = moved(pieces_of(article), made)
        self.assertEqual(again, pieces)
        said = said_by(pieces)
        for text in ("Unscrew it.", "Bulbs burn out.", "kitchen", "Push the switch", "Buy our"):
            self.assertIn(text, said)
        self.assertEqual(len(ids_of(pieces)), len(set(ids_of(pieces))))
        draft_of(pieces)


def ids_of(pieces: Pieces) -> list[str]:
    return [each.id for each in (*pieces.walk(), *pieces.fixes, *pieces.dropped)]


def said_by(pieces: Pieces) -> str:
    dropped = [
        piece
        for each in pieces.dropped
        for piece in (each.pieces if isinstance(each, FixPieces) else [each])
    ]
    return "\n".join(f"{each.heading} {each.text}" for each in (*pieces.walk(), *dropped))


class DraftTests(LampTestCase):
    def draft(self) -> Draft:
        return draft_of(self.pieces)

    def test_a_draft_has_all_that_a_guide_takes(self) -> None:
        draft = self.draft()
        content = draft.content
        self.assertEqual(content["title"], "Ten nice lamps")
        self.assertEqual(content["about"], "It was fine yesterday.")
        self.assertEqual([each["text"] for each in content["symptoms"]], ["No light at all"])
        bulb, fuse = content["fixes"]
        self.assertEqual(bulb["why"], "Bulbs burn out.")
        self.assertEqual(bulb["note"], "Keep the old one for glass recycling.")
        self.assertEqual(
            fuse["steps"][0]["text"],
            "Open the box.\n- The upper one is for the kitchen.\n- The lower one is for the hall.",
        )
        self.assertEqual(content["prevention"], "Use better bulbs.")
        self.assertEqual(
            draft.contacts,
            [
                {
                    "name": "Lamp Support",
                    "url": "https://lamp.example/help",
                    "note": "Ask Lamp Support or nobody.",
                }
            ],
        )

    def test_an_article_of_a_blog_has_its_fixes_and_steps_and_no_advertisement(self) -> None:
        draft = draft_of(pieces_of(read_article(ARTICLE, "camera.md")))
        self.assertEqual([len(fix["steps"]) for fix in draft.content["fixes"]], STEPS)
        for junk in ("Rescue Deluxe", "shop.example", "adsbygoogle", "Close"):
            self.assertNotIn(junk, str(draft.content))

    def test_the_title_of_a_fix_that_is_too_long_goes_on_in_why(self) -> None:
        title = "Replace the bulb with one of " + "the very same kind and " * 8 + "size"
        self.move("rename", self.fix("Change the bulb").id, title)
        fix = self.draft().content["fixes"][0]
        self.assertLessEqual(len(fix["title"]), 120)
        self.assertTrue(fix["why"].startswith(title))

    def test_a_step_that_is_too_long_goes_on_in_further_steps(self) -> None:
        step = self.piece("Unscrew")
        step.text = "\n\n".join(f"Paragraph {nth} " + "turn it " * 60 for nth in range(9))
        steps = [each["text"] for each in self.draft().content["fixes"][0]["steps"]]
        self.assertTrue(all(len(each) <= 2000 for each in steps))
        words = " ".join(steps[:-2]).split()
        self.assertEqual(words, step.text.split())

    def test_a_heading_that_is_too_long_stands_in_the_step(self) -> None:
        step = self.piece("Unscrew")
        step.heading = "On every lamp " * 10
        first = self.draft().content["fixes"][0]["steps"][0]
        self.assertLessEqual(len(first["heading"]), 80)
        self.assertIn("On every lamp " * 9 + "On every lamp", first["text"])

    def test_title_summary_and_symptoms_that_are_too_long_stand_in_the_text(self) -> None:
        long = {name: f"{name} goes on and on " * 30 for name in ("title", "summary")}
        for name, text in long.items():
            self.move(name, "", text)
        self.piece("No light").text = "It is dark " * 30
        draft = self.draft()
        for text in (*long.values(), "It is dark " * 30):
            self.assertIn(text.strip(), draft.content["about"])
        self.assertLessEqual(len(draft.content["title"]), 120)
        self.assertLessEqual(len(draft.content["summary"]), 300)
        self.assertEqual(len(draft.told), 3)

    def test_what_no_field_holds_is_told(self) -> None:
        self.piece("fine yesterday").text = "word " * 12_000
        draft = self.draft()
        self.assertLessEqual(len(draft.content["about"]), 50_000)
        self.assertIn("were left out", draft.told[0])

    def test_each_step_shows_one_picture_and_the_others_are_told(self) -> None:
        draft = draft_of(pieces_of(read_article(ARTICLE, "camera.md")))
        shown = {at: each.alt for at, each in draft.pictures.items()}
        self.assertEqual(shown[0, 0], "devices-in-album-1")
        self.assertEqual(shown[0, 1], "camera-switch")
        self.assertEqual(shown[1, 0], "queue-on-camera")
        text = "# Dark\n\n## Fix 1: A\n\n![a](a.png)\n\n![b](b.png)\n\n1. Go.\n"
        draft = draft_of(pieces_of(read_article(text, "a.md")))
        self.assertEqual([each.alt for each in draft.loose], ["b"])
        self.assertIn("1 picture has no step", draft.told[0])

    def test_at_most_ten_links_become_contacts(self) -> None:
        links = " ".join(f"[Desk {nth}](https://desk.example/{nth})" for nth in range(30))
        self.piece("Lamp Support").text = links
        self.assertEqual(len(self.draft().contacts), fitting.MOST_CONTACTS)

    def test_languages_are_ours_or_the_default(self) -> None:
        self.assertEqual(
            [language_of(said) for said in ("de-AT", "ES", "ar_EG", "fr", "", "?")],
            ["de", "es", "ar", "en", "en", "en"],
        )

    @given(st.text(max_size=400), st.integers(20, 120))
    def test_dividing_a_text_loses_nothing_but_blanks(self, text: str, most: int) -> None:
        parts = []
        rest = text
        while rest:
            head, rest = divided(rest, most)
            self.assertLessEqual(len(head), most)
            parts.append(head)
        self.assertEqual("".join("".join(parts).split()), "".join(text.split()))

    @given(st.text(max_size=400), st.integers(20, 120))
    def test_shortening_fits(self, text: str, most: int) -> None:
        self.assertLessEqual(len(shortened(text, most)), most)
        self.assertLessEqual(len(short(text)), 120)
