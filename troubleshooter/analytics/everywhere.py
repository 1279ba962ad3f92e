"""One fix across all guides: where it is, and what came of it in each of them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Set
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count, Max, OuterRef, Q, QuerySet, Subquery

from troubleshooter import evidence
from troubleshooter.models import Edition, Fix, FixCount, Placement, outlines

from .by_fix import tally
from .by_guide import titles
from .filters import REAL, Filter
from .rows import Counts, Tally
from .sums import sums


@dataclass(frozen=True, slots=True)
class FixNow:
    """A fix as it is written now; without `pages` it was deleted, and this is what it was."""

    key: str
    title: str
    revision: int
    pages: tuple[tuple[int, str], ...] = ()  # the id and the language of each translation


@dataclass(frozen=True, slots=True)
class Place:
    """Where a fix is in a guide: in its live edition, or only in its draft."""

    number: int
    live: bool


@dataclass(frozen=True, slots=True)
class FixEverywhere:
    """One fix in all guides together: what came of the revision it has now."""

    fix: FixNow
    guides: int  # how many hold it
    counts: Counts
    other: int  # in how many sessions another revision was shown

    @property
    def shown(self) -> int:
        return self.counts["shown"]

    @property
    def tally(self) -> Tally:
        """Not kept: a page lists many fixes and shows few."""
        return tally(self.counts)


@dataclass(frozen=True, slots=True)
class FixInGuide:
    """One revision of a fix in one guide."""

    guide_key: str
    title: str  # of the guide
    place: Place | None  # None: the guide holds it no longer
    revision: int
    tally: Tally


@dataclass(frozen=True, slots=True)
class FixOnPlatform:
    """One revision of a fix on one platform, in all guides together."""

    platform: str  # empty when it is not known
    revision: int
    tally: Tally


Rated = tuple[FixInGuide, evidence.Rate]


def fixes_everywhere(only: Filter = REAL) -> list[FixEverywhere]:
    """What came of each fix that was shown or that a guide holds, by title?"""
    holders = _holders(only)
    shown: defaultdict[str, dict[int, Counts]] = defaultdict(dict)
    for (key, revision), counts in sums(FixCount, only, *FixCount.BY).items():
        shown[key][revision] = counts
    known = _fixes_now(Fix.objects.all(), shown.keys() | holders.keys())
    rows = []
    for key in shown.keys() | holders.keys():
        fix, revisions = known[key], shown[key]
        now = revisions.get(fix.revision, Counts())
        other = sum([each["shown"] for each in revisions.values()]) - now["shown"]
        rows.append(FixEverywhere(fix, len(holders[key]), now, other))
    return sorted(rows, key=lambda row: (row.fix.title, row.fix.key))


def fix_now(fix_key: str) -> FixNow | None:
    """What is this fix now? None when there is none, and no edition that showed one."""
    return _fixes_now(Fix.objects.filter(key=fix_key), {fix_key}).get(fix_key)


def fix_names(fix_keys: Set[str]) -> dict[str, str]:
    """What is each of these fixes called? By its key; those that nobody knows are left out."""
    known = _fixes_now(Fix.objects.filter(key__in=fix_keys), fix_keys)
    return {key: fix.title for key, fix in known.items()}


def fix_in_guides(fix: FixNow, only: Filter = REAL) -> list[FixInGuide]:
    """What came of this fix in each guide? Most shown first, a later revision before an earlier.

    A guide that holds it has a row for the revision of now, shown or not.
    """
    counted = sums(FixCount, only, "slice__guide__key", "fix_revision", fix_key=fix.key)
    places = _places(fix.key, only)
    names = titles()
    shown: Counter[str] = Counter()
    for (guide, _revision), counts in counted.items():
        shown[guide] += counts["shown"]
    rows = [
        FixInGuide(guide, names[guide], places.get(guide), revision, tally(counts))
        for guide, revision in counted.keys() | {(guide, fix.revision) for guide in places}
        for counts in [counted.get((guide, revision), Counts())]
    ]
    return sorted(
        rows, key=lambda row: (-shown[row.guide_key], row.title, row.guide_key, -row.revision)
    )


def fix_on_platforms(fix: FixNow, only: Filter = REAL) -> list[FixOnPlatform]:
    """What came of this fix on each platform, in all guides together?"""
    counted = sums(FixCount, only, "slice__platform", "fix_revision", fix_key=fix.key)
    rows = [
        FixOnPlatform(platform, revision, tally(counts))
        for (platform, revision), counts in counted.items()
    ]
    return sorted(rows, key=lambda row: (-row.revision, -row.tally.shown, row.platform))


def apart(rows: Iterable[FixInGuide]) -> tuple[Rated, Rated] | None:
    """The guides in which the fix works clearly best and least: their intervals do not touch.

    Only one revision is looked at, the newest that two guides have tried often enough.
    """
    by_revision: defaultdict[int, list[Rated]] = defaultdict(list)
    for row in rows:
        if row.tally.rate and row.tally.rate.enough:
            by_revision[row.revision].append((row, row.tally.rate))
    comparable = [revision for revision, tried in by_revision.items() if len(tried) > 1]
    if not comparable:
        return None
    tried = by_revision[max(comparable)]
    best = max(tried, key=lambda each: each[1].low)
    least = min(tried, key=lambda each: each[1].high)
    return (best, least) if best[1].low > least[1].high else None


def _fixes_now(fixes: QuerySet[Fix], wanted: Set[str]) -> dict[str, FixNow]:
    """These fixes by key, and those of the wanted ones that were deleted.

    Called as in the site's own language where it can be.
    """
    titles: dict[str, str] = {}
    revisions: dict[str, int] = {}
    pages: dict[str, tuple[tuple[int, str], ...]] = {}
    rows = fixes.order_by("key", "language")
    for key, title, revision, pk, language in rows.values_list(
        "key", "title", "revision", "pk", "language"
    ):
        if language == settings.LANGUAGE_CODE or key not in titles:
            titles[key] = title
        revisions[key] = max(revision, revisions.get(key, 0))
        pages[key] = (*pages.get(key, ()), (pk, language))
    found = {key: FixNow(key, title, revisions[key], pages[key]) for key, title in titles.items()}
    return found | _deleted(wanted - found.keys())


def _deleted(fix_keys: Set[str]) -> dict[str, FixNow]:
    """What these fixes are in the newest edition that is live or showed them last."""
    if not fix_keys:
        return {}
    shown = FixCount.objects.filter(fix_key__in=fix_keys, slice__fine=True).order_by()
    pairs = shown.values_list("slice__guide", "fix_key").annotate(last=Max("slice__edition"))
    last = {(guide, number) for guide, _fix, number in pairs}
    of_those = Q(guide__in={guide for guide, _n in last}, number__in={n for _guide, n in last})
    editions = Edition.objects.filter(Q(live=True) | of_those).order_by("pk")
    digests = {
        pk: digest
        for pk, digest, live, *edition in editions.values_list(
            "pk", "digest", "live", "guide", "number"
        )
        if live or tuple(edition) in last
    }
    known = outlines(digests)
    return {
        fix: FixNow(fix, title, revision)
        for pk in digests
        for (fix, revision), title in known[pk].titles.items()
        if fix in fix_keys
    }


def _holders(only: Filter) -> defaultdict[str, set[str]]:
    """The keys of the guides that hold each fix, live or in a draft, by its key."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    drafts = Placement.objects.filter(only.guides("guide__")).order_by()
    for fix, guide in drafts.values_list("fix__key", "guide__key"):
        found[fix].add(guide)
    for guide, _language, fixes in _live(only):
        for fix in fixes:
            found[fix].add(guide)
    return found


def _places(fix_key: str, only: Filter) -> dict[str, Place]:
    """Where this fix is, by the key of the guide that holds it.

    What visitors see comes before what only a draft says, and the site's own language before
    others.
    """
    found: dict[str, Place] = {}
    in_editions = (
        (guide, language, fixes.index(fix_key) + 1)
        for guide, language, fixes in _live(only)
        if fix_key in fixes
    )
    for live, places in ((False, _in_drafts(fix_key, only)), (True, in_editions)):
        for guide, _language, number in sorted(places, key=_own_last):
            found[guide] = Place(number, live)
    return found


def _own_last(place: tuple[str, str, int]) -> bool:
    return place[1] == settings.LANGUAGE_CODE


def _in_drafts(fix_key: str, only: Filter) -> Iterable[tuple[str, str, int]]:
    """The key and the language of each guide whose draft has this fix, and its place there."""
    same = Placement.objects.filter(guide=OuterRef("guide"))
    before = Q(position__lt=OuterRef("position"))
    up_to_it = before | Q(position=OuterRef("position"), pk__lte=OuterRef("pk"))
    number = same.filter(up_to_it).order_by().values("guide").values(number=Count("pk"))
    held = Placement.objects.filter(only.guides("guide__"), fix__key=fix_key).order_by("guide_id")
    return held.values_list("guide__key", "guide__language", Subquery(number))


def _live(only: Filter) -> list[tuple[str, str, list[str]]]:
    """The key and the language of each live guide, and its fixes in their order."""
    live = Edition.objects.live().filter(only.guides("guide__")).order_by("guide_id")
    rows = list(live.values_list("pk", "digest", "guide__key", "language"))
    known = outlines({pk: digest for pk, digest, _guide, _language in rows})
    return [
        (guide, language, [fix for fix, _revision in known[pk].titles])
        for pk, _digest, guide, language in rows
    ]
