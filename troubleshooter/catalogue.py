"""The live editions as visitors search them, and what they searched for in vain."""

from collections.abc import Sequence
from typing import Any

from django.db import DatabaseError
from django.utils import timezone

from troubleshooter import search
from troubleshooter.models import Edition, MissedSearch
from troubleshooter.text import BadText, clean_text

missed = search.Missed()  # by this process, until a POST stores it
_indexes: dict[tuple[str, ...], search.Index] = {}  # at most one, by the digests it is made of


def by_language(editions: Sequence[Edition], code: str) -> tuple[list[Edition], list[Edition]]:
    """Those in this language, and those in others of guides that are not there in it.

    Read the editions with their guides; both lists keep the order.
    """
    own = [edition for edition in editions if edition.language == code]
    keys = {edition.guide.key for edition in own}
    return own, [each for each in editions if each.guide.key not in keys]


def find(asked: str, editions: Sequence[Edition], code: str) -> dict[str, object]:
    """What is searched for, and each edition that was found with the text that says why.

    One in the language `code` comes before the others, and stands for its guide.
    """
    asked = asked[: search.LONGEST]
    try:
        query = clean_text(asked, most=search.LONGEST)
    except BadText:
        query = ""
    if not query:
        return {"query": ""}
    by_digest = {edition.digest: edition for edition in editions}
    hits = _index(editions).find(query)
    if not asked.endswith(" "):  # otherwise the next word is on its way
        missed.ask(timezone.localdate(), code, query, found=bool(hits))
    fields = {hit.key: hit.field for hit in hits}
    own, others = by_language([by_digest[hit.key] for hit in hits], code)
    return {"query": query, "found": [(each, fields[each.digest]) for each in own + others]}


def _index(editions: Sequence[Edition]) -> search.Index:
    """The live editions to be searched: made once, and after publishing from what is new."""
    live = tuple(edition.digest for edition in editions)
    if live in _indexes:
        return _indexes[live]
    known = {document.key: document for old in [*_indexes.values()] for document in old.documents}
    new = Edition.objects.filter(pk__in=[each.pk for each in editions if each.digest not in known])
    known |= {
        digest: _document(digest, text) for digest, text in new.values_list("digest", "content")
    }
    index = search.Index([known[digest] for digest in live])
    _indexes.clear()
    _indexes[live] = index
    return index


def _document(digest: str, content: dict[str, Any]) -> search.Document:
    """What can be found of an edition; its source text is read, nothing is rendered."""
    fields = (
        search.Field(search.Part.TITLE, content["title"]),
        *(
            search.Field(search.Part.SYMPTOM, symptom["text"], symptom["key"])
            for symptom in content["symptoms"]
        ),
        *(search.Field(search.Part.FIX, fix["title"], fix["key"]) for fix in content["fixes"]),
        search.Field(search.Part.SUMMARY, content["summary"]),
    )
    return search.Document(digest, fields)


def flush_missed() -> None:
    """Store the searches that found nothing; for a POST, since a GET writes no row."""
    counts = missed.take()
    if not counts:
        return
    try:
        MissedSearch.objects.add(counts)
    except DatabaseError:  # counting must not stand in the way of what the POST is for
        missed.give_back(counts)
