"""What a workflow's "Send email" block can do goes through SMTP here: copies, files, threads, variables, fall-back."""

from __future__ import annotations

import asyncio
import email
import email.policy
from pathlib import Path

from engine_bench import EngineBench, letter
from smtp_server import ScriptedServer

from tui_mailer.cli.expansion import expand_draft
from tui_mailer.domain.draft import DraftAttachment
from tui_mailer.domain.submission import State


async def test_every_field_of_the_block(bench: EngineBench, server: ScriptedServer, tmp_path: Path) -> None:
    """To and copy, From, files, In-Reply-To with References, variables in every field, metadata, a description."""
    report = tmp_path / "report.txt"
    report.write_text("figures\n")
    draft = letter(
        to="${who}@example.org",
        cc="copy@example.org",
        sender="ada@example.org",
        subject="Plan for ${who}",
        body="Dear ${who}, it costs $$5.\n",
        in_reply_to="<${thread}@example.org>",
        note="quarterly ${who}",
    )._replace(
        attachments=(DraftAttachment(source=str(report), name="${who}.txt"),),
        headers=(("X-Case", "${thread}"),),
        metadata={"contact": "${contact}", "owner": "2"},
        retries=0,
    )
    values = {"who": "bob", "thread": "t1", "contact": "contact4711"}
    (sent,) = await bench.deliver(bench.seal(expand_draft(draft._replace(variables=values), values)))
    assert sent.state is State.SENT
    message = email.message_from_bytes(server.stored[0].body, policy=email.policy.default)
    assert (message["To"], message["Cc"]) == ("bob@example.org", "copy@example.org")
    assert message["From"] == "Ada Lovelace <ada@example.org>"
    assert message["Subject"] == "Plan for bob"
    assert message["In-Reply-To"] == "<t1@example.org>"
    assert message["References"] == "<t1@example.org>"
    assert message["X-Case"] == "t1"
    assert "Dear bob, it costs $5." in message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    (attachment,) = message.iter_attachments()  # type: ignore[attr-defined]
    assert (attachment.get_filename(), attachment.get_content()) == ("bob.txt", "figures\n")
    assert (sent.response_code, sent.note) == (250, "quarterly bob")
    assert sent.response_text
    assert b"quarterly" not in server.stored[0].body
    assert b"contact4711" not in server.stored[0].body


async def test_contact_owner_and_description_are_kept(bench: EngineBench, server: ScriptedServer) -> None:
    """Metadata and the note are never sent and stay with the message."""
    sealed = bench.seal(letter(note="spring offer")._replace(metadata={"contact": "c4711", "owner": "o2"}))
    await bench.deliver(sealed)
    await bench.flush()
    known = bench.mailer.show(sealed.id)
    assert (known.note, dict(known.message.metadata)) == ("spring offer", {"contact": "c4711", "owner": "o2"})
    assert b"c4711" not in server.stored[0].body
    assert b"spring" not in server.stored[0].body


async def test_a_retry_count_bounds_the_tries(bench: EngineBench, server: ScriptedServer) -> None:
    """One retry: two attempts, then it has failed and says what the server said."""
    server.always("RCPT", "451 4.3.0 not now")
    (waiting,) = await bench.deliver(bench.seal(letter()._replace(retries=1)))
    assert waiting.state is State.DEFERRED
    bench.mailer.retry(waiting.id)
    (failed,) = await bench.deliver(waiting)
    assert (failed.state, failed.attempts) == (State.FAILED, 2)
    assert "not now" in (failed.response_text or "")


async def test_the_store_switch(server: ScriptedServer, tmp_path: Path) -> None:
    """With ``keep: false`` the history says who, when and what came of it, and holds neither text nor file."""
    bench = EngineBench(tmp_path, server.port, extra="    keep: false\n")
    secret = tmp_path / "secret.txt"
    secret.write_text("attached secret\n")
    draft = letter(body="very private words\n")._replace(attachments=(DraftAttachment(source=str(secret)),))
    (sent,) = await bench.deliver(bench.seal(draft))
    await bench.flush()
    known = bench.mailer.show(sent.id)
    assert known.is_in_history
    assert (known.message.subject, known.message.text, known.message.attachments) == ("Tea", None, ())
    await asyncio.to_thread(bench.session.close)
    held = b"".join(path.read_bytes() for path in (tmp_path / "data").glob("history.db*"))
    assert b"very private words" not in held
    assert b"secret.txt" not in held
    bench.reopen()
    bench.session.close()


async def test_a_limit_with_a_fall_back(server: ScriptedServer, tmp_path: Path) -> None:
    """An account that can't send hands over to the next one named, once."""
    async with ScriptedServer() as spare:
        extra = (
            "    fallback: [spare]\n  spare:\n    provider: smtp\n    from: ada@example.org\n    host: 127.0.0.1\n"
            f"    port: {spare.port}\n    security: none\n"
        )
        bench = EngineBench(tmp_path, 1, extra=extra)
        bench.seal(letter()._replace(account="work"))
        await bench.flush()
        await bench.flush()
        assert (len(server.stored), len(spare.stored)) == (0, 1)
        bench.session.close()
