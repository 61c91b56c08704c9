"""What a message has and the form has no field for: named before it goes, and never at odds with what was written."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from app_stage import LARGE, Stage, configuration_of, on_stage, paths_in, smtp_account
from smtp_server import ScriptedServer

from tui_mailer.cli.main import main
from tui_mailer.domain.draft import BodyFormat, Draft
from tui_mailer.domain.errors import InvalidMessage
from tui_mailer.services.review import SealRequest

HTML = "<p>At <b>four</b>?</p>"
MADE_BY_A_SCRIPT = (
    *("--to", "bob@example.org", "--subject", "Tea", "--body", "At four?"),
    *("--header", "X-Campaign: spring", "--header", "List-Unsubscribe: <mailto:off@example.org>"),
    *("--in-reply-to", "<first@example.org>", "--references", "<zeroth@example.org>"),
    *("--meta", "order=7"),
)


def make_draft(folder: Path, port: int, *words: str) -> None:
    """Stores a draft as a script does."""
    paths = paths_in(folder)
    paths.config_file.parent.mkdir(parents=True, exist_ok=True)
    paths.config_file.write_text(
        "accounts:\n  work:\n    provider: smtp\n    from: Ada Lovelace <ada@example.org>\n"
        f"    host: 127.0.0.1\n    port: {port}\n    security: none\n"
    )
    paths.config_file.chmod(0o600)
    assert call(folder, "draft", "new", "--no-stdin", *words) == 0


def call(folder: Path, *words: str) -> int:
    paths = paths_in(folder)
    return main(["--config", str(paths.config_file), "--data-dir", str(paths.data_dir), *words])


async def open_draft(stage: Stage) -> None:
    await stage.press("f8")
    await stage.shows("Tea")
    await stage.press("enter")
    await stage.until(lambda: stage.app.compose_screen.form.read().subject == "Tea", "the draft in the form")


async def arrived(stage: Stage, server: ScriptedServer) -> EmailMessage:
    await stage.until(lambda: bool(server.stored), "it at the server")
    body = server.stored[0].body.replace(b"\r\n", b"\n")
    return email.message_from_bytes(body, policy=email.policy.default)


async def test_form_and_review_name_what_has_no_field(tmp_path: Path, server: ScriptedServer) -> None:
    """A draft that a script made: the form says what else there is, the review each with its value."""
    (tmp_path / "tea.html").write_text(HTML)
    make_draft(tmp_path, server.port, *MADE_BY_A_SCRIPT, "--tag", "tea", "--html-file", f"{tmp_path}/tea.html")
    async with on_stage(tmp_path, configuration_of(smtp_account(server.port)), size=LARGE) as stage:
        assert "Also" not in stage.text()
        await open_draft(stage)
        await stage.shows(
            "Also     HTML version (22 B), X-Campaign, List-Unsubscribe, ",
            "In-Reply-To, References, 1 tag, 1 metadata value",
        )
        await stage.press("ctrl+s")
        await stage.shows(
            "HTML         22 B, as it was given, beside the text",
            "In-Reply-To  <first@example.org>",
            "References   <zeroth@example.org>",
            "Header       X-Campaign: spring",
            "Header       List-Unsubscribe: <mailto:off@example.org>",
            "Tags         tea",
            "Metadata     order: 7",
        )
        await stage.press("escape", "ctrl+n")
        await stage.until(lambda: "Also" not in stage.text(), "nothing to name in an empty form")


async def test_html_that_says_the_old_text_does_not_go(tmp_path: Path, server: ScriptedServer) -> None:
    """The text is edited: neither the app nor a script sends it with the old HTML; one key leaves that out."""
    (tmp_path / "tea.html").write_text(HTML)
    make_draft(tmp_path, server.port, *MADE_BY_A_SCRIPT, "--html-file", str(tmp_path / "tea.html"))
    async with on_stage(tmp_path, configuration_of(smtp_account(server.port)), size=LARGE) as stage:
        await open_draft(stage)
        await stage.type(" No, five.")
        await stage.press("ctrl+s")
        await stage.shows("Error", "The HTML version still says the old text", "^T leaves the HTML out")
        await stage.until(stage.sends_now, "half a second")
        await stage.press("enter")
        (stored,) = await stage.app.desk.ask(lambda mailer: mailer.drafts())
        with pytest.raises(InvalidMessage, match="still says the old text"):
            await stage.app.desk.ask(lambda mailer: mailer.seal(stored.draft, SealRequest(draft=stored.ref)))
        assert call(tmp_path, "draft", "send", stored.id) == 65
        assert call(tmp_path, "draft", "send", "--dry-run", stored.id) == 65
        assert call(tmp_path, "draft", "send", "--check", stored.id) == 65
        await stage.press("ctrl+t")
        await stage.until(lambda: "HTML  " not in stage.text() and "X-Campaign: spring" in stage.text(), "a new sheet")
        await stage.confirm()
        message = await arrived(stage, server)
    assert message.get_content_type() == "text/plain"
    assert message.get_content() == "At four? No, five.\n"
    assert (message["X-Campaign"], message["In-Reply-To"]) == ("spring", "<first@example.org>")


async def test_details_name_it_as_well(tmp_path: Path) -> None:
    """Enter in the outbox: what is in a message beside its text is there, too."""
    headers = (("X-Campaign", "spring"),)
    draft = Draft(to="bob@example.org", subject="Tea", body="At four?", html=HTML, headers=headers)
    async with on_stage(tmp_path, size=LARGE) as stage:
        await stage.app.desk.ask(lambda mailer: mailer.seal(draft, SealRequest(hold=True)))
        await stage.press("f3")
        await stage.shows("held")
        await stage.press("enter")
        await stage.shows("HTML            22 B", "Header          X-Campaign: spring")


async def test_html_goes_with_the_text_it_was_given_with(tmp_path: Path, server: ScriptedServer) -> None:
    """Another subject is no other text, and an edit taken back is none; line ends of a script's aren't one either."""
    (tmp_path / "tea.html").write_text(HTML)
    html = ("--html-file", f"{tmp_path}/tea.html")
    make_draft(tmp_path, server.port, *MADE_BY_A_SCRIPT[:4], "--body", "At\x0b four?\r\n", *html)
    async with on_stage(tmp_path, configuration_of(smtp_account(server.port)), size=LARGE) as stage:
        await open_draft(stage)
        await stage.type("x")
        assert stage.app.compose_screen.form.read().is_html_outdated()
        await stage.press("backspace")
        stage.app.compose_screen.form.focus_field("subject")
        await stage.type(" time")
        assert not stage.app.compose_screen.form.read().is_html_outdated()
        await stage.review_and_send()
        message = await arrived(stage, server)
    assert message["Subject"] == "Tea time"
    version = message.get_body(("html",))
    assert version is not None
    assert version.get_content().strip() == HTML


async def test_an_edit_is_remembered_by_the_draft(tmp_path: Path, server: ScriptedServer) -> None:
    """Edited, put away and opened again, by way of the options too: the HTML still counts as outdated."""
    draft = Draft(to="bob@example.org", subject="Tea", body="At four?", html=HTML)
    async with on_stage(tmp_path, configuration_of(smtp_account(server.port)), size=LARGE, draft=draft) as stage:
        form = stage.app.compose_screen.form
        form.focus_field("body")
        await stage.type("x")
        form.keep_unshown(form.read())
        await stage.press("ctrl+o")
        await stage.until(lambda: form.read().is_empty(), "an empty form")
        await open_draft(stage)
        assert form.read().is_html_outdated()
        form.body.load_text("At four?")
        assert not form.read().is_html_outdated()


async def test_without_html_the_text_of_an_html_message_stays(tmp_path: Path, server: ScriptedServer) -> None:
    """A message that is HTML alone: its text comes into the form with the key, and goes."""
    draft = Draft(to="bob@example.org", subject="Tea", html=HTML)
    async with on_stage(tmp_path, configuration_of(smtp_account(server.port)), size=LARGE, draft=draft) as stage:
        await stage.shows("Also     HTML version (22 B)")
        await stage.press("ctrl+s")
        await stage.shows("as it was given; the text is made from it")
        await stage.press("ctrl+t")
        await stage.until(lambda: "as it was given" not in stage.text() and "Review:" in stage.text(), "a new sheet")
        await stage.confirm()
        message = await arrived(stage, server)
    assert message.get_content() == "At four?\n"


async def test_html_made_from_markdown_follows_the_text(tmp_path: Path, server: ScriptedServer) -> None:
    """Made anew from what was written: nothing is outdated, the review says what it is, and has no key for it."""
    draft = Draft(to="bob@example.org", subject="Tea", body="At *four*?", body_format=BodyFormat.MARKDOWN)
    async with on_stage(tmp_path, configuration_of(smtp_account(server.port)), size=LARGE, draft=draft) as stage:
        stage.app.compose_screen.form.focus_field("body")
        await stage.press("ctrl+end")
        await stage.type(" **Five**!")
        await stage.press("ctrl+s")
        await stage.shows("made from the text (Markdown)")
        assert "Text alone" not in stage.text()
        await stage.press("ctrl+t")
        await stage.confirm()
        message = await arrived(stage, server)
    html = message.get_body(("html",))
    assert html is not None
    assert "<strong>Five</strong>" in html.get_content()
