"""What our output leans on inside Textual 8.2.8; another version gets Textual's own output instead."""

from __future__ import annotations

import inspect

import textual
from rich.style import Style
from textual._compositor import ChopsUpdate, Compositor, LayoutUpdate
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.drivers import linux_driver
from textual.drivers.linux_driver import LinuxDriver
from textual.screen import Screen
from textual.widgets import Input, TextArea

from tui_mailer.tui.terminal.driver import INSTEAD
from tui_mailer.tui.terminal.quiet_app import TEXTUAL_VERSION, _is_known_version


def source(thing: object) -> str:
    """The source of a class, function or module."""
    return inspect.getsource(thing)  # type: ignore[arg-type]


def test_the_version_is_the_one_this_was_written_for() -> None:
    """The pin, the constant and what is installed agree."""
    assert textual.__version__ == TEXTUAL_VERSION
    assert _is_known_version()


def test_all_output_of_widgets_goes_through_display() -> None:
    """`App._display` is where the compositor's updates go to the driver, in one of the two kinds we read."""
    assert list(inspect.signature(App._display).parameters) == ["self", "screen", "renderable"]
    display = source(App._display)
    for needed in ("_batch_count", "_running", "_closed", "_driver.write", "post_display_hook", "cursor_position"):
        assert needed in display
    assert "-> LayoutUpdate" in source(Compositor.render_full_update)
    assert "-> ChopsUpdate | None" in source(Compositor.render_partial_update)


def test_what_is_cut_can_be_kept_from_the_terminal() -> None:
    """The app's own clipboard is what its fields paste; a text area deletes by the method whose answer we keep."""
    app = App[None]()
    app._clipboard = "kept"
    assert app.clipboard == "kept"
    assert "self.delete(" in inspect.getsource(TextArea._delete_via_keyboard)
    assert "self.delete(" in inspect.getsource(Input.delete_selection)


def test_no_screen_mounts_what_would_pop_up() -> None:
    """Toasts and tooltips stand in every screen, and in the first frame, unless these two say no."""
    mounting = source(Screen._extend_compose)
    assert "if not self.app._disable_tooltips" in mounting
    assert "if not self.app._disable_notifications" in mounting


def test_updates_hold_strips_where_we_look() -> None:
    """A full update has strips and a region, a partial one chops, spans and the ends of chops."""
    assert list(inspect.signature(LayoutUpdate.__init__).parameters) == ["self", "strips", "region"]
    assert list(inspect.signature(ChopsUpdate.__init__).parameters) == ["self", "chops", "spans", "chop_ends"]
    assert "if x > x2 or end <= x1:" in source(ChopsUpdate.render_segments)
    assert "strip.crop(0, min(end, x2) - x)" in source(ChopsUpdate.render_segments)


def test_a_style_keeps_its_attributes_as_bits() -> None:
    """Bold is bit 0, overline bit 12."""
    style = Style(bold=True, overline=True, dim=False)
    assert style._attributes & style._set_attributes == 1 | 1 << 12


def test_the_driver_writes_what_we_replace_and_lets_us_read() -> None:
    """The sequences that are replaced are those the driver writes, and its input loop is a method of its own."""
    written = source(linux_driver)
    for sequence in INSTEAD:
        if sequence != "\x1b[>25u":
            assert sequence.replace("\x1b", "\\x1b") in written
    flags = (
        linux_driver.KITTY_DISAMBIGUATE_ESCAPE_CODES
        | linux_driver.KITTY_REPORT_ALL_KEYS
        | linux_driver.KITTY_REPORT_ASSOCIATED_TEXT
    )
    assert f"\x1b[>{flags}u" in INSTEAD
    assert "self.run_input_thread()" in source(LinuxDriver._run_input_thread)
    assert "exit_event" in source(LinuxDriver.disable_input)
    assert {"feed", "tick"} <= set(dir(XTermParser))
