"""How much the account takes, and how much of it is left: attachments as they travel, a third larger than on disk."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from tui_mailer.tui.size_words import say_size


class SizeBudget(NamedTuple):
    """What is attached already, and the account's limits; None: none is known."""

    account: str = ""
    used: tuple[int, ...] = ()
    """Bytes on disk of what is attached."""
    max_size: int | None = None
    """Bytes of the whole message on the wire."""
    max_files_size: int | None = None
    """Bytes of all files on disk."""
    max_count: int | None = None
    remark: str = ""
    """What the account takes instead of files."""

    def say(self, more: Iterable[int] = ()) -> str:
        """``2 files, 5.1 MB; 18 MB left of what work takes``; empty while nothing is attached and nothing limited."""
        sizes = (*self.used, *more)
        parts: list[str] = []
        if sizes:
            parts.append(f"{len(sizes)} file{'s' * (len(sizes) != 1)}, {say_size(sum(sizes))}")
        if self.remark:
            parts.append(self.remark)
        elif self.max_files_size is not None or self.max_size is not None:
            parts.append(self._say_left(sum(sizes)))
        if self.max_count is not None and len(sizes) > self.max_count:
            parts.append(f"too many: {self.account} takes {self.max_count}")
        return "; ".join(parts)

    def _left(self, size: int) -> int:
        """Bytes on disk that may still be added; negative: too many already."""
        as_files = self.max_files_size - size if self.max_files_size is not None else size + 1
        as_sent = (self.max_size - on_the_wire(size)) * 72 // 100 if self.max_size is not None else as_files
        return as_sent if self.max_files_size is None else min(as_files, as_sent)

    def _say_left(self, size: int) -> str:
        left = self._left(size)
        if left >= 0:
            return f"{say_size(left)} left"
        if self.max_files_size is not None and size > self.max_files_size:
            return f"too large: {self.account} takes {say_size(self.max_files_size)} of files"
        return f"too large: {self.account} takes {say_size(self.max_size or 0)} as sent"

    @property
    def is_exceeded(self) -> bool:
        """Whether what is attached is more than the account takes."""
        return self._left(sum(self.used)) < 0 or (self.max_count is not None and len(self.used) > self.max_count)


def on_the_wire(size: int) -> int:
    """Bytes in base64 with a line end every 76 characters."""
    encoded = -(-size // 3) * 4
    return encoded + -(-encoded // 76) * 2
