"""``merge``: a template sent to each row of a table; every row its own sealed submission, none twice after a rerun."""

from __future__ import annotations

import argparse
import contextlib
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tui_mailer.cli import exit_code, parsing, sending
from tui_mailer.cli.context import is_interactive
from tui_mailer.cli.merge_repeat import ADVICE, Job, find_repeats, plan
from tui_mailer.cli.merge_result import OPEN_STATES, FailureLog, Outcome, Progress, ResultFile
from tui_mailer.cli.merge_source import Row, Template, draft_for, read_rows, read_template
from tui_mailer.domain.errors import InvalidMessage, NotFound

if TYPE_CHECKING:
    from tui_mailer.cli.context import Context
    from tui_mailer.domain.draft import Draft
    from tui_mailer.services.engine import Deliver
    from tui_mailer.storage.record import Submission

_BATCH = 100
"""Rows sealed before they are delivered together; 1 where the first failure is to stop everything."""

_DESCRIPTION = """\
Sends TEMPLATE to each row of a table. TEMPLATE is a draft's ID, or a text file: 'Header: value' lines, an empty line,
the body. ${column} is replaced by the row's value, $$ is a dollar; a missing column is refused before anything is
queued. A rerun goes on where it ended: a row that was queued with this template isn't queued again. Where somebody
would be written to twice (equal rows, a text changed between two runs), nothing is queued at a terminal until you say
which you want: --only-new or --again; a script is told on stderr, and they are sent."""

_EPILOG = f"""\
header lines of a template file: From, To, Cc, Bcc, Reply-To, Subject, In-Reply-To, References, At, Format, Tag, Meta,
  Note, Attach (a path beside the template; repeatable), Option and Var (KEY=VALUE), Template (the account's own); any
  other becomes a header of the message

on error: stop (default) ends at the first row that fails in this run, with its error; continue goes on and exits 69;
  report goes on, marks the rows in the result file and exits 0
result: one JSON line a row (row, id, state, code, message_id, error) in FILE.result.jsonl; with --no-result what
  went wrong is only in the log

examples:
  tui-mailer merge invite.txt --data guests.csv --dry-run
  tui-mailer merge invite.txt --data guests.csv --limit 1
  tui-mailer merge invite.txt --data guests.csv --on-error continue --rate 60/min

{exit_code.EXPLAINED}"""


def build_parser(prog: str) -> parsing.Parser:
    """Describes the command line of ``merge``."""
    parser = parsing.Parser(
        prog=prog, usage=f"{prog} TEMPLATE --data FILE [options]", description=_DESCRIPTION, epilog=_EPILOG
    )
    parser.add_argument("template", metavar="TEMPLATE", help="a text file, or a draft's ID")
    parser.add_argument(
        "--data", metavar="FILE", required=True, help="rows: .csv (commas or semicolons), .tsv or .jsonl"
    )
    parser.add_argument("--on-error", choices=["stop", "continue", "report"], default="stop")
    parser.add_argument("--limit", metavar="N", type=parsing.positive, help="at most so many new rows in this call")
    parser.add_argument("--rate", metavar="N/min", type=rate, help="at most so many rows a minute (also N/s, N/h)")
    repeats = parser.add_mutually_exclusive_group()
    repeats.add_argument(
        "--only-new", action="store_true", help="leave out equal rows, and people an earlier run wrote to otherwise"
    )
    repeats.add_argument("--again", action="store_true", help="send those rows as well: people get a second message")
    parser.add_argument("--run", metavar="NAME", default="", help="a name for this run: the same rows go out again")
    result = parser.add_mutually_exclusive_group()
    result.add_argument("--result", metavar="PATH", help="where the result goes (default: FILE.result.jsonl)")
    result.add_argument("--no-result", action="store_true", help="no result file; errors go to the log only")
    parser.add_argument("--queue", action="store_true", help="only put the rows into the outbox")
    parser.add_argument("--dry-run", action="store_true", help="print what would go out (first row, or --limit rows)")
    parser.set_defaults(handler=merge)
    return parser


def rate(text: str) -> float:
    """Reads ``60/min`` into seconds between two rows."""
    number, _, unit = text.partition("/")
    seconds = {"s": 1, "sec": 1, "": 60, "min": 60, "m": 60, "h": 3600}.get(unit)
    if seconds is None or not number.isdigit() or not int(number):
        raise argparse.ArgumentTypeError(f"'{text}' isn't a rate such as 60/min")
    return seconds / int(number)


def merge(context: Context, arguments: argparse.Namespace) -> int:
    """Sends the template to each row."""
    template = read_template(arguments.template, context)
    rows = read_rows(Path(arguments.data))
    drafts = [(row, _draft(template, row, context)) for row in rows]
    if not drafts:
        raise InvalidMessage(f"There are no rows in {arguments.data}. Nothing was queued.", field="data")
    jobs = plan(template, drafts, account=context.account, run=arguments.run)
    repeats = find_repeats(jobs, context.mailer)
    if arguments.only_new:
        jobs = repeats.without(jobs)
    elif is_interactive() and not (arguments.again or arguments.dry_run):
        repeats.refuse()  # a script, a weekly letter from one template say, goes on as it always has, and is told
    for sentence in filter(None, (*repeats.sentences(), repeats.note())):
        context.output.say(sentence)
    if arguments.dry_run:
        if any(repeats.sentences()) and not (arguments.only_new or arguments.again):
            context.output.say(f"At a terminal it is asked which you want: {ADVICE}")
        return _dry_run(context, jobs[: arguments.limit or 1], len(drafts))
    result_path = None if arguments.no_result else Path(arguments.result or f"{arguments.data}.result.jsonl")
    with ResultFile(result_path) as result, MergeRun(context, arguments, len(drafts)) as run:
        for outcome in run.outcomes(jobs):
            result.add(outcome)
    return _summarise(context, run, result_path, rows=len(drafts), left_out=len(drafts) - len(jobs))


def _draft(template: Template, row: Row, context: Context) -> Draft:
    draft = draft_for(template, row)
    return draft._replace(account=context.account) if context.account else draft


class MergeRun:
    """One call: seals row by row, delivers what it sealed, and stops where it was told to."""

    def __init__(self, context: Context, arguments: argparse.Namespace, total: int) -> None:
        self.context = context
        self.on_error: str = arguments.on_error
        self.log = FailureLog(context.session.paths.state_dir)
        self.states: Counter[str] = Counter()
        self.failures: list[Outcome] = []
        self.codes: set[int] = set()
        self.new = 0
        self.already = 0
        self.is_stopped = False
        self._limit: int | None = arguments.limit
        self._seconds_between: float = arguments.rate or 0.0
        self._is_queue_only: bool = arguments.queue
        self._table = Path(arguments.data).name
        self._tells_rows = not arguments.no_result
        self._progress = Progress(context.output, total)
        self._open = contextlib.ExitStack()
        self._engine: Deliver | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def outcomes(self, jobs: Sequence[Job]) -> Iterator[Outcome]:
        """Yields what became of each row, until the end, the limit, or the first failure with ``stop``."""
        size = 1 if self.on_error == "stop" or self._seconds_between else _BATCH
        waiting = iter(jobs)
        while not self.is_stopped and (batch := self._seal_batch(waiting, size)):
            for outcome in self._deliver(batch):
                self._count(outcome)
                yield outcome
            self._progress.show(sum(self.states.values()), len(self.failures))

    def _seal_batch(self, waiting: Iterator[Job], size: int) -> list[Outcome]:
        batch: list[Outcome] = []
        while len(batch) < size and (self._limit is None or self.new < self._limit):
            following = next(waiting, None)
            if following is None:
                break
            outcome = self._seal(following)
            batch.append(outcome)
            if outcome.is_failed and outcome.submission is None and self.on_error == "stop":
                break
        return batch

    def _seal(self, job: Job) -> Outcome:
        from tui_mailer.services.review import SealRequest

        started = self.context.now()
        try:
            submission = self.context.mailer.seal(job.draft, SealRequest(key=job.key, marks=job.marks))[0]
        except InvalidMessage as error:
            return Outcome(row=job.row, error=str(error))
        except NotFound:
            self.already += 1  # and deleted from the history since
            return Outcome(row=job.row)
        is_new = submission.created_at >= started
        self.new += is_new
        self.already += not is_new
        if is_new and self._seconds_between:
            self._pace(started)
        return Outcome(row=job.row, submission=submission, found_in=None if is_new else submission.state)

    def _pace(self, started: datetime) -> None:
        """Waits before the next row; whoever stops us in between loses nothing."""
        left = self._seconds_between - (self.context.now() - started).total_seconds()
        if self.new > 1 and left > 0:
            time.sleep(left)

    def _deliver(self, batch: list[Outcome]) -> list[Outcome]:
        now = self.context.now()
        due = [
            one.id
            for one in (each.submission for each in batch)
            if one and one.state in OPEN_STATES and (one.next_attempt_at or one.not_before) <= now
        ]
        if due and not self._is_queue_only:
            self._delivering()(due, timeout_seconds=sending.DEFAULT_WAIT_SECONDS)
        return [
            replace(each, submission=self.context.mailer.show(each.submission.id)) if each.submission else each
            for each in batch
        ]

    def _delivering(self) -> Deliver:
        """One engine for the whole run: its connections stay open from row to row."""
        if self._engine is None:
            self._engine = self._open.enter_context(self.context.session.engine("send").on_call())
        return self._engine

    def _count(self, outcome: Outcome) -> None:
        self.states[outcome.word] += 1
        if outcome.submission is not None:
            self.codes.add(self._code(outcome.submission))
        if outcome.is_failed:
            self.failures.append(outcome)
            self.log.add(outcome, self.context.now(), table=self._table)
            if self._tells_rows:
                self.context.output.say(outcome.sentence())
        if self.on_error == "stop" and (outcome.has_failed_now or exit_code.ACCOUNT_HELD in self.codes):
            self.is_stopped = True

    def _code(self, submission: Submission) -> int:
        hold = self.context.mailer.account_holds().get(submission.account)
        code = exit_code.code_of_state(submission.state, is_account_held=hold is not None and not hold.is_offline)
        is_later = submission.not_before > self.context.now() and submission.attempts == 0
        return exit_code.DONE if code == exit_code.NOT_YET and (self._is_queue_only or is_later) else code

    def code(self) -> int:
        """Names the exit code: with ``report`` always 0, with ``stop`` the failing row's own."""
        if self.on_error == "report":
            return exit_code.DONE
        has_unsealed = any(each.submission is None for each in self.failures)
        if has_unsealed and self.on_error == "stop":
            return exit_code.BAD_MESSAGE
        return exit_code.worst({*self.codes, *([exit_code.REFUSED] if has_unsealed else [])})


def _summarise(context: Context, run: MergeRun, result_path: Path | None, *, rows: int, left_out: int) -> int:
    handled = sum(run.states.values())
    states = ", ".join(f"{count} {state}" for state, count in run.states.items())
    context.output.outcome(
        {
            "rows": rows,
            "handled": handled,
            "new": run.new,
            "already": run.already,
            "left_out": left_out,
            "stopped": run.is_stopped,
            "states": dict(run.states),
            "failed": len(run.failures),
            "failures": [each.view() for each in run.failures] if result_path else [],
            "result_file": str(result_path) if result_path else None,
        }
    )
    context.output.say(
        f"{handled} of {rows} rows: {states or 'none'}; {run.new} new, {run.already} from an earlier run"
        + (f", {left_out} left out (--only-new)." if left_out else ".")
    )
    if run.already and not run.new:
        context.output.say("Nothing new was queued. To send the same rows again, name the run: --run NAME.")
    if result_path:
        context.output.say(f"Row by row: {result_path}")
    elif run.failures:
        context.output.say(f"What went wrong is in {run.log.path}")
    return run.code()


def _dry_run(context: Context, jobs: Sequence[Job], total: int) -> int:
    from tui_mailer.services.json_view import dry_run_view

    views: list[dict[str, Any]] = []
    for job in jobs:
        try:
            account = context.mailer.account_for(job.draft)
            prepared = context.mailer.dry_run(job.draft)
        except InvalidMessage as error:
            raise InvalidMessage(f"Row {job.row.number}: {error}", field=error.field) from None
        views.append({"row": job.row.number, **dry_run_view(prepared, account=account.name, provider=account.provider)})
        context.output.text(f"Row {job.row.number}, account {account.name}, {prepared.size} bytes.")
        for step in prepared.steps:
            context.output.text(f"\n== {step.title}\n" + "\n".join(step.lines) + "\n")
    context.output.document(views)
    context.output.say(f"{len(jobs)} of {total} rows shown (--limit N for more). Nothing is stored or sent.")
    return exit_code.DONE
