"""A large mail on its way: how far it is, in this app's row and, of another process, no more than is known."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

from app_stage import LARGE, configuration_of, on_stage, paths_in, smtp_account
from smtp_server import PAUSE, ScriptedServer

from tui_mailer.domain.draft import Draft, DraftAttachment
from tui_mailer.services.review import SealRequest

HUGE = 24_000_000
"""More than the two ends of a connection keep while nobody reads."""
PROGRESS = re.compile(r"[1-9]\d?(\.\d)? MB of 3\d MB sent")


def huge_file(folder: Path) -> Path:
    """A file that takes its time."""
    path = folder / "huge.bin"
    path.write_bytes(b"x" * HUGE)
    return path


async def test_the_apps_own_row_counts_the_bytes_in_flight(tmp_path: Path) -> None:
    """The server stops reading in the middle: the row says how much has left, the details don't say sending twice."""
    async with ScriptedServer() as server:
        server.on("BODY", PAUSE)
        path = huge_file(tmp_path)
        async with on_stage(tmp_path, configuration_of(smtp_account(server.port)), size=LARGE) as stage:
            draft = Draft(to="bob@example.org", subject="Huge", attachments=(DraftAttachment(source=str(path)),))
            await stage.app.desk.ask(lambda mailer: mailer.seal(draft, SealRequest()))
            stage.app.desk.nudge()
            await stage.press("f3")
            await stage.until(lambda: bool(PROGRESS.search(stage.text())), "the bytes that have left")
            await stage.press("enter")
            await stage.until(lambda: "Message-ID" in stage.text(), "the details")
            assert re.search(rf"sending: {PROGRESS.pattern}", stage.text())
            server.resumed.set()
            await stage.until(lambda: bool(server.stored), "the whole mail")


async def test_another_process_row_says_who_sends_it_since_when_and_how_far_it_is(tmp_path: Path) -> None:
    """A send in another shell: an open app never says 'about to connect' of it, and counts along as leases do."""
    async with ScriptedServer() as server:
        server.on("BODY", PAUSE)
        path = huge_file(tmp_path)
        account = smtp_account(server.port)
        paths = paths_in(tmp_path)
        paths.config_file.parent.mkdir(parents=True)
        paths.config_file.write_text(
            "accounts:\n  work:\n    provider: smtp\n    from: ada@example.org\n    host: 127.0.0.1\n"
            f"    port: {server.port}\n    security: none\n"
        )
        async with on_stage(tmp_path, configuration_of(account), size=LARGE) as stage:
            await stage.press("f3")
            sending = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tui_mailer", "--config", str(paths.config_file)),
                *("--data-dir", str(paths.data_dir), "send", "--to", "bob@example.org", "--subject", "Huge"),
                *("--no-stdin", "--attach", str(path)),
                stderr=asyncio.subprocess.PIPE,
            )
            try:
                who = rf"by send \(pid {sending.pid}\) since \d\d:\d\d"
                seen: set[str] = set()

                def is_told(pattern: str) -> bool:
                    seen.add(stage.text())
                    return bool(re.search(pattern, stage.text()))

                await stage.until(lambda: is_told(f"being sent {who}"), "who sends it")
                await stage.until(lambda: is_told(f"{PROGRESS.pattern} {who}"), "how far it is")
                assert not any("about to connect" in text for text in seen)
                await stage.press("enter")
                await stage.until(lambda: "Message-ID" in stage.text(), "the details")
                assert "about to connect" not in stage.text()
            finally:
                server.resumed.set()
                await sending.communicate()
            assert sending.returncode == 0
