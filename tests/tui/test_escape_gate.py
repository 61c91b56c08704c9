"""Keys on slow lines: Esc, arrows and pastes whose bytes come one by one."""

from __future__ import annotations

import pytest

from tui_mailer.tui.terminal.escape_gate import BEGUN_SECONDS, ESCAPE, LONE_SECONDS, EscapeGate


def arriving(*pieces: str, apart_seconds: float) -> list[str]:
    """What a gate lets through when pieces arrive so far apart, its deadlines kept."""
    gate, now, out = EscapeGate(), 0.0, []
    for piece in pieces:
        out += gate.take(piece, now)
        left = gate.seconds_left(now)
        if left is not None and left <= apart_seconds:
            out += gate.expire(now + left)
        now += apart_seconds
    out += gate.expire(now + 10)
    return out


def test_an_arrow_whose_bytes_come_a_third_of_a_second_apart_is_an_arrow() -> None:
    """Not Esc and two letters."""
    assert arriving("\x1b", "[", "A", apart_seconds=0.3) == ["\x1b[A"]
    assert arriving("\x1b", "O", "P", apart_seconds=0.3) == ["\x1bOP"]
    assert arriving("\x1b", "[", "1", ";", "5", "C", apart_seconds=0.4) == ["\x1b[1;5C"]


def test_esc_alone_is_the_key_after_half_a_second() -> None:
    """And at once when something else follows that can't belong to it."""
    assert arriving("\x1b", apart_seconds=1.0) == [ESCAPE]
    assert arriving("\x1b", "x", apart_seconds=0.1) == [ESCAPE, "x"]
    assert arriving("\x1b", "\x1b", apart_seconds=0.1) == [ESCAPE, ESCAPE]
    assert arriving("\x1b", "\x1b[A", apart_seconds=0.1) == [ESCAPE, "\x1b[A"]
    assert arriving("\x1bx", apart_seconds=0.1) == ["\x1bx"]


def test_where_the_terminal_answers_esc_is_known_at_once() -> None:
    """The answer to a question comes behind what was typed: a lone ESC before it was the key, half an arrow wasn't."""
    gate = EscapeGate()
    assert list(gate.take("\x1b[?2026;2$y", 0.0)) == ["\x1b[?2026;2$y"]
    assert list(gate.take("\x1b", 1.0)) == []
    assert gate.wants_answer
    assert list(gate.take("\x1b[0n", 1.01)) == [ESCAPE]
    assert list(gate.take("\x1b", 2.0)) == []
    assert list(gate.take("[A\x1b[0n", 2.3)) == ["\x1b[A"]


def test_a_terminal_that_answers_nothing_is_asked_nothing() -> None:
    """No question goes to a terminal that hasn't answered the first one."""
    gate = EscapeGate()
    assert list(gate.take("\x1b", 0.0)) == []
    assert not gate.wants_answer


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_paste_is_whole_wherever_it_is_torn(cut: int) -> None:
    """Esc within a paste is no key, however the paste arrives, nor is it text."""
    paste = "\x1b[200~a\x1bb\x1b[201~"
    assert "".join(arriving(paste[:cut], paste[cut:], apart_seconds=0.2)) == "\x1b[200~ab\x1b[201~"


def test_pasted_control_characters_press_no_keys() -> None:
    """What a page has put into the clipboard: no ^S, no Enter behind a sequence, no escape; lines and tabs stay."""
    (piece,) = arriving("\x1b[200~a\x1b]0;\x13\x07b\tc\nd\re\x1b[2Jf\x1b\x1b[201~\x13", apart_seconds=1.0)
    assert piece == "\x1b[200~a]0;b\tc\nd\re[2Jf\x1b[201~\x13"


def test_the_remains_of_a_sequence_are_not_typed_into_a_field() -> None:
    """What nobody can read any more is dropped; Esc and a bracket typed by hand are two keys."""
    assert arriving("\x1b[1;", apart_seconds=BEGUN_SECONDS + 1) == []
    assert arriving("\x1b[", apart_seconds=BEGUN_SECONDS + 1) == [ESCAPE, "["]
    assert LONE_SECONDS >= 0.4
