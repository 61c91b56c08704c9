"""Paints what the compositor holds, one glyph a cell: the picture a person would see, with no font substitution."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from rich.cells import cell_len
from rich.color import Color, ColorType
from rich.terminal_theme import TerminalTheme
from textual._ansi_theme import MONOKAI
from textual.strip import Strip

FONT_FOLDER = Path("/usr/share/fonts/truetype/dejavu")
"""Debian's fonts-dejavu-core."""
SIZE = 18
PAD = 12


class Painter:
    """Cells of one size, regular and bold."""

    def __init__(self, *, theme: TerminalTheme = MONOKAI) -> None:
        self._regular = ImageFont.truetype(str(FONT_FOLDER / "DejaVuSansMono.ttf"), SIZE)
        self._bold = ImageFont.truetype(str(FONT_FOLDER / "DejaVuSansMono-Bold.ttf"), SIZE)
        self._theme = theme
        self.width = round(self._regular.getlength("M"))
        ascent, descent = self._regular.getmetrics()
        self.height = ascent + descent

    def paint(self, strips: Sequence[Strip], columns: int) -> Image.Image:
        """Returns the screen as an image."""
        ground = self._rgb(None, is_text=False)
        image = Image.new("RGB", (columns * self.width + 2 * PAD, len(strips) * self.height + 2 * PAD), ground)
        draw = ImageDraw.Draw(image)
        for row, strip in enumerate(strips):
            self._paint_line(draw, strip, PAD + row * self.height)
        return image

    def _paint_line(self, draw: ImageDraw.ImageDraw, strip: Strip, top: int) -> None:
        left = PAD
        for segment in strip:
            style = segment.style
            text, back = (style.color, style.bgcolor) if style else (None, None)
            ink, ground = self._rgb(text, is_text=True), self._rgb(back, is_text=False)
            if style and style.reverse:
                ink, ground = ground, ink
            font = self._bold if style and style.bold else self._regular
            right = left + cell_len(segment.text) * self.width
            if right == left:
                continue
            draw.rectangle((left, top, right - 1, top + self.height - 1), fill=ground)
            for character in segment.text:
                draw.text((left, top), character, font=font, fill=ink)
                left += cell_len(character) * self.width
            if style and style.underline:
                draw.line(
                    (right - cell_len(segment.text) * self.width, top + self.height - 2, right, top + self.height - 2),
                    fill=ink,
                )

    def _rgb(self, color: Color | None, *, is_text: bool) -> tuple[int, int, int]:
        if color is None or color.type is ColorType.DEFAULT:
            return tuple(self._theme.foreground_color if is_text else self._theme.background_color)
        return tuple(color.get_truecolor(self._theme))
