"""Choosing an account changes the form: what it can't carry, its options, its limits; accounts of any provider."""

from __future__ import annotations

from pathlib import Path

from app_stage import configuration_of, local_account, on_stage, smtp_account
from textual import events

from tui_mailer.accounts.configuration import Account, CredentialSource
from tui_mailer.domain.address import parse_address
from tui_mailer.domain.draft import Draft, DraftAttachment
from tui_mailer.providers import registry

PROMPT = CredentialSource(kind="prompt")


def api_account(name: str, provider: str, **settings: object) -> Account:
    """An account of a mail API that nobody asks."""
    return Account(
        name=name,
        provider=provider,
        identities=(parse_address("Ada <ada@example.org>"),),
        settings={"base_url": "http://127.0.0.1:9", **settings},
        credential=PROMPT,
    )


WHIPPY = api_account("crm", "whippy", channel="ada@example.org")
CHAT = api_account("chat", "respond_io", channel_id=7)
WORK = smtp_account(9)


async def test_choosing_an_account_marks_what_it_cannot_carry(tmp_path: Path) -> None:
    """A second To, Reply-To, a local file: each says why it is not carried and what to do, and goes again."""
    report = tmp_path / "report.pdf"
    report.write_bytes(b"x" * 1000)
    draft = Draft(
        to="bob@example.org, cy@example.org",
        reply_to="dee@example.org",
        subject="s",
        body="b",
        account="work",
        attachments=(DraftAttachment(source=str(report)),),
    )
    async with on_stage(tmp_path, configuration_of(WORK, CHAT), size=(120, 30), draft=draft) as stage:
        form = stage.app.compose_screen.form
        form.screen.set_focus(form.sender)
        await stage.press("right")
        await stage.shows("(chat)", "at most 1 To", "has no Reply-To", "links, not files", "with account 'work'")
        await stage.press("left")
        await stage.until(lambda: "has no Reply-To" not in stage.text(), "the complaints gone")
        assert form.read() == draft._replace(sender=form.sender.sender.address)


async def test_who_keeps_it_until_then_is_told_beside_when(tmp_path: Path) -> None:
    """Within its limits the provider, else the outbox, and where the border lies; whole at 60 columns too."""
    draft = Draft(to="bob@example.org", subject="s", body="b", schedule="in 2h", account="post")
    accounts = configuration_of(api_account("post", "resend"), CHAT)
    async with on_stage(tmp_path, accounts, size=(60, 20), draft=draft) as stage:
        form = stage.app.compose_screen.form

        def said() -> str:
            return " ".join(stage.text().split())

        await stage.until(lambda: "Resend keeps it itself up to " in said(), "the provider")
        await stage.until(lambda: "; later, this outbox does" in said(), "the border")
        form.screen.set_focus(form.inputs["schedule"])
        await stage.press("ctrl+u")
        await stage.type("in 40 days")
        await stage.until(lambda: "this outbox keeps it: Resend does only up to" in said(), "the outbox")
        form.screen.set_focus(form.sender)
        await stage.press("right")
        await stage.until(lambda: "this outbox keeps it until then" in said(), "respond.io has no schedule")
        form.screen.set_focus(form.inputs["schedule"])
        await stage.press("ctrl+u")
        await stage.until(lambda: "outbox keeps" not in said(), "nothing to keep")


async def test_a_time_that_only_the_provider_may_keep_is_refused_in_the_form(tmp_path: Path) -> None:
    """Asked to let the provider keep it, beyond its limit: told under When, with the way out."""
    draft = Draft(to="b@example.org", subject="s", body="b", schedule="in 40 days", schedule_by="provider")
    async with on_stage(tmp_path, configuration_of(api_account("post", "resend")), draft=draft) as stage:
        await stage.shows("can't keep it until then", "let the outbox keep it")


async def test_an_empty_form_is_not_scolded(tmp_path: Path) -> None:
    """What is missing yet is asked for when the message is sent, not before; what is closed says so beside it."""
    async with on_stage(tmp_path, configuration_of(CHAT)) as stage:
        await stage.shows("chat takes links, not files", "F7 options")
        await stage.press("f6")
        await stage.shows("chat has no Reply-To")
        assert not any(field.is_wrong for field in stage.app.compose_screen.form.fields.values())


async def test_the_options_are_a_form_made_from_the_model(tmp_path: Path) -> None:
    """F7: words by arrows, text by typing, the meaning of the row one is in; what is kept is in the draft."""
    async with on_stage(tmp_path, configuration_of(WHIPPY), size=(100, 30)) as stage:
        await stage.shows("F7 options")
        await stage.press("f7")
        await stage.shows("Options of this message, with account crm", "conversation status", "metadata")
        await stage.type("Ada L.")
        await stage.press("tab", "tab", "right")
        await stage.shows("open", "←→ choose")
        await stage.press("tab", "y", "ctrl+s")
        await stage.until(lambda: not stage.app.screen.is_modal, "the form")
        options = stage.app.compose_screen.form.read().options
        assert options == {"sender_name": "Ada L.", "conversation_status": "open", "opt_in_to_all_channels": "true"}


async def test_the_key_for_options_is_named_where_a_provider_has_tags_but_no_options_of_its_own(tmp_path: Path) -> None:
    """Brevo takes a template, tags and metadata, all set by the same key; what keeps mail here takes nothing more."""
    accounts = configuration_of(api_account("news", "brevo"), local_account())
    async with on_stage(tmp_path, accounts) as stage:
        await stage.shows("(news)", "F7 options")
        stage.app.compose_screen.form.screen.set_focus(stage.app.compose_screen.form.sender)
        await stage.press("right")
        await stage.shows("(local)")
        await stage.until(lambda: "F7 options" not in stage.text(), "the key gone")


async def test_an_option_that_cannot_be_is_named(tmp_path: Path) -> None:
    """The provider's own model judges; the form stays open with the sentence."""
    async with on_stage(tmp_path, configuration_of(api_account("sg", "sendgrid")), size=(100, 30)) as stage:
        await stage.shows("F7 options")
        await stage.press("f7")
        await stage.shows("asm group id")
        await stage.press("tab", "tab", "tab", "tab")
        await stage.type("many")
        await stage.press("ctrl+s")
        await stage.shows("Option 'asm_group_id'")
        await stage.press("escape")
        await stage.until(lambda: not stage.app.screen.is_modal, "the form")
        assert stage.app.compose_screen.form.read().options == {}


async def test_one_message_to_several_is_fanned_out_by_choice(tmp_path: Path) -> None:
    """An account with one To a message: refused, and one key sends each its own, grouped."""
    draft = Draft(to="bob@example.org, cy@example.org", subject="s", body="b")
    async with on_stage(tmp_path, configuration_of(WHIPPY, undo_seconds=60), draft=draft) as stage:
        await stage.press("ctrl+s")
        await stage.shows("at most 1 To", "^E sends each To a message of its own")
        await stage.press("enter")
        await stage.press("ctrl+e")
        await stage.shows("Enter sends all 2")
        await stage.until(stage.sends_now, "half a second")
        await stage.press("enter")
        await stage.shows("2 messages queued")
        both = await stage.app.desk.ask(lambda mailer: mailer.outbox())
        assert sorted(str(one.message.to[0]) for one in both) == ["bob@example.org", "cy@example.org"]
        assert len({one.group for one in both}) == 1
        assert both[0].group is not None


async def test_what_is_typed_over_the_review_lands_whole(tmp_path: Path) -> None:
    """A burst of letters and a paste over the sheet go back and stand in the field in the order typed."""
    draft = Draft(to="bob@example.org", subject="s", body="b")
    async with on_stage(tmp_path, draft=draft) as stage:
        form = stage.app.compose_screen.form
        form.focus_field("subject")
        await stage.press("ctrl+s")
        await stage.shows("nothing has been sent yet")
        for key in ("o", " ", "l", "a", "t", "e"):
            stage.app.post_message(events.Key("space" if key == " " else key, key))
        stage.app.post_message(events.Paste("!?"))
        await stage.until(lambda: form.inputs["subject"].value == "so late!?", "every letter")
        assert not stage.app.screen.is_modal


async def test_an_account_of_a_mail_api_is_added_by_the_form(tmp_path: Path) -> None:
    """F2 in the form chooses another provider; its fields come from its model, the rest by F6; then it is used."""
    async with on_stage(tmp_path, size=(100, 30)) as stage:
        await stage.press("f9", "n")
        await stage.shows("Add an SMTP account", "F2 Other provider")
        await stage.type("ada@work.example")
        await stage.press("f2")
        await stage.shows("How does its mail leave?", "mailgun")
        names = ["smtp", *sorted(set(registry.names()) - {"smtp"})]
        await stage.press(*["down"] * names.index("mailgun"), "enter")
        await stage.shows("Add an account: mailgun", "Domain", "API key", "ada@work.example")
        assert "Timeout seconds" not in stage.text()
        await stage.press("f6")
        await stage.shows("Timeout seconds", "Region")
        await stage.press("tab", "ctrl+u")
        await stage.type("mg.work.example")
        await stage.press("tab")
        await stage.type("key-123")
        await stage.press("ctrl+s")
        await stage.shows("(mailgun)")
        written = (tmp_path / "config" / "config.yaml").read_text()
        assert "provider: mailgun" in written
        assert "domain: mg.work.example" in written
        assert "key-123" not in written
