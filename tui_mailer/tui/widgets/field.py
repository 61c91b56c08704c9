"""A row of the form: label, control, a quiet remark beside it; in rows of their own what is wrong, and a note.

Label and remark are painted, not widgets: a form of eight rows is on the screen before the first key is typed.
"""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import Static

from tui_mailer.domain.text import cell_width, clean, shorten
from tui_mailer.tui.app_words import in_the_app
from tui_mailer.tui.widgets.line_input import AddressInput

LABEL_WIDTH = 9
MOST_OF_THE_ROW = 0.6
"""What a remark may take of the row's width."""


class Field(Widget, inherit_css=False):
    """One labelled control."""

    DEFAULT_CSS = """
    Field { height: auto; width: 1fr; layout: vertical; overflow: hidden; color: $text-muted; }
    Field > * { width: 1fr; margin: 0 1 0 9; color: $foreground; }
    Field > .note { color: $text-muted; margin: 0; height: auto; }
    Field > .wrong { color: $text-error; text-style: bold; margin: 0; height: auto; }
    """

    def __init__(
        self,
        label: str,
        control: Widget,
        *,
        id: str | None = None,  # noqa: A002  # Textual's own name
        classes: str = "",
        label_width: int = LABEL_WIDTH,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._label_width = label_width
        self._label = label
        self._control = control
        self._rows: dict[str, Static] = {}
        self._said = ""
        self._count = ""
        """How many addresses there are where they aren't all seen; gives way to any other remark."""
        self._is_closed = False
        self._remark_width = 1
        if label_width != LABEL_WIDTH:
            self._leave_margin()

    def compose(self) -> ComposeResult:
        yield self._control

    def render(self) -> Text:
        """Paints what lies around the control."""
        text = Text(self._label, no_wrap=True, overflow="crop", end="")
        if self._is_closed:
            text.stylize("strike")
        if remark := self._said or self._count:
            text.append(" " * (self.size.width - self._remark_width + 1 - text.cell_len))
            text.append(shorten(clean(remark), self._remark_width - 1))
        return text

    def set_label_width(self, cells: int) -> None:
        """Moves the control, with what stands under it, to where longer or shorter labels end."""
        if cells != self._label_width:
            self._label_width = cells
            self._leave_margin()
            for row in self._rows.values():
                row.styles.padding = (0, 0, 0, cells)
            self.refresh()

    @property
    def is_wrong(self) -> bool:
        """Whether an error is shown."""
        return "wrong" in self._rows

    def show_closed(self, is_closed: bool) -> None:
        """Strikes the label out: the account takes nothing here."""
        if is_closed != self._is_closed:
            self._is_closed = is_closed
            self.refresh()

    def show_wrong(self, text: str) -> None:
        """Says under the control what is wrong; empty: nothing is."""
        self._show_under("wrong", text)

    def show_note(self, text: str) -> None:
        """Says something quiet under the control; empty takes it away."""
        self._show_under("note", text)

    def _show_under(self, kind: str, text: str) -> None:
        row = self._rows.get(kind)
        if not text:
            if row is not None:
                self._rows.pop(kind).remove()
            return
        if row is None:
            if not self.is_attached:
                return  # the form is being left
            row = self._rows[kind] = Static(markup=False, classes=kind)
            row.styles.padding = (0, 0, 0, self._label_width)
            self.mount(row)
        row.update(Text(clean(in_the_app(text))))

    def show_remark(self, text: str) -> None:
        """Says something quiet at the control's right."""
        if text == self._said:
            return
        self._said = text
        self._make_room()
        self.refresh()

    def on_resize(self) -> None:
        """What the remark may take depends on the row's width."""
        self.count_anew()
        self._make_room()

    def on_input_changed(self) -> None:
        """A paste may be longer than the row."""
        self.count_anew()

    def count_anew(self) -> None:
        """Says how many addresses there are, where the row is too short to show them all."""
        control, count = self._control, 0
        if isinstance(control, AddressInput) and self.size.width:
            # Without a remark beside it: one that takes the room it complains of would come and go.
            room = self.size.width - self._label_width - 1
            if len(control.value) * 2 > room and cell_width(control.value) >= room:
                count = control.count()
        said = f"{count:,} addresses" if count > 1 else ""
        if said != self._count:
            self._count = said
            self._make_room()
            self.refresh()

    def _make_room(self) -> None:
        most = int(self.size.width * MOST_OF_THE_ROW)
        needed = max(1, min(cell_width(clean(self._said or self._count)) + 1, most))
        if needed != self._remark_width:
            self._remark_width = needed
            self._leave_margin()
            self.refresh()

    def _leave_margin(self) -> None:
        self._control.styles.margin = (0, self._remark_width, 0, self._label_width)

    def on_address_input_proposed(self, event: AddressInput.Proposed) -> None:
        """Shows whom Right would write here."""
        event.stop()
        self.show_remark(event.text)
