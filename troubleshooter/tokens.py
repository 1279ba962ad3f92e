"""All keys and signatures: one salt per purpose, so that no token opens another's door."""

import base64
import hashlib
import hmac
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache

from django.conf import settings
from django.utils.crypto import constant_time_compare

# No vowels and no look-alikes: content keys are read aloud, typed and put into URLs.
LETTERS = "23456789bcdfghjkmnpqrstvwxz"
CONTENT_KEY_LENGTH = 10
HANDOVER_CODE_LENGTH = 8
PUBLIC_ID_LENGTH = 16
REFERENCE_LENGTH = 9


def content_key(random: bytes) -> str:
    """A short key for a guide, symptom, fix or step, from at least 10 random bytes (47 bits)."""
    return _letters(random, CONTENT_KEY_LENGTH)


def public_id(random: bytes) -> str:
    """The public id of a session, from 12 random bytes. It names the session; it opens nothing."""
    return _base64(random)[:PUBLIC_ID_LENGTH]


def session_key(public_id: str) -> str:
    """The key in a session's URL: its public id and a signature (HMAC-SHA256 cut to 128 bits)."""
    return public_id + _seal("session", public_id, settings.SECRET_KEY)


def open_session_key(key: str) -> str | None:
    """The public id that `key` opens, or None. Keys made with an older secret stay good."""
    return _opened("session", PUBLIC_ID_LENGTH, key)


def reference(random: bytes) -> str:
    """The number of an escalation, from 9 random bytes: said on the phone, it opens nothing.

    Figures only: they are read aloud in every language, and none looks like another.
    """
    return str(int.from_bytes(random, "big") % 10**REFERENCE_LENGTH).zfill(REFERENCE_LENGTH)


def typed_reference(typed: str) -> str:
    """A reference as somebody typed it, in figures of any script and however grouped; or empty."""
    figures = [str(unicodedata.decimal(sign)) for sign in typed if sign.isdecimal()]
    others = [sign for sign in typed if not sign.isdecimal() and sign not in " -.\u00a0\u202f"]
    return "" if others or len(figures) != REFERENCE_LENGTH else "".join(figures)


def escalation_key(reference: str) -> str:
    """The key in an escalation's URL: its reference and a signature."""
    return reference + _seal("escalation", reference, settings.SECRET_KEY)


def open_escalation_key(key: str) -> str | None:
    """The reference that `key` opens, or None."""
    return _opened("escalation", REFERENCE_LENGTH, key)


def follow_up_key(public_id: str) -> str:
    """The key in the address that a mail about a session leads to: its public id, signed.

    It opens the question alone, never the session.
    """
    return public_id + _seal("follow-up", public_id, settings.SECRET_KEY)


def open_follow_up_key(key: str) -> str | None:
    """The public id of the session that `key` asks about, or None."""
    return _opened("follow-up", PUBLIC_ID_LENGTH, key)


def handover_code(random: bytes) -> str:
    """A code to type on another device, from at least 10 random bytes (38 bits)."""
    return _letters(random, HANDOVER_CODE_LENGTH)


def handover_digests(typed: str) -> list[str]:
    """What a code may be stored as: keyed hashes of it, the newest secret's first.

    Case and whatever stands between the letters do not matter: people type blanks and hyphens.
    """
    code = "".join(filter(str.isalnum, typed.lower()))
    return [_signature("handover", code, secret) for secret in _secrets()]


def erasure_digests(email: str) -> list[str]:
    """What an erased address is remembered as: keyed hashes of it, the newest secret's first."""
    return [_signature("erasure", email.strip().lower(), secret) for secret in _secrets()]


def _secrets() -> Iterator[str]:
    yield settings.SECRET_KEY
    yield from settings.SECRET_KEY_FALLBACKS


def _opened(purpose: str, length: int, key: str) -> str | None:
    """What the first `length` letters of `key` name, if the rest is its signature."""
    if not key.isascii():
        return None
    named, signature = key[:length], key[length:]
    for secret in _secrets():
        if constant_time_compare(signature, _seal(purpose, named, secret)):
            return named
    return None


@lru_cache(maxsize=1000)
def _seal(purpose: str, named: str, secret: str) -> str:
    """The signature of what is in an address, and names nobody: a request asks for it again."""
    return _signature(purpose, named, secret)


def _signature(purpose: str, value: str, secret: str) -> str:
    mac = _mac(purpose, secret).copy()
    mac.update(value.encode())
    return _base64(mac.digest()[:16])


@cache
def _mac(purpose: str, secret: str) -> hmac.HMAC:
    """Where each signature for this purpose begins: as `django.utils.crypto.salted_hmac` has it.

    Its key is derived once, not for each signature; what was signed before stays signed.
    """
    derived = hashlib.sha256(f"troubleshooter.{purpose}".encode() + secret.encode()).digest()
    return hmac.new(derived, digestmod=hashlib.sha256)


def _letters(random: bytes, length: int) -> str:
    number = int.from_bytes(random, "big")
    letters = []
    for _ in range(length):
        number, at = divmod(number, len(LETTERS))
        letters.append(LETTERS[at])
    return "".join(letters)


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
