"""Mail written before there was an account still goes where its writer was told it would go."""

from __future__ import annotations

from pathlib import Path

from tui_mailer.domain.draft import Draft
from tui_mailer.domain.submission import State
from tui_mailer.services.review import SealRequest
from tui_mailer.services.session import open_session

CONFIGURATION = """\
accounts:
  work: {provider: smtp, from: ada@example.org, host: 127.0.0.1, port: 2, security: none}
"""


def test_mail_waiting_in_the_embedded_account_outlives_the_first_account(tmp_path: Path):
    """Kept for later under ``local``, then an SMTP account is added: when due, it is kept on this computer."""
    config, data = tmp_path / "config.yaml", tmp_path / "data"
    config.write_text("compose: {undo_seconds: 0}\n")
    session = open_session(config=str(config), data_dir=str(data))
    (waiting,) = session.mailer.seal(Draft(to="bob@example.org", subject="Later", body="x"), SealRequest(hold=True))
    session.close()
    config.write_text(CONFIGURATION)
    session = open_session(config=str(config), data_dir=str(data))
    session.mailer.release(waiting.id)
    session.engine("send").deliver([waiting.id], timeout_seconds=20)
    ended = session.mailer.show(waiting.id)
    session.close()
    assert (ended.account, ended.state) == ("local", State.SENT)
