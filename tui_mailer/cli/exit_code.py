"""Exit codes (sysexits.h) in two tables: what an error means, and what a submission's state means, to a script."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from tui_mailer.domain import errors

if TYPE_CHECKING:
    from tui_mailer.domain.submission import State

DONE = 0
USAGE = 64
BAD_MESSAGE = 65
NO_INPUT = 66
REFUSED = 69
BUG = 70
NO_STORAGE = 73
IO_TROUBLE = 74
NOT_YET = 75
UNCERTAIN = 76
ACCOUNT_HELD = 77
BAD_CONFIGURATION = 78
INTERRUPTED = 130
PIPE_CLOSED = 141
SIGNALED = 128
"""Added to the number of the signal that ended a command."""


class UsageError(Exception):
    """The command line itself can't be understood; ``usage`` is the line that shows how it is meant."""

    def __init__(self, text: str, *, usage: str = "") -> None:
        super().__init__(text)
        self.usage = usage


ERROR_CODES: Mapping[type[BaseException], int] = {
    UsageError: USAGE,
    errors.InvalidMessage: BAD_MESSAGE,
    errors.NotFound: NO_INPUT,
    errors.TooLate: REFUSED,
    errors.ConfigurationError: BAD_CONFIGURATION,
    errors.StorageError: NO_STORAGE,
    errors.CredentialUnavailable: ACCOUNT_HELD,
    errors.NotAuthorized: ACCOUNT_HELD,
    errors.Offline: NOT_YET,
    errors.TryLater: NOT_YET,
    errors.Rejected: REFUSED,
    errors.OutcomeUncertain: UNCERTAIN,
    errors.Fenced: NOT_YET,
    errors.DeliveryError: NOT_YET,
    OSError: IO_TROUBLE,
    KeyboardInterrupt: INTERRUPTED,
}
"""By class; an error takes the code of its nearest ancestor in this table."""

STATE_CODES: Mapping[str, int] = {
    "held": NOT_YET,
    "queued": NOT_YET,
    "sending": NOT_YET,
    "deferred": NOT_YET,
    "handed_over": DONE,
    "sent": DONE,
    "partial": REFUSED,
    "failed": REFUSED,
    "uncertain": UNCERTAIN,
    "canceled": REFUSED,
}
"""What a submission's state means once it had its attempt; what was asked to wait is 0 (see `cli.sending`)."""

WORST_FIRST = (UNCERTAIN, ACCOUNT_HELD, REFUSED, NOT_YET, DONE)

EXPLAINED = """\
exit codes:
  0   done
  nothing was stored:
  64  usage             65  bad message data       66  no such ID or input
  73  data dir          74  input/output           78  configuration
  stored, do not call again:
  69  refused (or partly; or too late)             75  not yet: stays in the outbox
  76  outcome uncertain                            77  account held
  70  a bug             129, 130, 143  stopped by a signal"""


def code_of_error(error: BaseException) -> int:
    """Finds the exit code of an error; what isn't in the table is a bug (70)."""
    return next((ERROR_CODES[kind] for kind in type(error).__mro__ if kind in ERROR_CODES), BUG)


def code_of_state(state: State, *, is_account_held: bool = False) -> int:
    """Finds the exit code of a submission; a held account explains why it still waits."""
    code = STATE_CODES[state.value]
    return ACCOUNT_HELD if is_account_held and code == NOT_YET else code


def worst(codes: Iterable[int]) -> int:
    """Picks the outcome that must not be hidden: 76, 77, 69, 75, 0; 0 for none."""
    present = set(codes)
    return next((code for code in WORST_FIRST if code in present), max(present, default=DONE))
