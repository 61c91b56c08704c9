"""An answer whose lines disagree is no answer."""

from __future__ import annotations

import pytest
from smtp_account import make_provider
from smtp_server import Garbage, ScriptedServer

from tui_mailer.domain.errors import OutcomeUncertain
from tui_mailer.providers.smtp_reply import GarbledReply, ReplyParser
from tui_mailer.providers.testing import Recorder, make_outgoing


@pytest.mark.parametrize(
    "answer", [b"550-no\r\n250 ok\r\n", b"250-ok\r\n550 no\r\n", b"250-ok\r\n451-later\r\n250 ok\r\n"]
)
async def test_a_message_answered_with_yes_and_no_is_uncertain(answer: bytes) -> None:
    """Neither "sent" nor "refused" is believed when the server says both."""
    async with ScriptedServer() as server:
        server.on("DOT", Garbage(answer))
        provider = make_provider(server.port)
        with pytest.raises(OutcomeUncertain):
            await provider.send(provider.prepare(make_outgoing()), Recorder())
        await provider.close()


def test_one_code_on_every_line_is_one_answer() -> None:
    """The next answer may have another code, the next line of this one may not."""
    parser = ReplyParser()
    assert [reply.code for reply in parser.feed(b"250-a\r\n250 b\r\n451 c\r\n")] == [250, 451]
    with pytest.raises(GarbledReply):
        parser.feed(b"250-a\r\n251 b\r\n")
