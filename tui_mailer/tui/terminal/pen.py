"""Pens: how a cell is drawn, and the shortest way from one pen to another (ECMA-48, select graphic rendition)."""

from __future__ import annotations

from rich.color import ColorSystem
from rich.style import Style

_ON = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "21", "51", "52", "53")
"""What turns an attribute on, by its bit in a rich `Style`."""
_OFF = ("22", "22", "23", "24", "25", "25", "27", "28", "29", "24", "54", "54", "55")
"""What turns it off, often others with it."""
_SHOWS_ON_BLANKS = 0b1111101111000
"""Attributes that a blank cell shows: underlined, blinking, reversed, struck, framed, overlined."""
_MOST_CACHED = 4096


class Pen:
    """Attributes, ink and paper; there is one object for each kind of pen, so pens are compared by identity."""

    __slots__ = ("attributes", "ink", "paper")

    def __init__(self, attributes: int, ink: str, paper: str) -> None:
        self.attributes = attributes
        """Bits of `rich.style.Style`."""
        self.ink = ink
        """The parameters that choose the foreground; 39 is the terminal's own."""
        self.paper = paper
        """The parameters that choose the background; 49 is the terminal's own."""

    @property
    def leaves_blanks_blank(self) -> bool:
        """Whether a blank drawn with it is only its paper, as an erased cell is."""
        return not self.attributes & _SHOWS_ON_BLANKS


PLAIN = Pen(0, "39", "49")
"""What a terminal draws with after a reset."""


class PenBox:
    """Finds the pen of a style, and remembers the ways between pens."""

    def __init__(self, color_system: ColorSystem, *, is_colorless: bool = False) -> None:
        self._color_system = color_system
        self._is_colorless = is_colorless
        self._pens: dict[tuple[int, str, str], Pen] = {(0, "39", "49"): PLAIN}
        self._by_style: dict[tuple[object, ...], Pen] = {}
        self._ways: dict[tuple[Pen | None, Pen], str] = {}

    def pen(self, style: Style | None) -> Pen:
        """The pen of a style; links and metadata of a style are not drawn."""
        if style is None:
            return PLAIN
        attributes = style._attributes & style._set_attributes  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001  # thirteen properties instead would cost a microsecond each
        key = (attributes, style.color, style.bgcolor)
        pen = self._by_style.get(key)
        if pen is None:
            pen = self._new_pen(attributes, style)
            if len(self._by_style) >= _MOST_CACHED:
                self._by_style.clear()
            self._by_style[key] = pen
        return pen

    def _new_pen(self, attributes: int, style: Style) -> Pen:
        ink, paper = "39", "49"
        if not self._is_colorless:
            if style.color is not None:
                ink = ";".join(style.color.downgrade(self._color_system).get_ansi_codes(foreground=True))
            if style.bgcolor is not None:
                paper = ";".join(style.bgcolor.downgrade(self._color_system).get_ansi_codes(foreground=False))
        return self._pens.setdefault((attributes, ink, paper), Pen(attributes, ink, paper))

    def way(self, before: Pen | None, after: Pen) -> str:
        """The sequence that changes the terminal's pen; ``before`` None: not known."""
        if before is after:
            return ""
        known = self._ways.get((before, after))
        if known is None:
            if len(self._ways) >= _MOST_CACHED:
                self._ways.clear()
            known = self._ways[before, after] = _way(before, after)
        return known


def _way(before: Pen | None, after: Pen) -> str:
    """The shorter of changing what differs and starting from a reset."""
    anew = [*_turned_on(after.attributes), *_colors(PLAIN, after)]
    from_reset = f"\x1b[{';'.join(['', *anew])}m" if anew else "\x1b[m"
    if before is None:
        return from_reset
    kept = before.attributes & after.attributes
    lost = before.attributes & ~after.attributes
    off = dict.fromkeys(code for bit, code in enumerate(_OFF) if lost >> bit & 1)
    # Turning bold off turns dim off as well: what shares its way out is turned on again.
    again = sum(1 << bit for bit, code in enumerate(_OFF) if code in off and kept >> bit & 1)
    on = _turned_on(after.attributes & ~before.attributes | again)
    changed = f"\x1b[{';'.join([*off, *on, *_colors(before, after)])}m"
    return min(changed, from_reset, key=len)


def _turned_on(attributes: int) -> list[str]:
    return [code for bit, code in enumerate(_ON) if attributes >> bit & 1]


def _colors(before: Pen, after: Pen) -> list[str]:
    ink = [] if before.ink == after.ink else [after.ink]
    return ink if before.paper == after.paper else [*ink, after.paper]
