"""Keys and signatures: what opens a session, and what never does."""

import secrets
import string

from django.conf import settings
from django.test import SimpleTestCase, override_settings
from django.utils.crypto import salted_hmac
from hypothesis import given
from hypothesis import strategies as st

from troubleshooter import tokens

OLD, NEW = "old secret " * 6, "new secret " * 6
PUBLIC_IDS = st.binary(min_size=12, max_size=12).map(tokens.public_id)


class ContentKeyTests(SimpleTestCase):
    @given(st.binary(min_size=10, max_size=16))
    def test_it_can_be_read_aloud_and_put_into_an_address(self, random: bytes) -> None:
        key = tokens.content_key(random)
        self.assertEqual(len(key), tokens.CONTENT_KEY_LENGTH)
        self.assertLessEqual(set(key), set(tokens.LETTERS))

    def test_its_letters_cannot_be_mistaken_or_spell_words(self) -> None:
        self.assertFalse(set(tokens.LETTERS) & set("01aeiouly"))
        self.assertEqual(len(set(tokens.LETTERS)), len(tokens.LETTERS))

    def test_no_two_of_many_are_the_same(self) -> None:
        keys = {tokens.content_key(secrets.token_bytes(12)) for _time in range(2000)}
        self.assertEqual(len(keys), 2000)


class HandOverCodeTests(SimpleTestCase):
    @given(st.binary(min_size=10, max_size=16))
    def test_it_has_eight_letters_that_cannot_be_mistaken(self, random: bytes) -> None:
        code = tokens.handover_code(random)
        self.assertEqual(len(code), 8)
        self.assertLessEqual(set(code), set(tokens.LETTERS))

    def test_no_two_of_many_are_the_same(self) -> None:
        codes = {tokens.handover_code(secrets.token_bytes(12)) for _time in range(2000)}
        self.assertEqual(len(codes), 2000)

    def test_case_blanks_and_hyphens_do_not_matter(self) -> None:
        for typed in ("BCDF GHJK", " bcdf-ghjk\n", "b c d f g h j k", "Bcdf–Ghjk.", "bcdf\x00ghjk"):
            self.assertEqual(
                tokens.handover_digests(typed), tokens.handover_digests("bcdfghjk"), typed
            )

    @given(st.text(tokens.LETTERS, min_size=8, max_size=8), st.integers(0, 7))
    def test_another_letter_is_another_digest(self, code: str, at: int) -> None:
        other = code[:at] + ("2" if code[at] != "2" else "3") + code[at + 1 :]
        self.assertNotEqual(tokens.handover_digests(other), tokens.handover_digests(code))

    @given(st.text(st.characters(exclude_categories=()), max_size=60))
    def test_no_text_breaks_it(self, text: str) -> None:
        self.assertEqual([len(digest) for digest in tokens.handover_digests(text)], [22])

    def test_without_the_secret_the_digest_cannot_be_made(self) -> None:
        with override_settings(SECRET_KEY=OLD):
            digest = tokens.handover_digests("bcdfghjk")[0]
        with override_settings(SECRET_KEY=NEW):
            self.assertNotIn(digest, tokens.handover_digests("bcdfghjk"))
        with override_settings(SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=[OLD]):
            digests = tokens.handover_digests("bcdfghjk")
            self.assertEqual(digests[1:], [digest])
            self.assertNotEqual(digests[0], digest)

    def test_a_code_is_no_signature_of_a_session(self) -> None:
        public_id = tokens.public_id(bytes(12))
        digest = tokens.handover_digests(public_id)[0]
        self.assertIsNone(tokens.open_session_key(public_id + digest))


class SessionKeyTests(SimpleTestCase):
    def test_it_works(self) -> None:
        public_id = tokens.public_id(secrets.token_bytes(12))
        self.assertEqual(tokens.open_session_key(tokens.session_key(public_id)), public_id)

    @given(PUBLIC_IDS)
    def test_it_opens_its_session_and_fits_into_an_address(self, public_id: str) -> None:
        key = tokens.session_key(public_id)
        self.assertEqual(tokens.open_session_key(key), public_id)
        self.assertLessEqual(set(key), set(string.ascii_letters + string.digits + "-_"))

    @given(PUBLIC_IDS, st.data())
    def test_one_changed_letter_opens_nothing(self, public_id: str, data: st.DataObject) -> None:
        key = tokens.session_key(public_id)
        at = data.draw(st.integers(0, len(key) - 1))
        other = data.draw(st.characters(exclude_characters=key[at]))
        self.assertIsNone(tokens.open_session_key(key[:at] + other + key[at + 1 :]))

    @given(PUBLIC_IDS, st.integers(0, 37))
    def test_a_part_of_it_opens_nothing(self, public_id: str, length: int) -> None:
        key = tokens.session_key(public_id)
        self.assertIsNone(tokens.open_session_key(key[:length]))
        self.assertIsNone(tokens.open_session_key(key + key[:length] + "A"))

    @given(st.text(st.characters(exclude_categories=()), max_size=60))
    def test_no_text_opens_anything_or_breaks_it(self, text: str) -> None:
        self.assertIsNone(tokens.open_session_key(text))

    @given(PUBLIC_IDS, PUBLIC_IDS)
    def test_the_signature_of_one_session_does_not_open_another(self, one: str, two: str) -> None:
        if one != two:
            signature = tokens.session_key(one)[tokens.PUBLIC_ID_LENGTH :]
            self.assertIsNone(tokens.open_session_key(two + signature))

    def test_a_signature_made_for_another_purpose_opens_nothing(self) -> None:
        public_id = tokens.public_id(bytes(12))
        sign = getattr(tokens, "_signature")  # noqa: B009 (what another purpose would call)
        for purpose in ("picture", "session.", "", "Session"):
            signature = sign(purpose, public_id, settings.SECRET_KEY)
            self.assertIsNone(tokens.open_session_key(public_id + signature), purpose)
        self.assertEqual(
            public_id + sign("session", public_id, settings.SECRET_KEY),
            tokens.session_key(public_id),
        )

    @given(PUBLIC_IDS)
    def test_the_key_of_a_follow_up_opens_the_question_and_no_session(self, public_id: str) -> None:
        key = tokens.follow_up_key(public_id)
        self.assertEqual(tokens.open_follow_up_key(key), public_id)
        self.assertIsNone(tokens.open_session_key(key))
        self.assertIsNone(tokens.open_follow_up_key(tokens.session_key(public_id)))

    def test_the_database_alone_opens_nothing(self) -> None:
        public_id = tokens.public_id(bytes(12))
        guessed = salted_hmac("session", public_id, algorithm="sha256").hexdigest()[:22]
        for guess in ("", "\0" * 16, guessed):
            self.assertIsNone(tokens.open_session_key(public_id + guess))

    def test_keys_made_with_an_older_secret_stay_good(self) -> None:
        public_id = tokens.public_id(bytes(12))
        with override_settings(SECRET_KEY=OLD):
            key = tokens.session_key(public_id)
        with override_settings(SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=["another " * 8, OLD]):
            self.assertEqual(tokens.open_session_key(key), public_id)
            self.assertNotEqual(tokens.session_key(public_id), key)
        with override_settings(SECRET_KEY=NEW):
            self.assertIsNone(tokens.open_session_key(key))
