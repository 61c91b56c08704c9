"""A count as a person reads it."""

from __future__ import annotations

from collections.abc import Iterable

from torture_run import Count


def report(count: Count) -> str:
    """Writes a count as lines of Markdown."""
    happened = count.happened
    what = (
        f"{count.plan.messages} messages, {count.recipients} recipients, seed {count.plan.seed}, "
        f"{happened['transactions']} transactions of which {sum(count.faults.values())} broken, "
        f"{happened['kill -9']} kill -9 ({happened['kill -9 in a transaction']} in the middle of a transaction), "
        f"{happened['SIGTERM']} SIGTERM, {happened['SIGSTOP']} SIGSTOP "
        f"({happened['SIGSTOP beyond the lease']} beyond the lease), {happened['clock jumps']} clock jumps, "
        f"{happened['started']} deliverers started, {count.seconds:.0f} s."
    )
    head = ("duplicates", "lost", "said to be sent", "failed, yet delivered", "uncertain", "of these delivered", "left")
    figures = (
        count.duplicates,
        count.lost,
        count.false_sent,
        count.false_failed,
        count.uncertain,
        count.uncertain_arrived,
        count.left,
    )
    lines = [f"### {count.protocol}", "", what, "", _row(head), "|---" * len(head) + "|", _row(figures)]
    if happened["repeats known by key"]:
        lines += ["", f"{happened['repeats known by key']} repeats were known by their key."]
    if count.by_liars:
        lines += ["", f"Beside these, {count.by_liars} copies by a server that refused what it kept."]
    if count.examples:
        lines += ["", *(f"- {one}" for one in count.examples)]
    return "\n".join(lines) + "\n"


def _row(cells: Iterable[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"
