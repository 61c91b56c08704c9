"""Believable mail for pictures: a small office's outbox and history, made by the real mailer and store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from still_clock import set_back

from tui_mailer.accounts.configuration import Account, ComposeSettings, Configuration, Paths, UiSettings
from tui_mailer.accounts.credential import Credentials
from tui_mailer.domain.address import parse_address
from tui_mailer.domain.draft import Draft
from tui_mailer.domain.submission import Phase, Receipt, RecipientResult, RecipientStatus, State
from tui_mailer.services.mailer import Mailer
from tui_mailer.services.review import SealRequest
from tui_mailer.services.session import Session
from tui_mailer.storage.record import Claim, Outcome, Submission
from tui_mailer.storage.store import Store

SENT = (
    ("Grace Hopper <grace@navy.example>", "Re: Compiler demo on Thursday", "The room is booked from ten."),
    ("team@analytical.example", "Minutes of the engine meeting", "Everybody agreed on brass."),
    ("Luigi Menabrea <luigi@torino.example>", "Notes A to G, corrected", "The table of operations is in G."),
    ("accounts@foundry.example", "Invoice 1843-117", "Please find it attached."),
    ("Mary Somerville <mary@somerville.example>", "Thursday's lecture", "May I bring a guest?"),
    ("Michael Faraday <m.faraday@ri.example>", "Your letter of the 10th", "I was delighted."),
    ("Charles Babbage <charles@analytical.example>", "Re: Re: Carriage of tens", "It works on paper."),
    ("printers@taylor.example", "Proofs, second reading", "Two misprints on page 712."),
)
LETTER = Draft(
    to="Charles Babbage <charles@analytical.example>, mary@somerville.example",
    cc="Luigi Menabrea <luigi@torino.example>",
    bcc="archive@ada.example",
    subject="Notes on the Analytical Engine, final text",
    body=(
        "Dear Charles,\n\nattached is the final text with the table of operations for Note G. I have\n"
        "followed your suggestion about the variables; the engine now needs only\n"
        "twenty-five operations where the draft had thirty.\n\n"
        "Could you look at the sign in the fourth column? Taylor's printers want\n"
        "everything by Monday.\n\nYours,\nAda\n"
    ),
    schedule="tomorrow 9:00",
)


def configuration() -> Configuration:
    """One account at a server that isn't asked while the pictures are taken."""
    work = Account(
        name="work",
        provider="smtp",
        identities=(parse_address("Ada Lovelace <ada@analytical.example>"),),
        settings={"host": "127.0.0.1", "port": 9, "security": "none"},
    )
    return Configuration(
        path=None,
        default_account="work",
        accounts={"work": work},
        compose=ComposeSettings(fields=("cc", "bcc")),
        ui=UiSettings(timezone="Europe/London"),
    )


def paths_in(folder: Path) -> Paths:
    """Everything under one folder."""
    return Paths(
        config_file=folder / "config.yaml",
        data_dir=folder / "data",
        state_dir=folder / "state",
        cache_dir=folder / "cache",
    )


def furnish(folder: Path) -> None:
    """Fills history and outbox."""
    paths = paths_in(folder)
    store = Store.open(paths.data_dir)
    session = Session(configuration=configuration(), paths=paths, credentials=Credentials(), store=store)
    owner = store.become_deliverer("send")
    try:
        for number, (to, subject, body) in enumerate(SENT):
            set_back(60 * 9 * (len(SENT) - number) + 17 * number)
            _end(session.mailer, store, owner, Draft(to=to, subject=subject, body=body), _accepted)
        set_back(95)
        refused = Draft(to="vera@example.org, old-address@example.org", subject="New address", body="We have moved.")
        _end(session.mailer, store, owner, refused, _half_refused)
        set_back(12)
        lost = Draft(to="Augustus <augustus@ucl.example>", subject="Lesson on Friday?", body="-")
        _end(session.mailer, store, owner, lost, _unanswered)
        set_back(4)
        _end(session.mailer, store, owner, Draft(to="team@lists.example", subject="Offprints", body="-"), _greylisted)
        set_back(0)
        session.mailer.seal(Draft(to="William <william@home.example>", subject="Dinner", body="-", schedule="in 5h"))
        held = Draft(to="press@analytical.example", subject="Announcement", body="-")
        session.mailer.seal(held, SealRequest(hold=True))
        store.archive_ended()
    finally:
        store.resign()
        session.close()


def _end(mailer: Mailer, store: Store, owner: str, draft: Draft, how: Callable[[Submission], Outcome]) -> None:
    """Seals a draft and records one attempt that ended like this."""
    (sealed,) = mailer.seal(draft)
    claim: Claim = store.outbox.claim(owner, now=datetime.now(UTC), limit=1, ids=[sealed.id])[0]
    for phase in (Phase.CONNECTING, Phase.ENVELOPE, Phase.BODY, Phase.INTENT):
        store.outbox.set_phase(claim, phase)
    store.outbox.finish(claim, how(claim.submission))


def _results(one: Submission, status: RecipientStatus, code: int, text: str) -> tuple[RecipientResult, ...]:
    return tuple(RecipientResult(address=r.address, status=status, code=code, text=text) for r in one.recipients)


def _accepted(one: Submission) -> Outcome:
    return Outcome(
        receipt=Receipt(recipients=_results(one, RecipientStatus.ACCEPTED, 250, "2.0.0 Ok"), response_code=250)
    )


def _half_refused(one: Submission) -> Outcome:
    first, second = one.recipients
    return Outcome(
        receipt=Receipt(
            recipients=(
                RecipientResult(address=first.address, status=RecipientStatus.ACCEPTED, code=250, text="Ok"),
                RecipientResult(
                    address=second.address, status=RecipientStatus.REJECTED, code=550, text="5.1.1 no such user"
                ),
            ),
            response_code=250,
        )
    )


def _greylisted(one: Submission) -> Outcome:
    return Outcome(
        receipt=Receipt(recipients=_results(one, RecipientStatus.DEFERRED, 451, "4.7.1 Greylisted, try again later")),
        error="greylisted, try again later",
        next_attempt_at=datetime.now(UTC) + timedelta(minutes=9),
    )


def _unanswered(one: Submission) -> Outcome:
    del one
    return Outcome(
        fallback_state=State.UNCERTAIN,
        error="the server stopped answering after the last byte.",
    )
