"""Bodies: what flowing, Markdown, HTML and signatures do to a text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mime_kit import bodies, unflow

from tui_mailer.domain.body import append_signature, flow, html_from_markdown, html_from_text, text_from_html

QUICK = settings(max_examples=150, deadline=None)


@pytest.mark.parametrize(
    ("typed", "flowed"),
    [
        ("", ""),
        ("one line", "one line\n"),
        ("one\r\ntwo\rthree\n", "one\ntwo\nthree\n"),
        ("trailing  \t\n", "trailing\n"),
        (" indented", "  indented\n"),
        ("From here on", " From here on\n"),
        ("Frominent", "Frominent\n"),
        ("> quoted\n>> twice", "> quoted\n>> twice\n"),
        ("-- \nAda", "-- \nAda\n"),
        ("\n\nx\n\n", "\n\nx\n\n"),
        ("x" * 78, "x" * 78 + "\n"),
        (">" * 90, ">" * 90 + "\n"),
    ],
)
def test_a_text_is_flowed_without_changing_what_it_says(typed: str, flowed: str) -> None:
    """Short lines stay; what a mailbox or a reader would misunderstand is stuffed with a space."""
    assert flow(typed) == flowed


def test_a_long_paragraph_is_wrapped_softly() -> None:
    """A long paragraph goes out in lines of up to 76 characters that a reader joins again."""
    typed = "lorem ipsum dolor " * 40 + "end"
    lines = flow(typed).splitlines()
    assert len(lines) > 5
    assert max(map(len, lines)) <= 76
    assert all(line.endswith(" ") for line in lines[:-1])
    assert unflow(flow(typed)) == typed + "\n"


def test_a_long_address_is_not_cut() -> None:
    """A link longer than a line stays in one piece on a line of its own."""
    link = "https://example.org/" + "x" * 200
    assert link + " " in flow(f"look at {link} and tell me").splitlines()


@pytest.mark.parametrize("word", ["From", ">", ">>"])
def test_a_wrapped_line_means_nothing_else(word: str) -> None:
    """A word that wrapping brings to the beginning of a line is stuffed: no quote, no mailbox line."""
    typed = f"{'x' * (75 - len(word))} {word} here {'z' * 60}"
    assert f"\n {word} here " in flow(typed)
    assert unflow(flow(typed)) == typed + "\n"


def test_a_wrapped_quote_stays_a_quote() -> None:
    """Every line that a long quoted line becomes is quoted as deeply."""
    lines = flow("> > " + "quoted words " * 20).splitlines()
    assert all(line.startswith((">> quoted", ">> words")) for line in lines)
    assert max(map(len, lines)) <= 78


@QUICK
@given(bodies)
def test_no_flowed_line_needs_an_encoding_that_a_word_does_not(body: str) -> None:
    """After flowing, a line is longer than 78 characters only if it is a single word or a run of spaces."""
    for line in flow(body).split("\n"):
        assert len(line) <= 78 or len(line.lstrip("> ").rstrip(" ").split(" ")) <= 1
        assert not line.startswith("From ")


@QUICK
@given(bodies)
def test_flowing_loses_no_word(body: str) -> None:
    """Whatever is wrapped, quoted or stuffed, all that isn't white space or a quote mark is still there, in order."""
    marks = str.maketrans("", "", " >\t\r\n")
    assert flow(body).translate(marks) == body.translate(marks)


@QUICK
@given(bodies)
def test_flowing_ends_with_one_line_end(body: str) -> None:
    """A text that isn't empty ends with a line end, and none is added to one that does."""
    flowed = flow(body)
    assert not flowed or flowed.endswith("\n")
    assert "\r" not in flowed
    assert flowed.count("\n") >= body.replace("\r\n", "\n").count("\n")


@pytest.mark.parametrize(
    ("body", "signature", "signed"),
    [
        ("Hi", "Ada", "Hi\n\n-- \nAda\n"),
        ("Hi\n\n\n", "\nAda\nPhone\n", "Hi\n\n-- \nAda\nPhone\n"),
        ("Hi", "-- \nAda", "Hi\n\n-- \nAda\n"),
        ("Hi\n\n-- \nAda\n", "Ada", "Hi\n\n-- \nAda\n"),
        ("Hi", " \n", "Hi"),
        ("", "Ada", "\n\n-- \nAda\n"),
    ],
)
def test_a_signature_stands_below_its_line(body: str, signature: str, signed: str) -> None:
    """The signature follows a "-- " line, once."""
    assert append_signature(body, signature) == signed


def test_markdown_becomes_a_small_html_document() -> None:
    """Emphasis, lists, tables and links work; a line break stays one."""
    html = html_from_markdown("Hi *you*\nand **all**\n\n- one\n\n[x](https://x.test)\n\n|a|b|\n|-|-|\n|1|2|\n")
    assert html.startswith("<!DOCTYPE html>\n<html>\n<head>")
    assert html.endswith("</body>\n</html>\n")
    for piece in (
        "<em>you</em><br>",
        "<strong>all</strong>",
        "<li>one</li>",
        '<a href="https://x.test">x</a>',
        "<td>2</td>",
    ):
        assert piece in html.replace("<br />", "<br>")


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "[x](javascript:alert(1))", '<img src="http://track.test">']
)
def test_markdown_carries_no_html_of_its_own(text: str) -> None:
    """HTML in the text is shown, not obeyed; a script is never linked."""
    html = html_from_markdown(text)
    assert "<script" not in html
    assert "<img" not in html
    assert 'href="javascript' not in html


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("", ""),
        ("<p>One</p><p>Two</p>", "One\n\nTwo\n"),
        ("a  lot\n of <b>space</b>", "a lot of space\n"),
        ("one<br>two<br/>three", "one\ntwo\nthree\n"),
        ('See <a href="https://x.test/a">this page</a>.', "See this page <https://x.test/a>.\n"),
        ('<a href="https://x.test/">x.test</a>', "x.test\n"),
        ('<a href="https://x.test">https://x.test/</a>', "https://x.test/\n"),
        ('<a href="mailto:a@b.test">a@b.test</a>', "a@b.test\n"),
        ('<a href="https://evil.test">https://bank.test</a>', "https://bank.test <https://evil.test>\n"),
        ('<a href="javascript:alert(1)">click</a>', "click\n"),
        ("<ul><li>one<li>two<ul><li>deep</ul></ul>", "* one\n* two\n  * deep\n"),
        ("<ol><li>one</li><li>two</li></ol>", "1. one\n2. two\n"),
        ("<p>Said:</p><blockquote>wise<br>words</blockquote><p>Yes</p>", "Said:\n\n> wise\n> words\n\nYes\n"),
        ("<pre>keep\n  this</pre>", "keep\n  this\n"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a\tb\nc\n"),
        ("<head><title>T</title><style>p{}</style></head><body>x<script>y</script></body>", "x\n"),
        ('<img src="cid:1" alt="A cat">', "A cat\n"),
        ("&lt;b&gt; &amp; &eacute;", "<b> & é\n"),
        ("above<hr>below", "above\n" + "-" * 40 + "\nbelow\n"),
        ("<h1>Title</h1>text", "Title\n\ntext\n"),
    ],
)
def test_html_reads_well_as_text(html: str, text: str) -> None:
    """A reader without HTML sees the same message: links with their targets, lists, quotes, no scripts."""
    assert text_from_html(html) == text


@QUICK
@given(
    st.lists(
        st.sampled_from(
            [
                "<p>",
                "</p>",
                "<ul>",
                "<li>",
                "</ul>",
                "<a href='http://x'>",
                "</a>",
                "<pre>",
                "</pre>",
                "<blockquote>",
                "</blockquote>",
                "<script>",
                "</script>",
                "<!--",
                "-->",
                "<![CDATA[",
                "&#0;",
                "&bogus;",
                "x",
                "\n",
                "<br",
                '"',
            ]
        ),
        max_size=30,
    ).map("".join)
)
def test_broken_html_still_reads_as_text(html: str) -> None:
    """Tags in any order, never closed or never opened, give a text and no error."""
    text = text_from_html(html)
    assert not text or text.endswith("\n")


def test_plain_text_as_html_keeps_lines_and_indents() -> None:
    """A provider that wants HTML too shows a plain text as it was written, and nothing in it becomes markup."""
    html = html_from_text("Dear Bob,\n\n  a < b\n  c  d\n\n\nAda & Co\n")
    assert "<p>Dear Bob,</p>" in html
    assert "<p>&nbsp; a &lt; b<br>\n&nbsp; c&nbsp; d</p>" in html
    assert "<p>Ada &amp; Co</p>" in html
    assert text_from_html(html).replace("\xa0", " ") == "Dear Bob,\n\n  a < b\n  c  d\n\nAda & Co\n"
