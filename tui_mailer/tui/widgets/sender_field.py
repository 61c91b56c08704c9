"""Who it is from: one of the identities of the accounts, chosen with Left and Right or from a list."""

from __future__ import annotations

from typing import NamedTuple

from rich.text import Text
from textual import events
from textual.message import Message
from textual.widget import Widget

from tui_mailer.accounts.configuration import LOCAL_ACCOUNT, Configuration
from tui_mailer.domain.text import clean


class Sender(NamedTuple):
    """An identity of an account."""

    account: str
    address: str


def senders_of(configuration: Configuration) -> list[Sender]:
    """Every identity, the default account's first."""
    accounts = sorted(
        configuration.accounts.values(), key=lambda account: account.name != configuration.default_account
    )
    return [
        Sender(account=account.name, address=str(identity)) for account in accounts for identity in account.identities
    ]


class SenderField(Widget, can_focus=True, inherit_css=False):
    """Shows the sender; the draft's own words where they are no identity."""

    DEFAULT_CSS = """
    SenderField { height: 1; width: 1fr; }
    SenderField:focus { text-style: reverse; }
    """

    class Chosen(Message):
        """Another sender is meant from now on."""

        def __init__(self, sender: Sender) -> None:
            super().__init__()
            self.sender = sender

    class ListAsked(Message):
        """Enter: the list of senders is wanted."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's own name
        super().__init__(id=id)
        self._senders: list[Sender] = []
        self.sender = Sender(account="", address="")
        self.is_gone = False
        """The account meant isn't in the configuration (any more): nothing can be sent from it."""

    def show(self, senders: list[Sender], *, account: str, address: str) -> None:
        """Shows the sender a draft names; empty: the account's, else the first."""
        self._senders = senders
        own = [one for one in senders if one.account == account]
        fitting = own or senders
        exact = [one for one in fitting if one.address == address]
        # Mail may wait in the embedded account, though no sender is offered for it once there are others.
        self.is_gone = bool(account) and not own and account != LOCAL_ACCOUNT
        if self.is_gone or (address and not exact):
            self.sender = Sender(account=account, address=address)
        else:
            self.sender = (exact or fitting or [self.sender])[0]
        self.refresh()

    def choose(self, sender: Sender) -> None:
        """Takes another sender."""
        self.sender, self.is_gone = sender, False
        self.refresh()
        self.post_message(self.Chosen(sender))

    def render(self) -> Text:
        """Address and, in brackets, the account."""
        hint = "   ←→ choose, Enter lists" if self.has_focus else ""
        account = clean(self.sender.account) or "default"
        if self.is_gone:
            account = f"{account}: there is no such account"
        return Text(
            f"{clean(self.sender.address) or '(nobody yet)'}  ({account}){hint}",
            no_wrap=True,
            overflow="ellipsis",
        )

    def on_key(self, event: events.Key) -> None:
        """Left and Right choose, Enter lists."""
        if event.key in {"left", "right"} and self._senders:
            event.stop()
            step = 1 if event.key == "right" else -1
            at = self._senders.index(self.sender) + step if self.sender in self._senders else min(0, step)
            self.choose(self._senders[at % len(self._senders)])
        elif event.key in {"enter", "space"}:
            event.stop()
            self.post_message(self.ListAsked())

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()
