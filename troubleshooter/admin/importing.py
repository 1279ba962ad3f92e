"""Import an article: upload or paste it, review what became of it, and only then save a draft.

Nothing is written before the last press. The form carries the source and the list of moves, signed;
each press makes one more move and draws the page anew from both.
"""

from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from troubleshooter.importing.article import UnreadableArticle
from troubleshooter.importing.moves import MOST_MOVES, Move, can, with_move
from troubleshooter.importing.saving import Understood, understand
from troubleshooter.importing.source import MOST_BYTES
from troubleshooter.models import Guide, Taken, Topic
from troubleshooter.text import BadText, clean_text
from troubleshooter.web import see_other

from .publishing import PublishingAdmin
from .review import Review, State, said_of
from .rows import NO_ADDRESS, Typed

SALT = "troubleshooter.admin.importing"
STAYS = ("", "keep", "save", "fixes", "dropped")  # acts that move no piece
LONGEST_TYPED = 5_000  # characters: what is longer than its field is shortened and told
NEW = "new"  # stands for a new guide where the id of one stands


class SourceForm(forms.Form):
    """An article: a file, or its text."""

    file = forms.FileField(
        label=gettext_lazy("A file"),
        required=False,
        allow_empty_file=True,
        help_text=gettext_lazy(
            "Markdown or HTML, at most 8 MiB; without embedded pictures at most"
            " 1,000,000 characters and 10,000 lines."
        ),
        widget=forms.FileInput(attrs={"accept": ".md,.mdx,.markdown,.html,.htm,.txt"}),
    )
    pasted = forms.CharField(
        label=gettext_lazy("or its text"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 12}),
    )

    def clean_file(self) -> "UploadedFile[bytes] | None":
        file = cast("UploadedFile[bytes] | None", self.cleaned_data["file"])
        if file and (file.size or 0) > settings.FILE_LIMIT:
            said = _(
                "This file has more than %(most)d MiB: leave its pictures out, or use"
                " “manage.py import_guide” for it."
            )
            raise forms.ValidationError(said % {"most": settings.FILE_LIMIT // (1024 * 1024)})
        return file

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self.errors:
            return data
        if not data.get("file") and not (data.get("pasted") or "").strip():
            raise forms.ValidationError(_("Choose a file, or paste the text of an article."))
        return data


class TargetForm(forms.Form):
    """Where the draft goes: into a new guide on a topic, or into one that is there."""

    use_required_attribute = False

    topic = forms.ModelChoiceField(
        Topic.objects.all(),
        label=gettext_lazy("Topic"),
        required=False,
        empty_label=gettext_lazy("choose one"),
    )
    new_topic = Typed(Topic, "name", label=gettext_lazy("or a new topic"))
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=settings.LANGUAGES)
    into = forms.ChoiceField(label=gettext_lazy("Save as"), widget=forms.RadioSelect)
    other = forms.SlugField(
        label=gettext_lazy("Address of another guide to update"),
        required=False,
        max_length=80,
        help_text=gettext_lazy("/g/…/; left empty, what is chosen above holds."),
        error_messages={"invalid": NO_ADDRESS},
    )

    def __init__(self, data: QueryDict | None, understood: Understood, state: State) -> None:
        known = Guide.objects.filter(pk=state.guide).first() if state.guide else None
        first = str(known.pk) if known else NEW
        initial = {"language": understood.language, "into": first}
        super().__init__(data, initial=initial, label_suffix="")
        choices = [(NEW, _("a new guide"))]
        if known:
            named = {"guide": known.title}
            choices.insert(0, (str(known.pk), _("an update of “%(guide)s”") % named))
        into = cast(forms.ChoiceField, self.fields["into"])
        into.choices = choices
        if known:
            into.help_text = _(
                "This source was imported before. An update keeps all keys, so what visitors"
                " taught us stays, and what editors changed since."
            )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        data["guide"] = self._guide(data)
        topic = data.get("topic") or data.get("new_topic")
        if not data["guide"] and not topic and not self.errors:
            self.add_error("topic", _("Choose a topic, or name a new one."))
        return data

    def _guide(self, data: dict[str, Any]) -> Guide | None:
        if slug := data.get("other"):
            guide = Guide.objects.filter(slug=slug).first()
            if not guide:
                self.add_error("other", _("No guide is there."))
            return guide
        into = data.get("into") or NEW
        return None if into == NEW else Guide.objects.filter(pk=int(into)).first()


class ImportingAdmin(PublishingAdmin):
    """The two pages of an import."""

    def get_urls(self) -> list[URLPattern]:
        page = path(
            "import/",
            self.admin_site.admin_view(self.import_view),
            name="troubleshooter_guide_import",
        )
        return [page, *super().get_urls()]

    def import_view(self, request: HttpRequest) -> HttpResponse:
        if not self.may_write(request):
            raise PermissionDenied
        if request.method != "POST":
            return self._ask(request, SourceForm())
        if "state" in request.POST:
            return self._press(request)
        form = SourceForm(request.POST, request.FILES)
        if not form.is_valid():
            return self._ask(request, form)
        file = form.cleaned_data["file"]
        name = (file.name or "") if file else ""
        data = file.read(MOST_BYTES + 1) if file else form.cleaned_data["pasted"]
        try:
            understood = understand(data, name)
        except UnreadableArticle as refused:
            form.add_error("file" if file else "pasted", str(refused))
            return self._ask(request, form)
        state = State(understood.text, understood.name)
        return self._again(request, state, understood)

    def _again(self, request: HttpRequest, state: State, understood: Understood) -> HttpResponse:
        """The first sight of a source; the moves of its last import are made again."""
        known = understood.known()
        source = getattr(known, "source", None)
        if known and source:
            state.guide = known.pk
            understood = understood.moved([Move(*move) for move in source.moves])
        return self._draw(request, state, understood, TargetForm(None, understood, state))

    def _press(self, request: HttpRequest) -> HttpResponse:
        """One press on the review page."""
        state = _unsigned(request.POST["state"])
        if state is None:
            messages.error(request, _("This page was too old or damaged: choose the source again."))
            return self._ask(request, SourceForm())
        understood = understand(state.text, state.name, state.moves)
        act, _colon, target = request.POST.get("act", "").partition(":")
        told = ""
        if act != "undo":  # what is undone is in the fields, too
            understood, told = _with_texts(understood, request.POST)
        if act == "save" and not told:
            form = TargetForm(request.POST, understood, state)
            if form.is_valid():
                return self._save_import(request, understood, form)
            return self._draw(request, state, understood, form)
        if act not in STAYS and not told:
            understood, told = _after(understood, act, target)
        form = TargetForm(None, understood, state)
        form.initial = {name: request.POST.get(name, "") for name in form.fields}
        return self._draw(request, state, understood, form, said=told)

    def _save_import(
        self, request: HttpRequest, understood: Understood, form: TargetForm
    ) -> HttpResponse:
        data, by = form.cleaned_data, cast(User, request.user)
        wanted = request.POST.getlist("picture")
        if wanted and not request.user.has_perm("troubleshooter.add_picture"):
            raise PermissionDenied
        refused = understood.fetch(wanted)
        topic = data["topic"]
        if not data["guide"] and data["new_topic"]:
            topic = Topic.objects.called(data["new_topic"])
        taken = understood.save(by, guide=data["guide"], topic=topic, language=data["language"])
        self._tell(request, understood, taken, refused)
        return see_other(reverse("admin:troubleshooter_guide_change", args=[taken.guide.pk]))

    def _tell(
        self, request: HttpRequest, understood: Understood, taken: Taken, refused: list[str]
    ) -> None:
        if taken.new:
            said = _("Imported as a draft. Say how risky each fix is before you publish.")
            self.log_addition(request, taken.guide, said)
        elif taken.changed:
            said = _("The draft is updated from its source. Visitors see it when you publish.")
            self.log_change(request, taken.guide, said)
        else:
            said = _("The source says nothing new: the draft is as it was.")
        messages.success(request, said)
        for sentence in (*taken.told, *understood.draft.told):
            messages.info(request, sentence)
        for sentence in refused:
            messages.warning(request, _("A picture was not fetched. %(why)s") % {"why": sentence})

    def _ask(self, request: HttpRequest, form: SourceForm) -> HttpResponse:
        return self._import_page(request, "import", _("Import an article"), form=form)

    def _draw(
        self,
        request: HttpRequest,
        state: State,
        understood: Understood,
        form: TargetForm,
        said: str = "",
    ) -> HttpResponse:
        act, _colon, number = request.POST.get("act", "").partition(":")
        shown = {name: request.POST.get(f"{name}_page", "1") for name in ("fixes", "dropped")}
        if act in shown:
            shown[act] = number
        review = Review(understood, shown)
        context = {
            "review": review,
            "form": form,
            "state": signing.dumps(state.packed(understood.moves), salt=SALT, compress=True),
            "moves": len(understood.moves),
            "said": said,
            "wanted": set(request.POST.getlist("picture")),
            "may_fetch": request.user.has_perm("troubleshooter.add_picture"),
        }
        title = _("Review what becomes of the article")
        return self._import_page(request, "review", title, **context)

    def _import_page(
        self, request: HttpRequest, name: str, title: str, **context: Any
    ) -> HttpResponse:
        context |= {
            **self.admin_site.each_context(request),
            "is_nav_sidebar_enabled": False,  # source and result stand side by side
            "opts": self.opts,
            "title": title,
        }
        return TemplateResponse(request, f"admin/troubleshooter/guide/{name}.html", context)


def _after(understood: Understood, verb: str, target: str) -> tuple[Understood, str]:
    """After one press, and what is to be said of it."""
    moves = [Move(*move) for move in understood.moves]
    if verb == "undo":
        return understood.moved(moves[:-1]), _("The last move is undone.")
    target, _colon, word = target.partition(":")
    move = Move(verb, target, word)
    if len(moves) >= MOST_MOVES:
        return understood, _("That are too many moves: save the draft and go on at the desk.")
    if not can(understood.pieces, move):
        return understood.moved(moves), _("That cannot be done here, so nothing was changed.")
    return understood.moved(with_move(moves, move)), said_of(verb)


def _with_texts(understood: Understood, data: QueryDict) -> tuple[Understood, str]:
    """Titles and summary as typed become moves; and what is wrong with one, if anything is."""
    pieces = understood.pieces
    before = [Move(*move) for move in understood.moves]
    moves = list(before)
    here = {"title": ("title", "", pieces.title), "summary": ("summary", "", pieces.summary)}
    here |= {f"fix.{fix.id}": ("rename", fix.id, fix.title) for fix in pieces.fixes}
    for name, (verb, target, now) in here.items():
        if name not in data:
            continue
        try:
            typed = clean_text(str(data[name]), most=LONGEST_TYPED)
        except BadText as refused:
            return understood, str(refused)
        new = typed != clean_text(now, most=4 * len(now) + 1) and (typed or verb == "summary")
        if new and len(moves) < MOST_MOVES:
            moves = with_move(moves, Move(verb, target, typed))
    return (understood.moved(moves) if moves != before else understood), ""


def _unsigned(text: str) -> State | None:
    try:
        return State(**signing.loads(text, salt=SALT))
    except signing.BadSignature:
        return None
