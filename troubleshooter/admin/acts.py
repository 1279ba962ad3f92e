"""What the buttons of the desk do besides saving, and what its form carries along."""

from pathlib import PurePath
from typing import Any, cast

from django.core import signing
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Prefetch, Q, QuerySet
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

from troubleshooter.flow import Reason
from troubleshooter.models import Fix, Picture, Reading
from troubleshooter.models.content import new_key
from troubleshooter.models.reading import freeze_remedy
from troubleshooter.pictures import BadPicture
from troubleshooter.web import Page

from .desk import Content, Desk
from .sheet import DEPTH, GUIDE, Path, Sheet

LIBRARY_SHOWN = 8  # fixes found in the library, at most
PICTURE_NAME = 80  # characters of a file's name that become a picture's
NOBODY = "x" * 38  # where the key of a session would stand: it opens nothing
SALT = "troubleshooter.admin.desk"

Files = MultiValueDict[str, "UploadedFile[Any]"]
Posted = tuple[QueryDict, list[tuple[str, str]]]


def move(sheet: Sheet, act: str, path: Path) -> Path:
    """Do what a button asks for on the sheet; returns the row to go on with."""
    if path == GUIDE:
        return path
    match act:
        case "add" if path[0] in DEPTH and len(path) + 1 == DEPTH[path[0]]:
            path = (*path, new_key())
            sheet.add(path, {"minutes": 2, "open": "1"} if path[0] == "fix" else {})
            if path[0] == "fix":
                sheet.add(("step", path[1], new_key()), {})
        case "place" if path[-1].isdecimal():
            fix = _in_library().filter(pk=int(path[-1])).first()
            if fix:
                path = ("fix", fix.key)
                shown = (step.picture for step in fix.steps.all() if step.picture)
                ids = {picture.sha256: picture.pk for picture in shown}
                sheet.put_fix({**freeze_remedy(fix), "pin": "", "after": [], "open": "1"}, ids)
        case "up":
            sheet.shift(path, -1)
        case "down":
            sheet.shift(path, 1)
        case "remove":
            sheet.remove(path)
        case "unpicture" if path in sheet.rows:
            sheet.rows[path] |= {"picture": "", "alt": ""}
    return path


def library(desk: Desk, asked: str) -> list[Fix]:
    """Fixes to place in this guide: those whose words were asked for, not on the desk yet."""
    words = asked.replace("\x00", "").split()[:8]
    if not words:
        return []
    found = _in_library().filter(language=desk.language).exclude(key__in=desk.titles)
    for word in words:
        found = found.filter(
            Q(title__icontains=word) | Q(why__icontains=word) | Q(steps__text__icontains=word)
        )
    return list(found.distinct().order_by("title")[:LIBRARY_SHOWN])


def _in_library() -> QuerySet[Fix]:
    return Fix.objects.prefetch_related(
        Prefetch("steps__picture", Picture.objects.defer("content")), "guides"
    )


def sketch(guide: Reading, at: str) -> Page:
    """The page a visitor would see of a guide that is still being written.

    `at` is the fix that is worked on, as “reset”, or “reset.loses” for what stands before its
    steps; anything else shows the guide itself.
    """
    shared = {"slug": "sketch", "preview": True, "still": True, "person_url": "#person"}
    at, _dot, part = at.partition(".")
    if at not in guide.by_key:
        return Page(
            "troubleshooter/guide.html", {"guide": guide, **shared}, language=guide.language
        )
    context = {
        **shared,
        "fix": guide.by_key[at],
        "showing": {"place": guide.author_order("").index(at) + 1, "seq": 1},
        "total": len(guide.fixes),
        "current": True,
        "guarded": part == "loses" and guide.by_key[at].loses_data,
        "link": "https://…",
        "reachable": False,
        "session": {"key": NOBODY},
        "reasons": Reason.choices,
    }
    return Page("troubleshooter/fix.html", context, language=guide.language)


def with_pictures(data: QueryDict, files: Files) -> Posted:
    """What was posted, with each file stored and named by its step; and what was refused, why."""
    data = data.copy()
    refused = []
    for name in files:
        file = cast("UploadedFile[Any]", files[name])
        step, _dot, field = name.rpartition(".")
        if field != "upload" or not step.startswith("step.") or f"{step}.text" not in data:
            continue
        title = PurePath(file.name or "").stem[:PICTURE_NAME]
        try:
            picture = Picture.objects.store(file.read(), title, "")  # its words come next
        except BadPicture as why:
            refused.append((f"id_{name}", str(why)))
            continue
        data[f"{step}.picture"], data[f"{step}.alt"] = str(picture.pk), picture.alt
    return data, refused


def signed(content: Content) -> str:
    """The draft a desk was opened with, as its form carries it."""
    return signing.dumps(content, salt=SALT, compress=True)


def unsigned(text: str) -> Content | None:
    """The draft that `signed` packed; None when there was none, or it is not ours."""
    try:
        content: Content = signing.loads(text, salt=SALT)
    except signing.BadSignature:
        return None
    return content
