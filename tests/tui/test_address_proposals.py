"""Addresses proposed from what was sent before."""

from __future__ import annotations

from pathlib import Path

from app_stage import Stage, on_stage
from textual import events

from tui_mailer.domain.draft import Draft


async def written_to(stage: Stage, *people: str) -> None:
    """Has the app send each a message."""
    for one in people:
        await stage.app.desk.ask(lambda mailer, one=one: mailer.seal(Draft(to=one, subject="s", body="b")))
        stage.app.desk.nudge()
    await stage.until(lambda: stage.app.desk.status.open_count == 0, "all sent")
    proposals = stage.app.compose_screen.proposals

    async def is_learnt() -> bool:
        await proposals.learn()
        known = await stage.app.desk.ask(lambda mailer: [mailer.complete_address(one.split()[0]) for one in people])
        return all(known)

    while not await is_learnt():
        await stage.pilot.pause(0.02)


async def test_a_person_is_proposed_by_name_and_taken_by_right(tmp_path: Path) -> None:
    """The beginning of a name proposes; Right takes it, after others in the list as well; nobody is proposed twice."""
    async with on_stage(tmp_path) as stage:
        await written_to(stage, "Charles Babbage <charles@analytical.example>", '"Byron, Ann" <ann@byron.example>')
        to = stage.app.compose_screen.form.inputs["to"]
        await stage.type("bab")
        await stage.shows("→ Charles Babbage <charles@analytical.example>")
        await stage.press("right")
        await stage.until(lambda: to.value == "Charles Babbage <charles@analytical.example>", "the proposal taken")
        await stage.type(",ann")
        await stage.shows('→ "Byron, Ann" <ann@byron.example>')
        await stage.press("right")
        assert to.value == 'Charles Babbage <charles@analytical.example>, "Byron, Ann" <ann@byron.example>'
        await stage.type(", char")
        await stage.pilot.pause(0.2)
        assert "→" not in stage.text()


async def test_a_proposal_never_takes_tab_or_enter(tmp_path: Path) -> None:
    """Tab moves on with what was typed and nothing else; Down looks at the next person."""
    async with on_stage(tmp_path) as stage:
        await written_to(stage, "one@example.org", "two@example.org")
        form = stage.app.compose_screen.form
        await stage.type("example")
        await stage.shows("↓ 1/2")
        first, second = ("one", "two") if "→ one" in stage.text() else ("two", "one")
        await stage.shows(f"→ {first}@example.org  ↓ 1/2")
        await stage.press("down")
        await stage.shows(f"→ {second}@example.org  ↓ 2/2")
        await stage.press("tab")
        assert (form.inputs["to"].value, stage.app.focused) == ("example", form.inputs["cc"])
        await stage.type("tw")
        await stage.shows("→ two@example.org")
        await stage.press("enter")
        assert (form.inputs["cc"].value, stage.app.focused) == ("tw", form.inputs["subject"])


async def test_how_many_addresses_there_are_is_said_where_the_row_is_too_short_for_them(tmp_path: Path) -> None:
    """Pasted, or in a draft that is opened; a proposal stands there instead as long as there is one."""
    people = [f"person{number}@example.org" for number in range(5)]
    async with on_stage(tmp_path) as stage:
        await written_to(stage, "Charles Babbage <charles@analytical.example>")
        form = stage.app.compose_screen.form
        stage.app.post_message(events.Paste(", ".join(people[:2])))
        await stage.until(lambda: form.inputs["to"].value.endswith("1@example.org"), "two people")
        assert "addresses" not in stage.text()
        await stage.type(", ")
        stage.app.post_message(events.Paste('"Lovelace, Ada" <ada@example.org>, ' + "\n".join(people[2:])))
        await stage.shows("6 addresses")
        await stage.type(", bab")
        await stage.shows("→ Charles Babbage")
        assert "addresses" not in stage.text()
        await stage.type("x")
        await stage.shows("7 addresses")
        await stage.press("tab")
        await stage.pilot.pause()
        assert "7 addresses" in stage.text()
        form.show(Draft(cc=", ".join(people)))
        await stage.shows("5 addresses")
        assert "7 addresses" not in stage.text()
        await stage.pilot.resize_terminal(160, 24)
        await stage.until(lambda: "addresses" not in stage.text(), "a row that is long enough")
