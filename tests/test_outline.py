"""What numbers know of an edition, read once."""

from tests.base import CastTestCase
from troubleshooter.models import outline


class OutlineTests(CastTestCase):
    def test_an_outline_says_what_the_reading_says(self) -> None:
        reading, told = self.edition.reading, outline.outline(self.edition.content)
        self.assertEqual(told.risky, reading.risky)
        self.assertEqual(
            list(told.titles.items()),
            [((fix.key, fix.revision), fix.title) for fix in reading.fixes],
        )
        self.assertEqual(told.symptoms, {symptom.key: symptom.text for symptom in reading.symptoms})

    def test_content_is_read_once_and_then_remembered(self) -> None:
        outline._kept.clear()
        self.start()
        digests = {self.edition.pk: self.edition.digest}
        with self.assertStatements(1):
            read = outline.outlines(digests)
        with self.assertNumQueries(0):
            self.assertEqual(outline.outlines(digests), read)

    def test_no_more_than_a_bounded_number_is_kept(self) -> None:
        outline._kept.clear()
        told = outline.outline(self.edition.content)
        outline._kept.update({str(nth): told for nth in range(outline.MOST_KEPT)})
        found = outline.outlines({self.edition.pk: self.edition.digest})
        self.assertEqual(found, {self.edition.pk: told})
        self.assertEqual(list(outline._kept), [self.edition.digest])
