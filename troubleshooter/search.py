"""Search that forgives typing mistakes: words are compared by their trigrams.

Pure: no queries, no clock. The work for one question is bounded, whatever is asked.
"""

import re
import unicodedata
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from heapq import nlargest
from itertools import chain
from math import log, sqrt
from threading import Lock

LONGEST = 100  # characters of a question that are read
MOST_WORDS = 10
MOST_HITS = 20
MOST_PLACES = 3000  # of the index that are looked at for one question, unless one word has more
MOST_ALIKE = 60  # words of the index that one word of a question may stand for
ALIKE = 0.45  # from this share of common trigrams on, two words may be the same, mistyped
VERY_ALIKE = 0.6  # asked of others when the very word exists: “charge”, “charging”
SWAPPED = 0.7  # what such a word is worth in which two letters beside each other are exchanged
COVERED = 0.4  # the share of a question, by the weight of its words, that a hit must have

_APOSTROPHES = "'‘’ʼ"
_HYPHENS = "-‐"
# Scripts without blanks between words: there, each sign is taken for a word.
_SIGN = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]")


class Part(Enum):
    """Where in a guide a text stands, with how much a word found there counts."""

    TITLE = 4
    SYMPTOM = 3
    FIX = 2
    SUMMARY = 1


@dataclass(frozen=True, slots=True)
class Field:
    """One text of a guide; `key` says which symptom or fix it is."""

    part: Part
    text: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """What can be found of one guide."""

    key: str
    fields: tuple[Field, ...]

    @property
    def title(self) -> str:
        return next((field.text for field in self.fields if field.part is Part.TITLE), "")


@dataclass(frozen=True, slots=True)
class Hit:
    """A document that was found, and the text in it that answers the question best."""

    key: str
    field: Field


class Index:
    """The words of some documents, ready to be asked."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.documents = tuple(documents)
        self._titles = [_asked(document.title) for document in documents]
        # Fields are numbered through all documents.
        self._first: list[int] = []  # by document: the number of its first field
        self._owner: list[int] = []  # by field: the number of its document
        self._worth: list[int] = []  # by field: what a word in it counts
        self._places: defaultdict[str, list[int]] = defaultdict(list)  # the fields with a word
        for number, document in enumerate(documents):
            self._first.append(len(self._owner))
            for field in document.fields:
                for word in set(_words(_folded(field.text), apart=True)):
                    self._places[word].append(len(self._owner))
                self._owner.append(number)
                self._worth.append(field.part.value)
        self._words = sorted(self._places)
        self._sizes: list[int] = []
        self._by_trigram: defaultdict[str, list[int]] = defaultdict(list)
        for number, word in enumerate(self._words):
            trigrams = _trigrams(word)
            self._sizes.append(len(trigrams))
            for trigram in trigrams:
                self._by_trigram[trigram].append(number)

    def find(self, question: str) -> list[Hit]:
        """The documents that answer `question`, best first; the same question, the same hits."""
        asked = _asked(question)
        total = 0.0
        covered: defaultdict[int, float] = defaultdict(float)
        score: defaultdict[int, float] = defaultdict(float)
        reasons: defaultdict[int, float] = defaultdict(float)
        for word, found in self._found(asked):
            best: dict[int, float] = {}
            for number, likeness in found.items():
                document, worth = self._owner[number], likeness * self._worth[number]
                if worth > best.get(document, 0.0):
                    best[document] = worth
            weight = self._weight(word, len(best))
            total += weight
            for document, worth in best.items():
                covered[document] += weight
                score[document] += weight * worth
            for number, likeness in found.items():
                reasons[number] += weight * likeness
        order = sorted(
            (number for number in covered if covered[number] >= COVERED * total),
            key=lambda number: (
                self._titles[number] != asked,
                -round(score[number], 6),
                len(self._titles[number]),
                number,
            ),
        )[:MOST_HITS]
        return [self._hit(number, reasons) for number in order]

    def _hit(self, document: int, reasons: Mapping[int, float]) -> Hit:
        """The document with the field that holds most of the question."""
        fields = self.documents[document].fields
        first = self._first[document]
        best = max(
            range(len(fields)),
            key=lambda at: (round(reasons.get(first + at, 0.0), 6), fields[at].part.value, -at),
        )
        return Hit(self.documents[document].key, fields[best])

    def _found(self, asked: str) -> Iterator[tuple[str, dict[int, float]]]:
        """Each word with the numbers of the fields that have it or one like it, and how alike.

        The rarest word comes first. Words that stand nearly everywhere come last and say least:
        they are left out once enough places were looked at.
        """
        words = list(dict.fromkeys(_words(asked)))[:MOST_WORDS]
        alike = {word: self._alike(word, typing=word == words[-1]) for word in words}
        places = {
            word: sum(len(self._places[other]) for other, _likeness in alike[word])
            for word in words
        }
        looked = 0
        for word in sorted(words, key=lambda word: places[word]):
            if looked and looked + places[word] > MOST_PLACES:
                return
            looked += places[word]
            found: dict[int, float] = {}
            for other, likeness in alike[word]:
                for number in self._places[other]:
                    found.setdefault(number, likeness)
            yield word, found

    def _alike(self, word: str, *, typing: bool) -> list[tuple[str, float]]:
        """The words of the index that `word` may stand for, the likest first.

        The last word of a question may be half typed: it stands for every word it begins. The
        very word is worth 1, one it begins less, one it may be a mistyping of less again.
        """
        alike: dict[str, float] = {}
        if len(word) > 3:
            trigrams = _trigrams(word)
            least = VERY_ALIKE if word in self._places else ALIKE
            lists = (self._by_trigram.get(trigram, ()) for trigram in trigrams)
            for number, common in Counter(chain.from_iterable(lists)).items():
                share = 2 * common / (len(trigrams) + self._sizes[number])
                if share >= least:
                    alike[self._words[number]] = 0.9 * share
                elif common > len(trigrams) - 4 and word in self._words[number]:
                    alike[self._words[number]] = 0.5  # a part of a longer word
            for at in range(len(word) - 1):  # two letters that changed places leave few trigrams
                swapped = f"{word[:at]}{word[at + 1]}{word[at]}{word[at + 2 :]}"
                if swapped in self._places:
                    alike[swapped] = max(alike.get(swapped, 0.0), SWAPPED)
        if typing or len(word) > 2:
            first, last = (bisect_left(self._words, end) for end in (word, word + "\U0010ffff"))
            for other in self._words[first:last]:
                alike[other] = 0.7 + 0.25 * len(word) / len(other)
        if word in self._places:
            alike[word] = 1.0
        return nlargest(MOST_ALIKE, alike.items(), key=lambda pair: (pair[1], pair[0]))

    def _weight(self, word: str, documents: int) -> float:
        """How much a word says: a rare one more than one that stands in every guide.

        A word nobody has used counts as a middling one. In a small index every word is rare,
        so short ones, mostly articles and the like, count for less from the start.
        """
        every = len(self.documents)
        rarity = log(1 + (every / documents if documents else sqrt(every)))
        return rarity if _SIGN.match(word) else rarity * min(1.0, (len(word) / 6) ** 2)


def _asked(question: str) -> str:
    return _folded(question[:LONGEST])[:LONGEST].strip()


def _folded(text: str) -> str:
    """Small letters without accents, and one blank between words."""
    letters = []
    for letter in unicodedata.normalize("NFKD", text).casefold():
        if unicodedata.combining(letter) or letter in _APOSTROPHES:
            continue
        if _SIGN.match(letter):
            letters.append(f" {letter} ")
        elif letter in _HYPHENS:
            letters.append("-")
        else:
            belongs = letter.isalnum() or unicodedata.category(letter) in ("Mn", "Mc")
            letters.append(letter if belongs else " ")
    return " ".join("".join(letters).split())


def _words(folded: str, *, apart: bool = False) -> Iterator[str]:
    """The words of a folded text; “wi-fi” is “wifi”, and also “wi” and “fi” when `apart`."""
    for word in folded.split():
        parts = [part for part in word.split("-") if part]
        if parts:
            yield "".join(parts)
        if apart:
            yield from parts


def _trigrams(word: str) -> set[str]:
    """Every three letters in a row; the beginning of a word counts for more than its end."""
    padded = f"  {word} "
    return {padded[at : at + 3] for at in range(len(padded) - 2)}


# --- What was not found -----------------------------------------------------------------------

Counts = dict[tuple[date, str, str], int]  # by day, language and text
MOST_MISSED = 500  # different texts that wait to be stored
LONGEST_MISSED = 60
_PERSONAL = re.compile(r"\S*\s*@\s*\S*|\+?\d(?:[\s./()-]*\d){3,}")  # an e-mail address, a number


class Missed:
    """Questions without a hit, counted in memory until they are stored: a GET writes nothing."""

    def __init__(self) -> None:
        self._counts: Counts = {}
        self._lock = Lock()

    def ask(self, day: date, language: str, question: str, *, found: bool) -> None:
        """Count `question` unless it was found.

        While a visitor types, each pause asks. What only began this question was not meant, so
        it is taken back; that can forget a question somebody else did mean, never invent one.
        """
        text = _impersonal(question)
        with self._lock:
            self._take_back(day, language, text)
            key = (day, language, text)
            if not found and len(text) > 1 and (key in self._counts or not self.full):
                self._counts[key] = self._counts.get(key, 0) + 1

    def _take_back(self, day: date, language: str, text: str) -> None:
        for end in range(len(text) - 1, 0, -1):
            begun = (day, language, text[:end].rstrip())
            if begun in self._counts:
                self._counts[begun] -= 1
                if not self._counts[begun]:
                    del self._counts[begun]
                return

    @property
    def full(self) -> bool:
        return len(self._counts) >= MOST_MISSED

    def take(self) -> Counts:
        """What was counted; counting begins anew."""
        with self._lock:
            counts, self._counts = self._counts, {}
        return counts

    def give_back(self, counts: Counts) -> None:
        """What `take` gave could not be stored: keep it for the next time."""
        with self._lock:
            for key, count in counts.items():
                if key in self._counts or not self.full:
                    self._counts[key] = self._counts.get(key, 0) + count


def _impersonal(question: str) -> str:
    """A question as it may be kept: without what could say who asked."""
    text = unicodedata.normalize("NFKC", question[:LONGEST]).casefold()[:LONGEST]
    text = " ".join(_PERSONAL.sub(" … ", text).split())
    return text[:LONGEST_MISSED].rstrip()
