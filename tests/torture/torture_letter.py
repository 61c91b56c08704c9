"""What is sent under torture, and what a protocol says became of it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from torture_process import Errand

Verdict = Literal["sent", "refused", "uncertain", "open", "gone"]
"""Of one recipient; ``gone``: nobody knows the message any more."""


@dataclass(frozen=True)
class Letter:
    """One message; its recipients belong to no other."""

    number: int
    recipients: tuple[str, ...]

    @property
    def name(self) -> str:
        """Tells it from the others."""
        return f"m{self.number:06d}"


def letters(count: int, dice: random.Random) -> list[Letter]:
    """Makes messages to one, two or three recipients."""
    return [
        Letter(n, tuple(f"m{n:06d}-{k}@torture.test" for k in range(dice.choice((1, 1, 1, 1, 1, 1, 1, 2, 2, 3)))))
        for n in range(count)
    ]


class Tortured(Protocol):
    """A way to deliver mail that is put to the torture."""

    name: str

    def seed(self, many: Sequence[Letter]) -> None:
        """Takes the messages in, durably."""
        ...

    def next_errand(self) -> Errand:
        """Says what the next deliverer process is."""
        ...

    def tend(self) -> None:
        """Does what a patient person, or an hour, would do: what was put off is due again at once."""
        ...

    def left(self) -> int:
        """Counts the messages that are still to be delivered by themselves."""
        ...

    def verdicts(self) -> dict[str, Verdict]:
        """Says of each recipient what the protocol believes."""
        ...

    def close(self) -> None:
        """Lets go of everything."""
        ...
