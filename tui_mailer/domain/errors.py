"""Every error the program raises on purpose, as one tree; each class says what its catcher should do.

MailerError                      a sentence for a person: what happened, what it means for the mail, what to do
+-- InvalidMessage               the message can't be sealed as it is (exit 65)
|   +-- InvalidAddress           an address list that can't be read (names the part)
|   +-- InvalidSchedule          words that name no instant, or one in the past
|   +-- InvalidAttachment        missing, unreadable, not a regular file, changed while read
|   +-- Unsupported              the provider can't carry it: field, why, what to do
+-- ConfigurationError           config.yaml, file and line named (exit 78)
|   +-- UnknownAccount           an account that isn't in the configuration this process knows
|   +-- UnchangedConfiguration   the file can't be written: carries the block to paste (accounts.edit)
+-- NotFound                     no such ID, account, provider or file (exit 66)
|   +-- DraftGone                the draft was sent or deleted since it was read
|       +-- DraftOutdated        or written anew: that text is kept
+-- TooLate                      the submission's state doesn't allow it any more (exit 69)
+-- StorageError                 the data dir can't be written or read (exit 73)
|   +-- NewerDatabase            written by a newer version of the program
|   +-- DamagedStore             a database or spool file isn't what was written
+-- CredentialUnavailable        the secret can't be had now: locked, missing, command failed (holds the account)
+-- DeliveryError                an attempt ended without a receipt
    +-- Offline                  no network or nobody listening: no attempt is counted
    +-- TryLater                 not accepted for a temporary reason
    +-- Rejected                 permanently refused
    +-- NotAuthorized            the account's trouble: credential, certificate, security: hold the account
    +-- OutcomeUncertain         the point of no return was passed and no answer came
    +-- Fenced                   the lease was lost: stop at once, write nothing
"""

from __future__ import annotations

from datetime import datetime


class MailerError(Exception):
    """Base of every expected error; ``str(error)`` is safe to show to a person."""


class InvalidMessage(MailerError):
    """The message can't be sealed as it stands; nothing was stored."""

    def __init__(self, text: str, *, field: str | None = None) -> None:
        super().__init__(text)
        self.field = field
        """The compose field the trouble belongs to (``to``, ``attachments``, ``at`` ...), if one does."""


class InvalidAddress(InvalidMessage, ValueError):
    """An address or address list that can't be read (RFC 5322 section 3.4, RFC 6531)."""

    def __init__(self, text: str, *, part: str = "", field: str | None = None) -> None:
        super().__init__(text, field=field)
        self.part = part
        """The offending part of the input, as typed."""


class InvalidSchedule(InvalidMessage, ValueError):
    """Words that name no instant, or one that has passed."""


class InvalidAttachment(InvalidMessage):
    """A file that can't be attached: missing, unreadable, not a regular file, or changed while it was read."""


class Unsupported(InvalidMessage):
    """The account's provider can't carry this; refused before anything is stored."""

    def __init__(self, field: str, why: str, what_to_do: str) -> None:
        super().__init__(f"{why} {what_to_do}", field=field)
        self.why = why
        self.what_to_do = what_to_do


class ConfigurationError(MailerError):
    """The configuration can't be used; the text names file, line, key and what is allowed."""


class UnknownAccount(ConfigurationError):
    """An account that isn't in the configuration this process goes by; another one may know it."""


class NotFound(MailerError, LookupError):
    """No submission, draft, account, provider or input file of that name."""


class DraftGone(NotFound):
    """The draft as it was read isn't there any more: it was sent or deleted."""


class DraftOutdated(DraftGone):
    """Another process has written the draft anew since it was read; that text is kept."""


class TooLate(MailerError):
    """The submission is in a state that doesn't allow what was asked."""

    def __init__(self, text: str, *, state: str, why: str = "") -> None:
        super().__init__(text)
        self.state = state
        self.why = why or f"it is {state.replace('_', ' ')}"
        """The same without the ID, to go after "it can't be ...:"."""


class StorageError(MailerError):
    """The data dir can't be read or written (disk full, read-only, permissions)."""


class NewerDatabase(StorageError):
    """The database was written by a newer version of the program; this one doesn't touch it."""


class DamagedStore(StorageError):
    """A database or a spool object isn't what was written."""


class CredentialUnavailable(MailerError):
    """The secret can't be had now; the account is held with this text and its mail stays untouched."""

    def __init__(self, text: str, *, what: str = "") -> None:
        super().__init__(text)
        self.what = what or text
        """What happened, without what to do about it."""


class DeliveryError(MailerError):
    """An attempt ended without a receipt.

    ``code`` is the SMTP or HTTP status, ``enhanced_code`` RFC 3463's, ``transcript`` the lines exchanged, secrets
    removed, oldest first.
    """

    def __init__(
        self,
        text: str,
        *,
        code: int | None = None,
        enhanced_code: str | None = None,
        transcript: tuple[str, ...] = (),
    ) -> None:
        super().__init__(text)
        self.code = code
        self.enhanced_code = enhanced_code
        self.transcript = transcript


class Offline(DeliveryError, ConnectionError):
    """Nobody could be reached (no route, DNS, refused): nothing was sent and no attempt is counted."""


class TryLater(DeliveryError):
    """Not accepted for a temporary reason; certain not to have been delivered.

    ``retry_at`` is the server's own hint, ``is_account_wide`` says that other mail of this account would fare alike.
    """

    def __init__(
        self,
        text: str,
        *,
        retry_at: datetime | None = None,
        is_account_wide: bool = False,
        code: int | None = None,
        enhanced_code: str | None = None,
        transcript: tuple[str, ...] = (),
    ) -> None:
        super().__init__(text, code=code, enhanced_code=enhanced_code, transcript=transcript)
        self.retry_at = retry_at
        self.is_account_wide = is_account_wide


class Rejected(DeliveryError):
    """Permanently refused for every recipient; certain not to have been delivered."""


class NotAuthorized(DeliveryError):
    """Credential, certificate or security trouble: the account is held, its mail stays queued, no attempt counts."""


class OutcomeUncertain(DeliveryError, TimeoutError):
    """The point of no return was passed and no answer came: it may or may not have been delivered."""


class Fenced(DeliveryError):
    """Another process has taken this submission over; stop without a further byte."""
