"""Message options, mailto links and ${variables}: what a draft is made of."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from program_run import TuiMailer

from tui_mailer.cli.exit_code import UsageError
from tui_mailer.cli.expansion import expand, expand_draft
from tui_mailer.cli.mailto import read_mailto
from tui_mailer.cli.message_options import Input, add_message_options, read_draft
from tui_mailer.cli.parsing import Parser
from tui_mailer.domain.draft import BodyFormat, Draft, DraftAttachment
from tui_mailer.domain.errors import InvalidMessage, NotFound


def draft_of(*words: str, base: Draft | None = None, source: Input | None = None) -> Draft:
    """Reads options without any stdin."""
    parser = Parser(prog="test")
    add_message_options(parser)
    return read_draft(parser.parse_args(["--no-stdin", *words]), source or Input(), base=base)


def test_every_message_option_reaches_the_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each option of the public interface has its place in the draft."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "body.md").write_bytes("\ufeff# Hällo\r\n".encode())
    (tmp_path / "page.html").write_text("<p>Hi</p>")
    words = """
        --from ada@example.org --to a@example.org --to b@example.org,c@example.org --cc d@example.org
        --bcc e@example.org --reply-to f@example.org --subject Hello --body-file body.md --format markdown
        --html-file page.html --attach plan.pdf --as Plan.pdf --type application/x-plan
        --attach https://example.org/x.zip --attach ref:invoice/1 --inline logo=pic.png --in-reply-to <1@x>
        --references <0@x> --references <1@x> --tag spring --tag list=news --meta order=17 --template t1
        --var who=Ada --option dsn=never --at tomorrow --retries 3 --note mine
    """.split()  # noqa: SIM905 - it reads as it is typed
    draft = draft_of(*words, "--header", "X-One: two: three", source=Input(account="work"))
    assert draft == Draft(
        account="work",
        sender="ada@example.org",
        to="a@example.org, b@example.org,c@example.org",
        cc="d@example.org",
        bcc="e@example.org",
        reply_to="f@example.org",
        subject="Hello",
        body="# Hällo\n",
        body_format=BodyFormat.MARKDOWN,
        html="<p>Hi</p>",
        attachments=(
            DraftAttachment(source=str(tmp_path / "plan.pdf"), name="Plan.pdf", media_type="application/x-plan"),
            DraftAttachment(source="https://example.org/x.zip"),
            DraftAttachment(source="ref:invoice/1"),
            DraftAttachment(source=str(tmp_path / "pic.png"), content_id="logo"),
        ),
        schedule="tomorrow",
        in_reply_to="<1@x>",
        references="<0@x> <1@x>",
        headers=(("X-One", "two: three"),),
        tags=(("spring", None), ("list", "news")),
        metadata={"order": "17"},
        template="t1",
        variables={"who": "Ada"},
        options={"dsn": "never"},
        retries=3,
        note="mine",
    )


def test_an_inline_path_with_an_equals_sign_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is really called a=b.png is found, not split."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a=b.png").write_bytes(b"")
    assert draft_of("--inline", "a=b.png").attachments[0].content_id == "a=b.png"


def test_a_body_file_that_is_missing_or_not_text_is_refused(tmp_path: Path) -> None:
    """A body that can't be read is told before anything is stored."""
    with pytest.raises(NotFound, match="Nothing was stored"):
        draft_of("--body-file", str(tmp_path / "none"))
    (tmp_path / "latin1").write_bytes(b"caf\xe9")
    with pytest.raises(InvalidMessage, match="isn't UTF-8"):
        draft_of("--body-file", str(tmp_path / "latin1"))
    with pytest.raises(UsageError, match="Only one"):
        draft_of("--body-file", "-", "--html-file", "-")


def test_stdin_is_the_body_only_where_nobody_else_gives_one(tui_mailer: TuiMailer) -> None:
    """A pipe or a file on stdin becomes the body, unless a body option or --no-stdin says otherwise."""
    to = ("draft", "new", "--json", "--to", "a@example.org")
    assert tui_mailer(*to, stdin=b"from stdin\n").json["body"] == "from stdin\n"
    assert tui_mailer(*to, "--body", "typed", stdin=b"from stdin\n").json["body"] == "typed"
    assert tui_mailer(*to, "--body", "", stdin=b"from stdin\n").json["body"] == ""
    assert tui_mailer(*to, "--no-stdin", stdin=b"from stdin\n").json["body"] == ""
    assert tui_mailer(*to, "--body-file", "-", stdin=b"from stdin\n").json["body"] == "from stdin\n"


def test_a_mailto_link_fills_in_what_it_may() -> None:
    """To, Cc, Bcc, subject, body and the thread come from the link, percent-decoded; a plus stays one."""
    link = read_mailto(
        "mailto:a+b@example.org,%22L,%20F%22%20%3Cc@example.org%3E?To=d@example.org&CC=e@example.org&bcc=f@example.org"
        "&subject=Gr%C3%BC%C3%9Fe%20%26%20mehr&body=one%0D%0Atwo&In-Reply-To=%3C1@x%3E#fragment"
    )
    assert link.ignored == ()
    assert link.draft == Draft(
        to='a+b@example.org,"L, F" <c@example.org>, d@example.org',
        cc="e@example.org",
        bcc="f@example.org",
        subject="Grüße & mehr",
        body="one\ntwo",
        in_reply_to="<1@x>",
    )


def test_a_mailto_link_attaches_nothing_and_injects_nothing() -> None:
    """A stranger's link can't name files, a sender or headers, nor smuggle lines into a header."""
    link = read_mailto(
        "mailto:a@example.org?attach=/etc/passwd&Attachment=x&from=boss@example.org&x-evil=1&subject=a%0D%0ABcc:%20e@x%1B[2J"
    )
    assert link.ignored == ("attach", "attachment", "from", "x-evil")
    assert link.draft == Draft(to="a@example.org", subject="a Bcc: e@x[2J")


def test_options_complete_a_link() -> None:
    """Options given beside a link add recipients and replace its texts."""
    base = read_mailto("mailto:a@example.org?subject=old&body=kept").draft
    draft = draft_of("--to", "b@example.org", "--subject", "new", base=base)
    assert (draft.to, draft.subject, draft.body) == ("a@example.org, b@example.org", "new", "kept")


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("Dear ${name}", "Dear Ada"),
        ("${ name }", "Ada"),
        ("$$5 and $3 and $name", "$5 and $3 and $name"),
        ("$${name}", "${name}"),
        ("${name}${empty}!", "Ada!"),
        ("${tricky}", "${name} $$"),
    ],
)
def test_variables_are_replaced_once(text: str, expanded: str) -> None:
    """A value goes in as it is; what looks like a variable inside it stays text."""
    assert expand(text, {"name": "Ada", "empty": "", "tricky": "${name} $$"}) == expanded


@given(st.text(alphabet=st.characters(exclude_characters="$")), st.text())
def test_text_without_a_dollar_never_changes(text: str, value: str) -> None:
    """Nothing but variables is touched."""
    assert expand(text, {"x": value}) == text


def test_a_missing_variable_is_named_with_its_field() -> None:
    """A missing variable is refused, and says which and where."""
    with pytest.raises(InvalidMessage, match=r"\$\{age\}") as caught:
        expand_draft(Draft(subject="${name}", body="${age}"), {"name": "Ada"})
    assert caught.value.field == "body"


def test_a_value_cannot_become_markup() -> None:
    """Values are escaped where they go into HTML."""
    draft = expand_draft(Draft(html="<p>${name}</p>", body="${name}"), {"name": "<b>&"})
    assert (draft.html, draft.body) == ("<p>&lt;b&gt;&amp;</p>", "<b>&")


def test_expansion_happens_only_when_asked_for() -> None:
    """Without --expand a body may speak of ${anything}."""
    assert draft_of("--body", "${name}", "--var", "name=Ada").body == "${name}"
    assert draft_of("--body", "${name}", "--var", "name=Ada", "--expand").body == "Ada"
