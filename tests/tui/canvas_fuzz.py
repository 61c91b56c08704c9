"""Random screens, painted piece by piece, must look like the same screens painted at once, in a terminal emulator."""

# letters of many scripts are the point

from __future__ import annotations

import random

import pyte
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui_mailer.tui.terminal.canvas import Canvas
from tui_mailer.tui.terminal.courier import Abilities
from tui_mailer.tui.terminal.pen import PenBox

STYLES = [
    None,
    Style(color="#d8dbe0", bgcolor="#16181d"),
    Style(color="#d8dbe0", bgcolor="#16181d", reverse=True),
    Style(color="#6ca0dc", bgcolor="#16181d", bold=True),
    Style(bgcolor="#1d2026"),
    Style(color="red", underline=True, italic=True),
    Style(bold=True, dim=True),
    Style(bold=True, strike=True, bgcolor="blue"),
]
WORDS = [
    *("the", "harbour", "master", "agreed", "  ", " ", "a", "-- ", "äöü", "naïve", "───", "│", "…"),
    *(
        "漢字",
        "日本語テキスト",
        "한국어",
        "👍",
        "👍🏽",
        "👨‍👩‍👧",
        "🇩🇪",
        "❤️",
        "e\u0301",
        "שלום",
        "مرحبا",
        "हिन्दी",
        "\u200b",
        "ก็",
    ),
]


def words(dice: random.Random, width: int, *, plain: bool) -> list[Segment]:
    """Some words, each in a style."""
    segments: list[Segment] = []
    while Strip(segments).cell_length < width:
        word = dice.choice(WORDS[:13] if plain else WORDS)
        segments.append(Segment(word, dice.choice(STYLES[:3] if plain else STYLES)))
    return list(Strip(segments).adjust_cell_length(width))


class Emulated:
    """A canvas and the emulator that is shown what it writes."""

    def __init__(self, width: int, height: int, abilities: Abilities) -> None:
        self.canvas = Canvas(PenBox(ColorSystem.TRUECOLOR), abilities)
        self.canvas.resize(width, height)
        self.screen = pyte.Screen(width, height)
        self.screen.reset_mode(7, private=True)
        self._stream = pyte.Stream(self.screen)

    def show(self, cursor: tuple[int, int] = (0, 0)) -> int:
        """Sends what is needed; returns how much that was."""
        frame = self.canvas.frame(cursor)
        self._stream.feed(frame)
        return len(frame)

    def resize(self, width: int, height: int) -> None:
        """A terminal that keeps what it likes of the old screen."""
        self.screen.resize(height, width)
        self.canvas.resize(width, height)

    def cells(self) -> list[list[tuple[object, ...]]]:
        """Everything that is shown."""
        return [[tuple(self.screen.buffer[y][x]) for x in range(self.screen.columns)] for y in range(self.screen.lines)]


def random_screens(seed: int, steps: int) -> None:
    """Paints, step by step; raises `AssertionError` where the screen is not what painting it at once gives."""
    dice = random.Random(seed)
    width, height = dice.randint(20, 90), dice.randint(4, 24)
    abilities = Abilities(erases_in_color=dice.random() < 0.7, moves_text=dice.random() < 0.8)
    plain = dice.random() < 0.5
    emulated = Emulated(width, height, abilities)
    rows = [words(dice, width, plain=plain) for _ in range(height)]
    for step in range(steps):
        if dice.random() < 0.02:
            width, height = dice.randint(20, 90), dice.randint(4, 24)
            emulated.resize(width, height)
            rows = [words(dice, width, plain=plain) for _ in range(height)]
            changed = set(range(height))
        else:
            changed = change(dice, rows, width, plain=plain) if step else set(range(height))
        for y in changed:
            emulated.canvas.put(0, y, [Strip(rows[y])])
        cursor = (dice.randrange(width), dice.randrange(height))
        emulated.show(cursor)
        if emulated.screen.cursor.x != cursor[0] or emulated.screen.cursor.y != cursor[1]:
            raise AssertionError(f"seed {seed}, step {step}: the cursor is not at {cursor}")
        # The same pieces, painted at once.
        fresh = Emulated(width, height, Abilities(erases_in_color=False, moves_text=False))
        for y, row in enumerate(rows):
            fresh.canvas.put(0, y, [Strip(row)])
        fresh.show(cursor)
        for y, (was, should_be) in enumerate(zip(emulated.cells(), fresh.cells(), strict=True)):
            if was != should_be:
                at = next(x for x, (one, other) in enumerate(zip(was, should_be, strict=True)) if one != other)
                raise AssertionError(
                    f"seed {seed}, step {step}, row {y}, column {at} of {width}:\n"
                    f"{was[max(0, at - 3) : at + 4]}\n{should_be[max(0, at - 3) : at + 4]}"
                )


def change(dice: random.Random, rows: list[list[Segment]], width: int, *, plain: bool) -> set[int]:
    """Changes some rows as programs do: a row anew, a few cells, rows inserted or taken out, text inserted."""
    height = len(rows)
    y = dice.randrange(height)
    match dice.randrange(6):
        case 0:
            rows[y] = words(dice, width, plain=plain)
        case 1:
            x = dice.randrange(width)
            piece = Strip([Segment(dice.choice(WORDS), dice.choice(STYLES))])
            strip = Strip(rows[y])
            joined = Strip.join([strip.crop(0, x), piece, strip.crop(x + piece.cell_length, width)])
            rows[y] = list(joined.adjust_cell_length(width))
        case 2:
            bottom = dice.randint(y, height - 1)
            rows.insert(y, words(dice, width, plain=plain))
            del rows[bottom + 1]
            return set(range(y, bottom + 1))
        case 3:
            bottom = dice.randint(y, height - 1)
            del rows[y]
            rows.insert(bottom, words(dice, width, plain=plain))
            return set(range(y, bottom + 1))
        case 4:
            x = dice.randrange(width)
            strip = Strip(rows[y])
            piece = Strip([Segment(dice.choice(WORDS[:13]), STYLES[1])])
            rows[y] = list(Strip.join([strip.crop(0, x), piece, strip.crop(x, width)]).adjust_cell_length(width))
        case _:
            x = dice.randrange(width)
            strip = Strip(rows[y])
            rest = strip.crop(x + dice.randint(1, 6), width)
            rows[y] = list(Strip.join([strip.crop(0, x), rest]).adjust_cell_length(width, STYLES[1]))
    return {y}
