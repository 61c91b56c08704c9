"""What goes to the terminal: the same picture as painting everything, in few bytes, whatever the terminal can do."""

from __future__ import annotations

import pytest
from canvas_fuzz import Emulated, random_screens
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui_mailer.tui.terminal.canvas import Canvas
from tui_mailer.tui.terminal.charset import cutter
from tui_mailer.tui.terminal.courier import Abilities
from tui_mailer.tui.terminal.pen import PLAIN, PenBox
from tui_mailer.tui.terminal.quiet_app import abilities_of

TEXT = Style(color="#d8dbe0", bgcolor="#16181d")


@pytest.mark.parametrize("seed", range(6))
def test_painting_by_pieces_shows_what_painting_at_once_shows(seed: int) -> None:
    """Random texts, styles, wide characters, scrolls and sizes: the emulator shows the same either way."""
    random_screens(seed, steps=25)


def test_what_has_not_changed_costs_nothing() -> None:
    """Painting the same again sends not one byte."""
    canvas = Emulated(40, 3, Abilities()).canvas
    row = [Strip([Segment("the same", TEXT)])]
    canvas.put(0, 1, row)
    assert canvas.frame((8, 1))
    canvas.put(0, 1, row)
    assert canvas.frame((8, 1)) == ""


def test_a_letter_costs_a_letter() -> None:
    """At the cursor, with the pen in hand, a letter is one byte, wherever the row ends."""
    canvas = Emulated(200, 3, Abilities()).canvas
    canvas.put(0, 2, [Strip([Segment("lette", TEXT)]).extend_cell_length(200, TEXT)])
    canvas.frame((5, 2))
    canvas.put(0, 2, [Strip([Segment("letter", TEXT)]).extend_cell_length(200, TEXT)])
    assert canvas.frame((6, 2)) == "r"


def test_rows_that_moved_are_moved_by_the_terminal() -> None:
    """A screenful that scrolls by a row costs one row and a few bytes; terminals that can't are sent the rows."""
    lines = [chr(65 + n) * (20 + n) for n in range(30)]
    lengths = []
    for abilities in (Abilities(), Abilities(moves_text=False)):
        emulated = Emulated(60, 20, abilities)
        for first in (0, 1):
            for y in range(20):
                emulated.canvas.put(0, y, [Strip([Segment(lines[first + y].ljust(60), TEXT)])])
            length = emulated.show((0, 0))
        lengths.append(length)
        assert emulated.screen.display == [line.ljust(60) for line in lines[1:21]]
    assert lengths[0] < 100 < 20 * 20 < lengths[1]


def test_a_cluster_that_terminals_measure_differently_shifts_nothing() -> None:
    """Behind a family, a flag or a heart cells are addressed anew: with other widths they still are in their place."""
    emulated = Emulated(30, 1, Abilities())
    emulated.canvas.put(0, 0, [Strip([Segment("a👨‍👩‍👧b🇩🇪c❤️d|", TEXT)]).extend_cell_length(30, TEXT)])
    emulated.show()
    row = "".join(str(cell[0]) for cell in emulated.cells()[0])
    assert row.rstrip().endswith("d|")
    # The emulator gives the flag four cells and the family six; d is still where Textual has put it.
    assert [str(cell[0]) for cell in emulated.cells()[0]][9:11] == ["d", "|"]


def test_pens_change_by_the_shortest_way() -> None:
    """Only what differs is said; turning bold off keeps dim, and a reset is used where it is shorter."""
    box = PenBox(ColorSystem.TRUECOLOR)
    plain, bold = box.pen(TEXT), box.pen(TEXT + Style(bold=True))
    assert box.way(plain, bold) == "\x1b[1m"
    assert box.way(bold, plain) == "\x1b[22m"
    assert box.way(box.pen(TEXT + Style(bold=True, dim=True)), box.pen(TEXT + Style(dim=True))) == "\x1b[22;2m"
    assert box.way(plain, PLAIN) == "\x1b[m"
    assert box.way(None, PLAIN) == "\x1b[m"
    assert box.pen(Style(color="#d8dbe0", bgcolor="#16181d", meta={"@click": "app.boom"})) is plain


def test_a_terminal_that_is_not_known_is_asked_for_little() -> None:
    """Erasing in colour and moving text are for terminals that have it."""
    assert abilities_of("xterm-256color") == Abilities()
    assert abilities_of("tmux-256color") == Abilities(erases_in_color=False)
    assert abilities_of("vt100") == Abilities(erases_in_color=False, moves_text=False)
    assert abilities_of("") == Abilities(erases_in_color=False, moves_text=False)


def test_a_terminal_that_has_no_unicode_is_sent_none() -> None:
    """Rules become dashes, a letter it lacks a question mark, and every column stays where it was."""
    cut = cutter("iso8859-1")
    assert cut("─│ äé") == ["-", "|", " ", "ä", "é"]
    assert cut("漢a…") == ["?", " ", "a", "."]
    assert cutter("no-such-charset")("ä") == ["?"]
    assert cutter("utf-8")("漢a") == ["漢", "", "a"]
    canvas = Canvas(PenBox(ColorSystem.TRUECOLOR), Abilities(), cut)
    canvas.resize(10, 1)
    canvas.put(0, 0, [Strip([Segment("─漢字─", TEXT)])])
    assert canvas.frame((0, 0)).encode("iso8859-1")
