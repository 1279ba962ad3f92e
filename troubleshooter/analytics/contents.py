"""What a guide holds and held: the names and the order of its fixes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.conf import settings

from troubleshooter.models import Edition, Outline, outlines


@dataclass(frozen=True, slots=True)
class Layout:
    """A guide as it is and as it was: what its fixes are called and where they stand."""

    editions: Mapping[int, Outline]  # by id, newest first
    titles: Mapping[tuple[str, int], str]  # (fix, revision), by the latest text in our language
    names: Mapping[str, str]  # of each fix, likewise
    current: frozenset[tuple[str, int]]  # what the guide holds now, in each live language
    places: Mapping[str, int]  # in the guide's order; what is no longer in it comes last

    def sorted(self, fixes: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
        """These (fix, revision) in the guide's order, a later revision before an earlier one."""
        return sorted(fixes, key=lambda fix: (self.places[fix[0]], -fix[1]))

    def placed(self, key: str) -> bool:
        """Whether the guide still has this fix, in whatever revision."""
        return any(key == current for current, _revision in self.current)


def layout(guide_key: str) -> Layout:
    """What a guide holds now, and everything that it ever held."""
    newest_first = (
        Edition.objects.published().filter(guide__key=guide_key).order_by("-published_at", "-pk")
    )
    editions = list(newest_first.values_list("pk", "digest", "live", "language"))
    known = outlines({pk: digest for pk, digest, _live, _language in editions})
    all_outlines = [known[pk] for pk, *_rest in editions]
    now = [known[pk] for pk, _digest, live, _language in editions if live] or all_outlines[:1]
    # A later text replaces an earlier one, and the site's own language those of the others.
    own = [each[3] == settings.LANGUAGE_CODE for each in editions]
    by_age = list(zip(editions, own, strict=True))[::-1]
    own_last = [each for each, is_own in by_age if not is_own]
    own_last += [each for each, is_own in by_age if is_own]
    old_to_new = [fix for pk, *_rest in own_last for fix in known[pk].titles.items()]
    keys = [key for outline in [*now, *all_outlines] for key, _revision in outline.titles]
    return Layout(
        editions={pk: known[pk] for pk, *_rest in editions},
        titles=dict(old_to_new),
        names={key: title for (key, _revision), title in old_to_new},
        current=frozenset(fix for outline in now for fix in outline.titles),
        places={key: place for place, key in enumerate(dict.fromkeys(keys))},
    )
