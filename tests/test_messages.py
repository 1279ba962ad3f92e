"""The catalogs: every sentence of the interface in German, Spanish and Arabic.

`make messages` brings new strings into locale/*/LC_MESSAGES/django.po and compiles them. What is
still to be translated is listed by the first test, by language and by who reads it.
"""

import ast
import gettext
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from unittest import TestCase

import polib
from django.conf import settings
from django.utils.translation.template import templatize

ROOT = settings.BASE_DIR
LANGUAGES = ("de", "es", "ar")
CALLS = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy"}
VISITORS = {
    *("views", "asking", "following", "handover", "languages", "web", "flow", "text", "letters"),
    *("transcript", "follow_ups", "sessions"),
}
# How many strings may wait for a translator. Raise one only for the time of a merge.
MOST_WAITING = {
    (language, readers): 0 for language in LANGUAGES for readers in ("visitors", "staff")
}
# In English and elsewhere: %(name)s and %(name)d, %s after a doubled %, {} and {name}, tags.
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%%s|%%\(\w+\)s|\{\w*\}|</?strong[^>]*>")

Key = tuple[str, str]  # a message and its plural, empty when it has none


@cache
def sources() -> dict[Key, set[Path]]:
    """Every string that the code and the templates give to gettext, and where."""
    found: dict[Key, set[Path]] = {}
    code = [*ROOT.glob("troubleshooter/**/*.py"), *ROOT.glob("helpdesk/**/*.py")]
    for path in code:
        for key in _of_code(path.read_text()):
            found.setdefault(key, set()).add(path)
    for path in (ROOT / "templates").rglob("*.*"):
        for key in _of_template(path.read_text()):
            found.setdefault(key, set()).add(path)
    return found


def _of_code(text: str) -> Iterator[Key]:
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call) or getattr(node.func, "id", "") not in CALLS:
            continue
        given = [each.value for each in node.args if isinstance(each, ast.Constant)]
        texts = [value for value in given if isinstance(value, str)]
        if texts:
            yield texts[0], texts[1] if len(texts) > 1 else ""


def _of_template(text: str) -> Iterator[Key]:
    """What `makemessages` would give to xgettext: the template, turned into calls."""
    string = r"u?('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
    turned = templatize(text)
    for call in re.finditer(rf"\bngettext\({string}, {string},", turned):
        yield ast.literal_eval(call[1]), ast.literal_eval(call[2])
    for call in re.finditer(rf"(?:\bgettext|\b_)\({string}\)", turned):
        yield ast.literal_eval(call[1]), ""


def readers(paths: set[Path]) -> str:
    """Who reads a string: visitors, as soon as one page or mail of theirs says it."""
    for path in paths:
        template = ROOT / "templates" in path.parents and "admin" not in path.parts
        if (template and "numbers" not in path.name) or path.stem in VISITORS:
            return "visitors"
    return "staff"


def path_of(language: str, ending: str) -> Path:
    path: Path = ROOT / "locale" / language / "LC_MESSAGES" / f"django.{ending}"
    return path


@cache
def catalog(language: str) -> dict[Key, polib.POEntry]:
    entries = polib.pofile(str(path_of(language, "po")))
    return {(entry.msgid, entry.msgid_plural or ""): entry for entry in entries}


def translated() -> Iterator[tuple[str, Key, list[str]]]:
    """Every translation there is: its language, its original, and its one form or several."""
    for language in LANGUAGES:
        for key, entry in catalog(language).items():
            if entry.translated():
                forms = [form for _nth, form in sorted(entry.msgstr_plural.items())]
                yield language, key, forms or [entry.msgstr]


class CatalogTests(TestCase):
    def test_every_string_has_its_translation(self) -> None:
        for language in LANGUAGES:
            waiting: dict[str, list[str]] = {"visitors": [], "staff": []}
            for key, paths in sources().items():
                entry = catalog(language).get(key)
                if entry is None or not entry.translated():
                    waiting[readers(paths)].append(key[0])
            for who, texts in waiting.items():
                most = MOST_WAITING[language, who]
                with self.subTest(language, readers=who):
                    self.assertLessEqual(
                        len(texts),
                        most,
                        f"{len(texts)} wait for a translator:\n" + "\n".join(texts),
                    )

    def test_nothing_is_translated_that_nobody_says_any_more(self) -> None:
        for language in LANGUAGES:
            with self.subTest(language):
                self.assertEqual(set(catalog(language)) - set(sources()), set())

    def test_no_entry_is_a_guess(self) -> None:
        for language in LANGUAGES:
            entries = polib.pofile(str(path_of(language, "po")))
            with self.subTest(language):
                self.assertFalse(entries.metadata_is_fuzzy)
                self.assertEqual([each.msgid for each in entries if each.fuzzy], [])
                self.assertEqual([each.msgid for each in entries if each.obsolete], [])

    def test_placeholders_are_those_of_the_original(self) -> None:
        """A plural form may leave out what it says in words: “two minutes”."""
        wrong = []
        for language, (text, plural), forms in translated():
            full = set(PLACEHOLDER.findall(plural or text))
            most = full | set(PLACEHOLDER.findall(text))
            held = [set(PLACEHOLDER.findall(form)) for form in forms]
            if held[-1] != full or any(names - most for names in held):
                wrong.append((language, text, forms))
        self.assertEqual(wrong, [])

    def test_plurals_have_as_many_forms_as_their_language(self) -> None:
        counts = {"de": 2, "es": 2, "ar": 6}
        wrong = [
            (language, text, forms)
            for language, (text, plural), forms in translated()
            if len(forms) != (counts[language] if plural else 1) or not all(forms)
        ]
        self.assertEqual(wrong, [])

    def test_blanks_and_line_ends_at_the_edges_are_kept(self) -> None:
        wrong = [
            (language, text, form)
            for language, (text, _plural), forms in translated()
            for form in forms
            if (form[0].isspace(), form[-1].isspace()) != (text[0].isspace(), text[-1].isspace())
        ]
        self.assertEqual(wrong, [])

    def test_what_is_compiled_is_what_is_written(self) -> None:
        for language in LANGUAGES:
            with path_of(language, "mo").open("rb") as compiled:
                held = vars(gettext.GNUTranslations(compiled))["_catalog"]
            held.pop("")
            written: dict[object, str] = {}
            for (text, plural), entry in catalog(language).items():
                if not entry.translated():
                    continue
                if plural:
                    written |= {(text, nth): form for nth, form in entry.msgstr_plural.items()}
                else:
                    written[text] = entry.msgstr
            with self.subTest(language):
                self.assertEqual(held, written, "stale: make messages")


class ExtractionTests(TestCase):
    """The test reads sources by itself, so that it needs no gettext tools."""

    def test_strings_of_code_are_found(self) -> None:
        code = '_("One") or gettext_lazy("Two" " three")\nngettext("a", "b", 2)\nother("No")'
        self.assertEqual(set(_of_code(code)), {("One", ""), ("Two three", ""), ("a", "b")})

    def test_strings_of_templates_are_found(self) -> None:
        template = (
            '{% load i18n %}{% translate "It’s “one”" %}<a title="{% translate \'x\' %}">'
            "{% blocktranslate trimmed count n=2 %}\n a {{ n }}\n{% plural %}b {{ n }}"
            "{% endblocktranslate %}{% blocktranslate %}plain 5%{% endblocktranslate %}"
        )
        self.assertEqual(
            set(_of_template(template)),
            {("It’s “one”", ""), ("x", ""), ("a %(n)s", "b %(n)s"), ("plain 5%%", "")},
        )
