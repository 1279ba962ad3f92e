"""Which fixes and steps are the same as before, so that keys, and the evidence kept by them, stay.

Pure. Contents are shaped as `freeze` shapes a draft. Three of them meet when a source is imported
again: the draft as it stands, what was imported last, and what the source gives now. What the
source changed is taken; what only the editor changed stays.
"""

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

Content = Mapping[str, Any]
Rows = list[dict[str, Any]]

MOST_COMPARED = 120  # rows of a side that are compared letter by letter; equal ones always are
ALIKE = 0.6  # from here on two texts are the same one, changed
_COMPARED = 400  # characters of a text that are compared

TEXTS = ("title", "summary", "about", "prevention", "closing")
_FIX_TEXTS = ("title", "why", "note")
_STEP_TEXTS = ("heading", "text", "picture")


@dataclass
class Merged:
    """The new draft; what was imported, with its keys; and the titles of fixes that came and went.

    `kept_out` are fixes of the source that an editor took out of the draft before.
    """

    content: dict[str, Any]
    imported: dict[str, Any]
    added: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    kept_out: list[str] = field(default_factory=list)


def keyed(new: Content, new_key: Callable[[], str]) -> dict[str, Any]:
    """The content with a fresh key for everything in it."""
    return {
        **new,
        "symptoms": [{**each, "key": new_key()} for each in new["symptoms"]],
        "fixes": [_fresh(fix, new_key) for fix in new["fixes"]],
    }


def _fresh(fix: Content, new_key: Callable[[], str]) -> dict[str, Any]:
    steps = [{**step, "key": new_key()} for step in fix["steps"]]
    return {**fix, "key": new_key(), "steps": steps}


def merged(draft: Content, before: Content | None, new: Content, make: Callable[[], str]) -> Merged:
    """`draft` with what `new` changes. `before` is what was imported last; None: nothing was."""
    before = before or {"fixes": [], "symptoms": []}
    old = {fix["key"]: fix for fix in before["fixes"]}
    here = {fix["key"]: fix for fix in draft["fixes"]}
    known = [*old.values(), *(fix for key, fix in here.items() if key not in old)]
    pairs = _pairs(known, list(new["fixes"]), _fix_words, _fix_likeness)
    result = Merged({}, {})
    fixes, imported = [], []
    for nth, fix in enumerate(new["fixes"]):
        match = pairs.get(nth)
        key = known[match]["key"] if match is not None else make()
        was = old.get(key)
        there = here.get(key)
        fresh = _with_step_keys(fix, there or was, was, make) | {"key": key}
        imported.append(fresh)
        if there:
            fixes.append(_fix(there, was, fresh))
        elif was:
            result.kept_out.append(fix["title"])
        else:
            fixes.append(fresh)
            result.added.append(fix["title"])
    gone = (old.keys() & here.keys()) - {fix["key"] for fix in imported}
    result.gone = [fix["title"] for key, fix in here.items() if key in gone]
    rows = _woven(draft["fixes"], before["fixes"], fixes, gone)
    symptoms, heard = _symptoms(draft, before, new, make)
    result.content = {**draft, **_texts(draft, before, new, TEXTS)}
    result.content |= _linked(rows, symptoms)
    result.imported = {**new, "fixes": imported, "symptoms": heard}
    return result


def likeness(one: Content, other: Content) -> float:
    """How much two contents are of the same thing, 0 to 1: by their titles, or their fixes."""
    fixes = max(len(one["fixes"]), len(other["fixes"]))
    same = _pairs(one["fixes"], other["fixes"], _fix_words, _fix_likeness)
    return max(_ratio(one["title"], other["title"]), len(same) / fixes if fixes else 0)


# --- Fields ---


def _texts(here: Content, before: Content, new: Content, names: Sequence[str]) -> dict[str, Any]:
    """What the source changed since it was imported last; the rest as the draft has it."""
    return {
        name: here[name] if name in before and before[name] == new[name] else new[name]
        for name in names
    }


def _fix(here: Content, before: Content | None, new: Content) -> dict[str, Any]:
    """A fix of the draft with what the source changed in it; time, risk and rules stay."""
    old = before or {"steps": []}
    steps = {step["key"]: step for step in old["steps"]}
    there = {step["key"]: step for step in here["steps"]}
    rows = []
    for step in new["steps"]:
        key = step["key"]
        if key in there:
            rows.append(
                {**there[key], **_texts(there[key], steps.get(key, {}), step, _STEP_TEXTS)}
                | ({} if step["picture"] else {"picture": there[key]["picture"]})
            )
        elif key not in steps:  # else an editor took it out
            rows.append(dict(step))
    gone = (steps.keys() & there.keys()) - {step["key"] for step in new["steps"]}
    woven = _woven(here["steps"], old["steps"], rows, gone)
    return {**here, **_texts(here, old, new, _FIX_TEXTS), "steps": woven}


def _with_step_keys(
    fix: Content, there: Content | None, was: Content | None, make: Callable[[], str]
) -> dict[str, Any]:
    """The fix, each of its steps with the key of the one it is, or with a new one."""
    old = list(was["steps"]) if was else []
    keys = {step["key"] for step in old}
    old += [step for step in (there["steps"] if there else ()) if step["key"] not in keys]
    pairs = _pairs(old, list(fix["steps"]), _step_words, _step_likeness)
    steps = [
        {**step, "key": old[pairs[nth]]["key"] if nth in pairs else make()}
        for nth, step in enumerate(fix["steps"])
    ]
    return {**fix, "steps": steps}


def _symptoms(
    draft: Content, before: Content, new: Content, make: Callable[[], str]
) -> tuple[Rows, Rows]:
    old = {each["key"]: each for each in before["symptoms"]}
    here = {each["key"]: each for each in draft["symptoms"]}
    known = [*old.values(), *(each for key, each in here.items() if key not in old)]
    pairs = _pairs(known, list(new["symptoms"]), _step_words, _step_likeness)
    rows, heard = [], []
    for nth, symptom in enumerate(new["symptoms"]):
        key = known[pairs[nth]]["key"] if nth in pairs else make()
        heard.append({**symptom, "key": key})
        if key in here:
            texts = _texts(here[key], old.get(key, {}), symptom, ("text",))
            rows.append({**here[key], **texts})
        elif key not in old:
            rows.append({**symptom, "key": key})
    gone = (old.keys() & here.keys()) - {each["key"] for each in heard}
    return _woven(draft["symptoms"], before["symptoms"], rows, gone), heard


def _linked(fixes: Rows, symptoms: Rows) -> dict[str, Rows]:
    """Nothing names a fix that is not there any more."""
    keys = {fix["key"] for fix in fixes}
    return {
        "fixes": [{**fix, "after": sorted(keys & set(fix["after"]))} for fix in fixes],
        "symptoms": [
            {**each, "start_with": sorted(keys & set(each["start_with"]))} for each in symptoms
        ],
    }


# --- Order ---


def _woven(here: Sequence[Content], before: Sequence[Content], new: Rows, gone: set[str]) -> Rows:
    """The rows of `new` with the editor's own among them.

    The order is the draft's as long as the source keeps its own, else the source's. A row that
    only one side has stands behind the one it follows there.
    """
    rows = {row["key"]: row for row in new}
    mine = [each["key"] for each in here if each["key"] not in gone]
    rows |= {each["key"]: dict(each) for each in here if each["key"] in mine} | rows
    old = [each["key"] for each in before]
    theirs = [row["key"] for row in new]
    same = [key for key in old if key in theirs] == [key for key in theirs if key in old]
    first, second = (mine, theirs) if same else (theirs, mine)
    order = list(first)
    for nth, key in enumerate(second):
        if key not in order:
            at = order.index(second[nth - 1]) + 1 if nth else 0
            order.insert(at, key)
    return [rows[key] for key in order]


# --- Likeness ---


def _pairs(
    old: Sequence[Content],
    new: Sequence[Content],
    words: Callable[[Content], str],
    like: Callable[[Content, Content], float],
) -> dict[int, int]:
    """For each new row that is an old one, which: equal ones first, then the most alike."""
    pairs: dict[int, int] = {}
    waiting: dict[str, list[int]] = {}
    for nth, row in enumerate(old):
        waiting.setdefault(words(row), []).append(nth)
    for nth, row in enumerate(new):
        if same := waiting.get(words(row)):
            pairs[nth] = same.pop(0)
    left = [nth for nth in range(len(old)) if nth not in pairs.values()][:MOST_COMPARED]
    come = [nth for nth in range(len(new)) if nth not in pairs][:MOST_COMPARED]
    scored = sorted(_scored(old, new, left, come, like), reverse=True)
    taken: set[int] = set()
    for score, _near, before, now in scored:
        if score >= ALIKE and before not in taken and now not in pairs:
            pairs[now] = before
            taken.add(before)
    return pairs


def _scored(
    old: Sequence[Content],
    new: Sequence[Content],
    left: Sequence[int],
    come: Sequence[int],
    like: Callable[[Content, Content], float],
) -> Iterator[tuple[float, int, int, int]]:
    """Each pair with its likeness; of equal ones those that stand nearer come first."""
    for before in left:
        for now in come:
            yield like(old[before], new[now]), -abs(before - now), before, now


def _bare(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def _fix_words(fix: Content) -> str:
    return _bare(fix["title"])


def _step_words(step: Content) -> str:
    return _bare(step["text"])


def _step_likeness(one: Content, other: Content) -> float:
    return _ratio(one["text"], other["text"])


def _fix_likeness(one: Content, other: Content) -> float:
    """By title and steps together: titles of other remedies may be much alike (restart this,
    restart that). Or by how many of the steps are the very same.
    """
    first, second = ([_step_words(step) for step in fix["steps"]] for fix in (one, other))
    same, every = set(first) & set(second), set(first) | set(second)
    titles = _ratio(one["title"], other["title"])
    steps = _ratio(" ".join(first), " ".join(second))
    return max((titles + steps) / 2, len(same) / len(every) if every else 0)


def _ratio(one: str, other: str) -> float:
    """How many pairs of letters two texts share, 0 to 1; the order of words matters little.

    Dice, L. R. (1945), Measures of the amount of ecologic association between species, for pairs
    of letters. It takes linear time, whatever the texts are.
    """
    first, second = _letters(one), _letters(other)
    total = first.total() + second.total()
    return 2 * (first & second).total() / total if total else 1.0


@lru_cache(maxsize=1_000)
def _letters(text: str) -> Counter[str]:
    bare = f" {_bare(text)} "[:_COMPARED]
    return Counter(map("".join, itertools.pairwise(bare)))
