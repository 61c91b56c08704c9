"""How much is written to a terminal that reads slowly, fast, or never says what it has read."""

from __future__ import annotations

import itertools

from tui_mailer.tui.terminal.escape_gate import QUESTION
from tui_mailer.tui.terminal.pace import LEAST_AHEAD, Pace


def answering(round_trip_seconds: float = 0.3) -> Pace:
    """A pace whose terminal has answered the first question."""
    pace = Pace()
    pace.ask(0.0)
    pace.answer(round_trip_seconds)
    return pace


def frame(length: int) -> str:
    """A frame of many short sequences."""
    return ("\x1b[31mword" * (length // 9 + 1))[:length]


def test_nothing_is_held_back_from_a_terminal_that_has_never_answered() -> None:
    """It may never do so."""
    pace = Pace()
    assert pace.ask(0.0) == QUESTION
    for _ in range(100):
        assert pace.is_open()
        assert pace.take(frame(5000), 1.0) == frame(5000)
    assert not pace.wants_question()


def test_letters_are_not_worth_a_question_each() -> None:
    """Echoes of a dozen characters: one question in about forty."""
    pace = answering()
    sent = "".join(pace.take("\x1b[5;10Habcd", float(n)) for n in range(90))
    assert sent.count(QUESTION) == 1
    assert pace.is_open()


def test_a_long_frame_asks_where_the_next_may_follow_and_tears_no_sequence() -> None:
    """The answer comes while the rest of the frame is still under way, so the line never stands idle."""
    pace = answering()
    long = frame(4000)
    sent = pace.take(long, 1.0)
    assert sent.replace(QUESTION, "", 1) == long
    before, after = sent.split(QUESTION)
    assert 0 < len(after) <= LEAST_AHEAD
    assert before.endswith("word")
    assert not pace.is_open()
    pace.answer(3.0)
    assert pace.is_open()


def test_a_frame_without_a_sequence_asks_at_its_end() -> None:
    """There is nowhere else to ask."""
    pace = answering()
    assert pace.take("x" * 3000, 1.0) == "x" * 3000 + QUESTION


def test_only_one_question_is_open() -> None:
    """An emulator that answers two questions once would leave one open for ever."""
    pace = answering()
    pace.take(frame(3000), 1.0)
    assert QUESTION not in pace.take(frame(3000), 1.1)
    pace.answer(2.0)
    assert pace.wants_question()
    pace.ask(2.0)
    assert not pace.wants_question()
    pace.answer(3.0)
    assert pace.is_open()


def test_a_line_that_keeps_up_is_given_more_and_one_that_falls_behind_less() -> None:
    """A fast line far away isn't held to one screen a round trip; a slow one stays at half a second's worth."""
    fast, now, sent = answering(), 1.0, ""
    for _ in range(12):
        fast.take(frame(200_000), now)
        fast.is_open()
        now += 0.3
        fast.answer(now)
    assert len(fast.take(frame(200_000), now).split(QUESTION)[1]) > LEAST_AHEAD * 16
    for _ in range(12):
        fast.answer(now := now + 2.0)
        sent = fast.take(frame(200_000), now)
    assert len(sent.split(QUESTION)[1]) <= LEAST_AHEAD


def test_typing_alone_gives_a_slow_line_no_more() -> None:
    """Its answers are quick only because little was asked of it."""
    pace = answering()
    for second in itertools.count(1):
        pace.take(frame(600), float(second))
        pace.is_open()
        pace.answer(second + 0.3)
        if second == 50:
            break
    assert len(pace.take(frame(5000), 60.0).split(QUESTION)[1]) <= LEAST_AHEAD


def test_who_waits_is_told_when_all_was_read() -> None:
    """Not by an answer to a question that was asked before it was written."""
    pace, told = answering(), []
    pace.take(frame(3000), 1.0)
    pace.when_read(lambda: told.append("read"))
    assert told == []
    pace.answer(2.0)
    assert told == []
    assert pace.wants_question()
    pace.ask(2.0)
    pace.answer(2.3)
    assert told == ["read"]
    pace.when_read(lambda: told.append("at once"))
    assert told == ["read", "at once"]


def test_when_no_answer_comes_any_more_nothing_is_held_back() -> None:
    """A terminal that was attached anew may be another one."""
    pace, told = answering(), []
    pace.take(frame(3000), 1.0)
    pace.when_read(lambda: told.append("given up"))
    assert not pace.is_open()
    pace.give_up()
    assert pace.is_open()
    assert told == ["given up"]
    pace.answer(20.0)
    assert pace.wants_question() == (not pace.is_open())
