"""How much goes to the terminal: counted, since it repeats exactly. Budgets of DESIGN B3, at two sizes."""

from __future__ import annotations

from pathlib import Path

import pytest
from terminal_emulator import Terminal, in_terminal

KEY, STEP, TAB, DIALOG = 120, 350, 3200, 8000
AIM = 40
PROSE = "the harbour master agreed that the boat may leave on the tide "
SIZES = [(80, 24), (200, 50)]


@pytest.mark.parametrize("size", SIZES)
def test_what_keys_cost(tmp_path: Path, size: tuple[int, int]) -> None:
    """A letter in any field and in the body, Enter, arrows, Tab, dialogs; nothing at all while nothing happens."""
    with in_terminal(tmp_path, size=size) as terminal:
        terminal.shows("^S Send")
        terminal.until_quiet(1.0)  # what the start learns late is no key's cost
        costs: dict[str, int] = {}
        for field in ("To", "Cc", "Subject"):
            costs |= in_a_field(terminal, field)
        costs |= in_the_body(terminal)
        for name in ("f1", "ctrl+l", "ctrl+p", "f8"):
            costs[f"dialog {name}"] = terminal.cost(name)
            costs[f"leave dialog {name}"] = terminal.cost("escape")
        costs["dialog f6"] = terminal.cost("f6")
        for field in ("Bcc", "Reply-To", "Subject again"):
            costs |= in_a_field(terminal, field)
        costs["tab from the body"] = terminal.cost("tab")
        for field in ("Attach", "When"):
            costs |= in_a_field(terminal, field)
        over = {what: cost for what, cost in costs.items() if cost > budget(what)}
        assert not over, costs
        terminal.until_quiet(1.2)
        before = len(terminal.raw)
        terminal.read_for(1.2)
        assert len(terminal.raw) == before, terminal.raw[before:]
        letters = [cost for what, cost in costs.items() if budget(what) == KEY]
        assert sorted(letters)[len(letters) // 2] <= AIM


def in_a_field(terminal: Terminal, field: str) -> dict[str, int]:
    """Costs in a field of one row; it is empty again, and the next one has the cursor."""
    terminal.until_quiet(0.3)
    costs = {f"{key} in {field}": terminal.cost(key) for key in "ab"}
    for key in ("left", "x", "backspace"):
        costs[f"{key} in the middle of {field}"] = terminal.cost(key)
    terminal.press("end", "backspace", "backspace")
    terminal.until_quiet(0.3)
    return costs | {f"tab from {field}": terminal.cost("tab")}


def in_the_body(terminal: Terminal) -> dict[str, int]:
    """Costs in a body longer than the screen."""
    costs = {f"{key} in the empty body": terminal.cost(key) for key in "xy"}
    lines = [f"{n:3} {PROSE * 4}"[: 60 + n % 30] for n in range(90)]
    terminal.paste("\n".join(lines))
    terminal.shows(lines[-1][:40])
    terminal.until_quiet(0.5)
    costs |= {f"{key} at the end of the body": terminal.cost(key) for key in "xyz"}
    costs["enter at the end"] = terminal.cost("enter")
    costs["enter at the end again"] = terminal.cost("enter")
    for number in range(4):
        costs[f"up {number}"] = terminal.cost("up")
    for number in range(3):
        terminal.press(*["up"] * 25)
        terminal.until_quiet(0.5)
        costs[f"up, scrolling {number}"] = terminal.cost("up")
    costs["home in the middle"] = terminal.cost("home")
    costs |= {f"{key} at the beginning of a line": terminal.cost(key) for key in "abcd"}
    costs["backspace at the beginning of a line"] = terminal.cost("backspace")
    costs["enter in the middle"] = terminal.cost("enter")
    costs["left"] = terminal.cost("left")
    costs["right"] = terminal.cost("right")
    return costs


def budget(what: str) -> int:
    """What an event may cost."""
    if what.startswith(("dialog", "leave")):
        return DIALOG
    if what.startswith("tab"):
        return TAB
    return STEP if what.startswith(("enter", "up", "down", "left", "right", "home", "end")) else KEY
