"""Search: what people type, how they type it, and which guide they mean."""

from datetime import date

from django.test import SimpleTestCase
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from troubleshooter.search import (
    LONGEST,
    LONGEST_MISSED,
    MOST_HITS,
    MOST_MISSED,
    MOST_PLACES,
    Document,
    Field,
    Index,
    Missed,
    Part,
)


def document(
    title: str, *, symptoms: str = "", fixes: str = "", summary: str = "", key: str = ""
) -> Document:
    """A guide; several symptoms or fixes are written with semicolons between them."""
    fields = [Field(Part.TITLE, title)]
    for part, texts in ((Part.SYMPTOM, symptoms), (Part.FIX, fixes)):
        fields += [Field(part, text.strip(), text.strip()) for text in texts.split(";") if text]
    return Document(key or title, (*fields, Field(Part.SUMMARY, summary)))


WHATSAPP = document(
    "WhatsApp isn’t backing up to iCloud",
    symptoms="It says there isn’t enough iCloud storage; The backup gets stuck",
    fixes="Free some space in iCloud; Restart your iPhone; Delete the old backup",
    summary="Your iPhone no longer saves your WhatsApp chats.",
)
PRINTER = document(
    "The printer is offline",
    symptoms="It says offline; Nothing comes out",
    fixes="Check the cable; Restart the computer; Reset the printer",
    summary="Your computer says that the printer is offline.",
)
WIFI = document(
    "Wi-Fi keeps dropping",
    symptoms="The connection drops every few minutes; It is slow",
    fixes="Restart the router; Forget the network and join again",
    summary="The internet goes away again and again.",
)
PHONE = document(
    "The phone does not charge",
    symptoms="Nothing happens when I plug it in; It charges very slowly",
    fixes="Clean the charging port; Try another cable",
    summary="You plug the phone in and it stays dead.",
)
CAMERA = document("Die Kamera löscht Fotos", summary="Die Überspielkabelprüfung hilft.")
ARABIC = document("الطَّابِعة غير متّصلة", fixes="أعد تشغيل الطابعة")
CHINESE = document("打印机脱机", fixes="重启打印机")
JAPANESE = document("スマホが充電できない")
KOREAN = document("프린터가 오프라인입니다")
HINDI = document("प्रिंटर ऑफ़लाइन है")
THAI = document("เครื่องพิมพ์ออฟไลน์")
EVERY = (WHATSAPP, PRINTER, WIFI, PHONE, CAMERA, ARABIC, CHINESE, JAPANESE, KOREAN, HINDI, THAI)
INDEX = Index(EVERY)

WORDS = st.sampled_from(
    ["the", "a", "printer", "wi-fi", "drops", "iPhone’s", "backup", "löscht", "打印机", "الطابعة"]
)
TITLES = st.lists(WORDS, min_size=1, max_size=14).map(" ".join)
patient = settings(deadline=None)  # the machine may be busy
ANY = st.text(st.characters(exclude_categories=()), max_size=200)  # lone surrogates too


class FindTests(SimpleTestCase):
    def finds(self, question: str, *expected: Document) -> None:
        """Exactly these, in this order."""
        keys = [hit.key for hit in INDEX.find(question)]
        self.assertEqual(keys, [each.key for each in expected], question)

    def finds_first(self, question: str, expected: Document) -> None:
        hits = INDEX.find(question)
        self.assertTrue(hits, f"nothing for {question}")
        self.assertEqual(hits[0].key, expected.key, question)

    def test_typing_mistakes_still_find(self) -> None:
        for question in ("watsapp bakup", "wtasapp", "whatsap", "whats app", "back up", "i cloud"):
            self.finds_first(question, WHATSAPP)
        for question in ("prnter ofline", "pritner", "HP printer", "ofline"):
            self.finds_first(question, PRINTER)
        for question in ("phone wont charge", "fone charge", "chrging port", "charger", "phnoe"):
            self.finds_first(question, PHONE)

    def test_a_word_half_typed_finds_what_it_begins(self) -> None:
        for typed in ("w", "wh", "wha", "whats", "whatsa"):
            self.assertIn(WHATSAPP.key, [hit.key for hit in INDEX.find(typed)], typed)
        self.finds("printer off", PRINTER)

    def test_a_hyphen_or_an_apostrophe_does_not_matter(self) -> None:
        for question in ("wifi", "wi-fi", "wi fi", "WI‑FI", "Wi-Fi"):
            self.finds_first(question, WIFI)
        for question in ("isn't", "isn’t", "isnt"):
            self.finds("whatsapp " + question, WHATSAPP)

    def test_accents_and_capitals_do_not_matter(self) -> None:
        for question in ("kamera LÖSCHT", "camera loscht", "lo\u0308scht", "KAMERA"):
            self.finds_first(question, CAMERA)

    def test_a_part_of_a_long_word_finds_it(self) -> None:
        self.finds("spielkabel", CAMERA)

    def test_the_order_of_the_words_does_not_matter(self) -> None:
        self.assertEqual(INDEX.find("offline printer"), INDEX.find("printer offline"))

    def test_what_is_in_no_guide_finds_nothing(self) -> None:
        for question in ("dishwasher", "how to bake a cake", "xyzzy", "…", "", "   ", "'-'"):
            self.finds(question)

    def test_a_word_nobody_wrote_does_not_spoil_the_others(self) -> None:
        self.finds_first("my old canon printer keeps going offline", PRINTER)

    def test_most_of_what_was_asked_must_be_there(self) -> None:
        self.finds_first("restart the router", WIFI)
        self.finds("delete backup", WHATSAPP)
        self.finds("restart chicken dinner recipes")

    def test_common_words_say_little(self) -> None:
        guides = [document(f"The thing {n}", summary="the") for n in range(30)]
        index = Index([*guides, document("A kettle", summary="cold")])
        self.assertEqual([hit.key for hit in index.find("the kettle")], ["A kettle"])

    def test_words_that_stand_everywhere_cannot_make_it_slow(self) -> None:
        index = Index([document("the of and", key=str(n)) for n in range(MOST_PLACES // 2)])
        looked = sum(len(found) for _word, found in index._found("the of and"))
        self.assertEqual(looked, MOST_PLACES)
        self.assertEqual(len(index.find("the of and")), MOST_HITS)

    def test_a_title_counts_more_than_a_symptom_a_fix_and_the_summary(self) -> None:
        index = Index(
            [
                document("Four", summary="A kettle"),
                document("Three", fixes="A kettle"),
                document("Two", symptoms="A kettle"),
                document("One kettle"),
            ]
        )
        found = [hit.key for hit in index.find("kettle")]
        self.assertEqual(found, ["One kettle", "Two", "Three", "Four"])

    def test_the_very_word_comes_before_one_like_it(self) -> None:
        index = Index([document("Mousse is hard"), document("Mouse is slow")])
        self.assertEqual(index.find("mouse")[0].key, "Mouse is slow")

    def test_a_hit_says_which_text_it_was(self) -> None:
        for question, part, text in (
            ("printer offline", Part.TITLE, "The printer is offline"),
            ("enough storage", Part.SYMPTOM, "It says there isn’t enough iCloud storage"),
            ("reset", Part.FIX, "Reset the printer"),
            ("chats", Part.SUMMARY, "Your iPhone no longer saves your WhatsApp chats."),
        ):
            field = INDEX.find(question)[0].field
            self.assertEqual((field.part, field.text), (part, text))
        self.assertEqual(INDEX.find("reset")[0].field.key, "Reset the printer")

    def test_other_scripts_are_found(self) -> None:
        for question, expected in (
            ("الطابعه", ARABIC),
            ("تشغيل الطابعة", ARABIC),
            ("打印机", CHINESE),
            ("打印机离线", CHINESE),
            ("充電", JAPANESE),
            ("프린터", KOREAN),
            ("오프라인", KOREAN),
            ("प्रिंटर", HINDI),
            ("เครื่องพิมพ์", THAI),
            ("ออฟไลน์", THAI),
        ):
            self.finds(question, expected)

    def test_it_gives_no_more_than_can_be_looked_through(self) -> None:
        index = Index([document(f"Kettle {n}") for n in range(MOST_HITS + 5)])
        self.assertEqual(len(index.find("kettle")), MOST_HITS)

    def test_an_index_of_nothing_finds_nothing(self) -> None:
        self.assertEqual(Index([]).find("printer"), [])
        self.assertEqual(Index([Document("bare", ())]).find("printer"), [])

    def test_only_the_beginning_of_a_long_question_is_read(self) -> None:
        self.assertEqual(INDEX.find("x" * LONGEST + " printer"), [])
        self.finds_first("printer " * 10_000, PRINTER)


class AnyQuestionTests(SimpleTestCase):
    @patient
    @given(ANY)
    def test_no_question_breaks_it(self, question: str) -> None:
        hits = INDEX.find(question)
        fields = {each.key: each.fields for each in EVERY}
        for hit in hits:
            self.assertIn(hit.field, fields[hit.key])
        self.assertEqual(len({hit.key for hit in hits}), len(hits))

    @patient
    @given(st.lists(TITLES, max_size=8), TITLES)
    def test_the_same_question_gives_the_same_hits(self, titles: list[str], asked: str) -> None:
        documents = [document(title, key=str(at)) for at, title in enumerate(titles)]
        self.assertEqual(Index(documents).find(asked), Index(documents).find(asked))

    @patient
    @given(st.lists(st.one_of(TITLES, ANY), min_size=1, max_size=8), st.data())
    def test_a_title_word_for_word_is_found_first(
        self, titles: list[str], data: st.DataObject
    ) -> None:
        index = Index([document(title, key=title) for title in titles])
        asked = data.draw(st.sampled_from(titles))
        assume(any(letter.isalpha() and letter.isascii() for letter in asked[:LONGEST]))
        first = index.find(asked)[0].key
        # Titles that differ only in what search does not see are the same to it.
        self.assertEqual(index.find(first), index.find(asked))


class MissedTests(SimpleTestCase):
    day = date(2026, 3, 1)

    def setUp(self) -> None:
        self.missed = Missed()

    def ask(self, *questions: str, found: bool = False) -> None:
        for question in questions:
            self.missed.ask(self.day, "en", question, found=found)

    def counted(self) -> dict[str, int]:
        return {text: count for (_day, _language, text), count in self.missed.take().items()}

    def test_what_was_not_found_is_counted(self) -> None:
        self.ask("Dishwasher", "dishwasher", "toaster")
        self.ask("printer", found=True)
        self.assertEqual(self.counted(), {"dishwasher": 2, "toaster": 1})
        self.assertEqual(self.counted(), {})

    def test_days_and_languages_are_counted_apart(self) -> None:
        self.missed.ask(date(2026, 3, 2), "en", "toaster", found=False)
        self.missed.ask(self.day, "de", "toaster", found=False)
        self.ask("toaster")
        self.assertEqual(len(self.missed.take()), 3)

    def test_typing_on_counts_only_what_was_meant(self) -> None:
        self.ask("di", "dishw", "dishwasher", "dishwasher d", "dishwasher door")
        self.assertEqual(self.counted(), {"dishwasher door": 1})

    def test_typing_on_until_it_is_found_counts_nothing(self) -> None:
        self.ask("wats")
        self.ask("watsapp", found=True)
        self.assertEqual(self.counted(), {})

    def test_it_keeps_nothing_personal(self) -> None:
        self.ask(
            "mail from jo@example.org",
            "call +49 (30) 123-45",
            "error 0x80070005",
            "jo ＠ home",
            "iphone 15",
        )
        self.assertEqual(set(self.counted()), {"mail from …", "call …", "error 0x …", "iphone 15"})

    def test_long_questions_are_cut(self) -> None:
        self.ask("x" * 500)
        self.assertEqual(self.counted(), {"x" * LONGEST_MISSED: 1})

    def test_it_does_not_grow_for_ever(self) -> None:
        self.ask(*(f"toaster {n:03}q" for n in range(MOST_MISSED + 50)))
        self.ask("toaster 000q")
        counts = self.missed.take()
        self.assertEqual(len(counts), MOST_MISSED)
        self.assertEqual(counts[self.day, "en", "toaster 000q"], 2)
        self.ask("kettle")
        self.missed.give_back(counts)
        self.assertEqual(len(self.missed.take()), MOST_MISSED)

    def test_what_could_not_be_stored_is_kept(self) -> None:
        self.ask("toaster")
        counts = self.missed.take()
        self.ask("toaster", "kettle")
        self.missed.give_back(counts)
        self.assertEqual(self.counted(), {"toaster": 2, "kettle": 1})

    @patient
    @given(ANY, st.booleans())
    def test_no_question_breaks_it(self, question: str, found: bool) -> None:
        self.ask(question, found=found)
        for text in self.counted():
            self.assertLessEqual(len(text), LONGEST_MISSED)
            self.assertNotIn("@", text)
