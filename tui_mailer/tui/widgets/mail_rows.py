"""A list whose rows are submissions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_mailer.tui.widgets.row_list import RowList
from tui_mailer.tui.words import needed_action

if TYPE_CHECKING:
    from tui_mailer.storage.record import Submission


class MailRows(RowList):
    """Knows which submission is under the cursor, and what that waits for."""

    def current(self) -> Submission | None:
        """The submission under the cursor; None where there is none, or it is being fetched."""
        raise NotImplementedError

    def needed_action(self) -> tuple[str, str]:
        """What the row under the cursor waits for a person to do, as `KeyLine.need` takes it; empty: nothing."""
        one = self.current()
        return needed_action(one.state) if one is not None else ("", "")
