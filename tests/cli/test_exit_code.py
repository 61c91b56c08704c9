"""Exit codes: every error and every state has one, and the worst is never hidden."""

from __future__ import annotations

import pytest

from tui_mailer.cli.exit_code import ERROR_CODES, STATE_CODES, code_of_error, code_of_state, worst
from tui_mailer.domain import errors
from tui_mailer.domain.submission import State


def all_errors(kind: type[errors.MailerError] = errors.MailerError) -> list[type[errors.MailerError]]:
    """Lists the whole tree below a class."""
    return [found for child in kind.__subclasses__() for found in (child, *all_errors(child))]


@pytest.mark.parametrize("kind", all_errors())
def test_every_expected_error_has_a_code_of_its_own_kind(kind: type[errors.MailerError]) -> None:
    """No expected error is taken for a bug."""
    assert any(ancestor in ERROR_CODES for ancestor in kind.__mro__ if ancestor is not OSError)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.InvalidAddress("x"), 65),
        (errors.Unsupported("field", "why", "what"), 65),
        (errors.NotFound("x"), 66),
        (errors.TooLate("x", state="sent"), 69),
        (errors.NewerDatabase("x"), 73),
        (errors.ConfigurationError("x"), 78),
        (errors.Offline("x"), 75),
        (errors.NotAuthorized("x"), 77),
        (errors.CredentialUnavailable("x"), 77),
        (errors.OutcomeUncertain("x"), 76),
        (PermissionError("x"), 74),
        (KeyboardInterrupt(), 130),
        (ValueError("x"), 70),
        (errors.MailerError("x"), 70),
    ],
)
def test_an_error_takes_the_code_of_its_nearest_ancestor(error: BaseException, code: int) -> None:
    """Subclasses mean what their parents mean."""
    assert code_of_error(error) == code


def test_every_state_has_a_code() -> None:
    """A state that is added later can't be forgotten here."""
    assert set(STATE_CODES) == {state.value for state in State}


def test_a_held_account_explains_why_mail_waits_but_not_why_it_failed() -> None:
    """77 stands for mail that waits for its account, and for nothing else."""
    assert code_of_state(State.QUEUED, is_account_held=True) == 77
    assert code_of_state(State.FAILED, is_account_held=True) == 69
    assert code_of_state(State.SENT, is_account_held=True) == 0


def test_the_worst_outcome_wins() -> None:
    """76 before 77 before 69 before 75 before 0; nothing at all is 0."""
    assert worst([0, 75, 69, 77, 76]) == 76
    assert worst([0, 75, 69, 77]) == 77
    assert worst([0, 75, 69]) == 69
    assert worst([75, 0]) == 75
    assert worst([]) == 0
