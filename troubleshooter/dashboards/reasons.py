"""Why an order is as it is, what it gains, and what another would: in sentences."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from troubleshooter.forecast import Forecast, Gain, Outlook, Unknown, Why
from troubleshooter.learning import Held, Line
from troubleshooter.models.reading import Reading
from troubleshooter.proof import ENOUGH, ENOUGH_IN_ARM, Estimate, Proof, Verdict

from .wording import one_place, points, signed


def share(value: float) -> str:
    """A share in whole per cent: “31 %”."""
    return _("%(share)s %%") % {"share": number_format(round(100 * value))}


def minutes(value: float) -> str:
    """Minutes as one says them: “about 4 min”, “less than 1 min”."""
    whole = round(value)
    return _("about %(minutes)d min") % {"minutes": whole} if whole else _("less than 1 min")


def why(line: Line, reading: Reading) -> str:
    """Why a fix stands where it does, with the two numbers that decided it."""
    said = _("fixes %(share)s of the remaining cases in %(minutes)s") % {
        "share": share(line.chance),
        "minutes": minutes(line.minutes),
    }
    match line.held:
        case Held.DATA:
            held = _("too little is known yet, so your order stands")
        case Held.RISK:
            held = _("held back: what loses data comes last")
        case Held.AFTER:
            before = reading.by_key.get(line.held_by)
            held = _("must come after “%(fix)s”") % {"fix": before.title if before else "?"}
        case Held.PIN:
            held = _("pinned by you")
        case _:
            held = ""
    return f"{said}; {held}" if held else said


def gain(proof: Proof) -> dict[str, Any]:
    """What the learned order gains against the author's: a sentence, and the figures behind it."""
    found: dict[str, Any] = {"sentence": _verdict(proof), "proof": proof}
    if proof.saved and proof.resolved:
        found["minutes"] = _interval(proof.saved, signed)
        found["resolved"] = _interval(proof.resolved, points)
    return found


def _verdict(proof: Proof) -> str:
    match proof.verdict:
        case Verdict.NO_CHANCE:
            return _("Every session had the same order, so there is nothing to compare it with.")
        case Verdict.TOO_FEW:
            return _(
                "Too few sessions yet: %(parted)d of %(enough)d got past the place where the orders"
                " part, %(control)d of at least %(in_arm)d of them in your order."
            ) % {
                "parted": proof.triggered,
                "enough": ENOUGH,
                "control": proof.control,
                "in_arm": ENOUGH_IN_ARM,
            }
        case Verdict.BETTER:
            return _("The learned order saves %(minutes)s min per session.") % _saved(proof)
        case Verdict.WORSE:
            return _("The learned order costs %(minutes)s min per session.") % _saved(proof)
    return _("Not yet distinguishable: chance alone could have made the difference so far.")


def _saved(proof: Proof) -> dict[str, str]:
    return {"minutes": one_place(abs(proof.saved.mean)) if proof.saved else ""}


def _interval(estimate: Estimate | Gain, in_words: Any) -> dict[str, str]:
    value = estimate.mean if isinstance(estimate, Estimate) else estimate.value
    return {
        "value": in_words(value),
        "low": in_words(estimate.low),
        "high": in_words(estimate.high),
    }


def forecast(
    answer: Forecast, before: Sequence[str], after: Sequence[str], titles: Mapping[str, str]
) -> str:
    """What the other order would have done: “had “Restart” been 2nd, 3.1 min sooner …”."""
    far = max(after, key=lambda fix: abs(after.index(fix) - before.index(fix)))
    words = {"fix": titles[far], "place": after.index(far) + 1, "n": answer.n}
    words["said"] = _said(answer)
    return (
        _(
            "Had “%(fix)s” been at place %(place)d and the others as below: %(said)s"
            " (from %(n)d sessions)."
        )
        % words
    )


def _said(answer: Forecast) -> str:
    """The first figure that can be told from nothing: at the median, or on average."""
    for gain, sooner, later in (
        (
            answer.median,
            _("%(minutes)s min sooner at the median"),
            _("%(minutes)s min later at the median"),
        ),
        (
            answer.mean,
            _("%(minutes)s min sooner on average"),
            _("%(minutes)s min later on average"),
        ),
    ):
        if gain and not gain.low <= 0 <= gain.high:
            said = sooner if gain.value > 0 else later
            return said % {"minutes": one_place(abs(gain.value))}
    return _("sooner or later, the sessions do not tell")


def outlooks(answer: Forecast) -> list[dict[str, Any]]:
    """The forecast as rows: what is measured, both orders, and the difference with its interval."""

    def row(name: str, of: Any, gain: Gain | None, in_words: Any) -> dict[str, Any]:
        return {
            "name": name,
            "before": of(answer.before),
            "after": of(answer.after),
            "gain": _interval(gain, in_words) if gain else None,
        }

    return [
        row(_("Minutes until it was fixed, median"), _median, answer.median, signed),
        row(_("Minutes, at most 15, on average"), _mean, answer.mean, signed),
        row(_("Fixed within 15 minutes"), _resolved, answer.resolved, points),
    ]


def _median(outlook: Outlook) -> str:
    return _("over 15") if outlook.median is None else one_place(outlook.median)


def _mean(outlook: Outlook) -> str:
    return one_place(outlook.mean)


def _resolved(outlook: Outlook) -> str:
    return share(outlook.resolved)


def unknown(answer: Unknown, titles: Mapping[str, str]) -> str:
    """Why the sessions cannot say what another order would do."""
    words = {"fix": titles.get(answer.fix, ""), "n": answer.n, "known": share(answer.known)}
    match answer.why:
        case Why.FEW:
            said = ngettext(
                "there is only %(n)d session with this symptom",
                "there are only %(n)d sessions with this symptom",
                answer.n,
            )
        case Why.RARE:
            said = _("“%(fix)s” was hardly ever tried")
        case Why.IMPUTED:
            said = _("too much of the answer would be guessed: they settle %(known)s of it")
        case Why.MISFIT:
            said = _("the sessions do not behave as the forecast supposes")
        case _:
            said = _("the two orders do not hold the same fixes")
    return _("The data cannot say: %(why)s.") % {"why": said % words}
