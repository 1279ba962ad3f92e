"""A source, and the moves an editor made on its pieces, become a draft: for the command and the
review page alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from troubleshooter import outbound
from troubleshooter.models import Guide, Incoming, Picture, Source, Taken, Topic
from troubleshooter.models.reading import freeze_picture
from troubleshooter.pictures import MOST_BYTES, BadPicture
from troubleshooter.text import clean_text

from .article import Article, ArticlePicture
from .fitting import Draft, draft_of, language_of
from .moves import moved
from .pieces import Pieces, pieces_of
from .reading import read_article
from .source import text_of

MOST_PICTURES = 8  # fetched in one go: each may take ten seconds

Moves = Sequence[Sequence[str]]


@dataclass
class Understood:
    """A source that was read, sorted and moved; nothing of it is saved yet."""

    text: str
    name: str
    moves: Moves
    article: Article
    pieces: Pieces
    draft: Draft

    @property
    def language(self) -> str:
        return language_of(self.pieces.language)

    def moved(self, moves: Moves) -> "Understood":
        """The same source, not read again, with these moves made on its pieces."""
        pieces = moved(pieces_of(self.article), moves)
        return replace(self, moves=moves, pieces=pieces, draft=draft_of(pieces))

    def known(self, language: str = "") -> Guide | None:
        """The guide that was imported from this source before."""
        content = self.draft.content
        return Source.objects.known(self.text, self.name, content, language or self.language)

    def save(
        self,
        by: User | None,
        *,
        guide: Guide | None = None,
        topic: Topic | None = None,
        language: str = "",
    ) -> Taken:
        """Save it as a new draft, or as what `guide` becomes."""
        came = Incoming(
            self.text,
            self.name,
            language or self.language,
            self.draft.content,
            self.draft.contacts,
            self.moves,
        )
        return Source.objects.take(came, by, guide=guide, topic=topic)

    def fetch(self, wanted: Sequence[str]) -> list[str]:
        """Fetch the pictures of these addresses for the steps that show them.

        Returns a sentence for each that could not be had. To be called outside of a transaction:
        it talks to other servers.
        """
        refused = []
        shown = [(at, each) for at, each in self.draft.pictures.items() if each.address in wanted]
        for (fix, step), each in shown[:MOST_PICTURES]:
            try:
                picture = _fetched(each)
            except (outbound.OutboundError, BadPicture) as why:
                refused.append(f"{each.alt or each.address[:100]}: {why}")
            else:
                steps = self.draft.content["fixes"][fix]["steps"]
                steps[step]["picture"] = freeze_picture(picture, self.language)
        if len(shown) > MOST_PICTURES:
            said = _("%(most)d pictures are fetched at a time: import again for the others.")
            refused.append(said % {"most": MOST_PICTURES})
        return refused


def understand(data: bytes | str, name: str = "", moves: Moves = ()) -> Understood:
    """Read a source and make these moves on its pieces, or raise UnreadableArticle."""
    text = text_of(data)
    name = clean_text(name.replace("\x00", "")[-1_000:], most=5_000)
    name = PurePosixPath(name.replace("\\", "/")).name[-200:]
    article = read_article(text, name)
    pieces = moved(pieces_of(article), moves)
    return Understood(text, name, moves, article, pieces, draft_of(pieces))


def is_remote(picture: ArticlePicture) -> bool:
    """Whether a picture could be fetched at all."""
    return picture.address.startswith(("https://", "http://"))


def _fetched(picture: ArticlePicture) -> Picture:
    if not is_remote(picture):
        raise outbound.Refused(_("Only pictures at https:// or http:// can be fetched."))
    answer = outbound.fetch("GET", picture.address, most=MOST_BYTES + 1, redirects=3)
    if answer.status != 200:
        said = _("the server answers with status %(status)d.")
        raise outbound.Away(said % {"status": answer.status})
    name = PurePosixPath(picture.address.split("?")[0]).stem
    name = clean_text(name, most=5_000)[:80]
    return Picture.objects.store(answer.body, name, picture.alt[:300])
