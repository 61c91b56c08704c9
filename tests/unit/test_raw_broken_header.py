"""A header that a broken line cuts short never turns Bcc into text."""

from __future__ import annotations

import pytest

from tui_mailer.domain.errors import InvalidMessage
from tui_mailer.domain.raw import read_raw


@pytest.mark.parametrize("field", ["Bcc", "BCC ", "Resent-Bcc"])
@pytest.mark.parametrize("broken", ["no header here", " ", "\t", "B\xe4d: x", "Bc\0c: x"])
def test_a_bcc_behind_a_broken_line_is_refused(broken: str, field: str) -> None:
    """Everybody would read whom it names, and they would get nothing: the message is refused, the line named."""
    octets = f"To: a@x.test\n{broken}\nSubject: x\n{field}: b@x.test\n\nbody\n".encode("latin-1")
    with pytest.raises(InvalidMessage, match="Bcc comes after it"):
        read_raw(octets)


@pytest.mark.parametrize("text", ["Bcc: text\n", "\nBcc: text\n", "no header here\n\nBcc: text\n"])
def test_a_text_may_speak_of_bcc(text: str) -> None:
    """Behind an empty line it is text, whatever it looks like."""
    raw = read_raw(f"To: a@x.test\nSubject: x\n\n{text}".encode())
    assert raw.data.endswith(text.replace("\n", "\r\n").encode())


def test_a_broken_header_without_bcc_is_as_sendmail_has_it() -> None:
    """The broken line begins the text."""
    assert read_raw(b"To: a@x.test\nno header here\nx\n").data == b"To: a@x.test\r\n\r\nno header here\r\nx\r\n"
