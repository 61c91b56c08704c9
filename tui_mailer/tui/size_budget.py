"""How much the account takes, and how much of it is left: attachments as they travel, a third larger than on disk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tui_mailer.tui.words import say_size


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeBudget:
    """What is attached already, and the account's limits; None: none is known."""

    account: str = ""
    used: tuple[int, ...] = ()
    """Bytes on disk of what is attached."""
    max_size: int | None = None
    """Bytes of the whole message on the wire."""
    max_count: int | None = None

    def say(self, more: Iterable[int] = ()) -> str:
        """``2 files, 5.1 MB; 18 MB left of what work takes``; empty while nothing is attached and nothing limited."""
        sizes = (*self.used, *more)
        parts: list[str] = []
        if sizes:
            parts.append(f"{len(sizes)} file{'s' * (len(sizes) != 1)}, {say_size(sum(sizes))}")
        if self.max_size is not None:
            left = self.max_size - on_the_wire(sum(sizes))
            if left < 0:
                parts.append(f"too large: {self.account} takes {say_size(self.max_size)} as sent")
            else:
                parts.append(f"{say_size(left * 72 // 100)} left")
        if self.max_count is not None and len(sizes) > self.max_count:
            parts.append(f"too many: {self.account} takes {self.max_count}")
        return "; ".join(parts)

    @property
    def is_exceeded(self) -> bool:
        """Whether what is attached is more than the account takes."""
        too_large = self.max_size is not None and on_the_wire(sum(self.used)) > self.max_size
        return too_large or (self.max_count is not None and len(self.used) > self.max_count)


def on_the_wire(size: int) -> int:
    """Bytes in base64 with a line end every 76 characters."""
    encoded = -(-size // 3) * 4
    return encoded + -(-encoded // 76) * 2
