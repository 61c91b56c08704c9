"""Between database rows and the frozen records of `storage.record`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

from tui_mailer.domain.draft import Draft
from tui_mailer.domain.message import Message
from tui_mailer.domain.submission import Attempt, Kind, Phase, Recipient, RecipientStatus, State
from tui_mailer.domain.timeline import StatusEvent
from tui_mailer.storage.clock import from_microseconds, to_microseconds
from tui_mailer.storage.codec import from_json, to_json, tuple_from_json
from tui_mailer.storage.database import Bindings, Row
from tui_mailer.storage.record import AccountHold, NewSubmission, StoredDraft, Submission, Transfer


def instant(microseconds: int | None) -> datetime | None:
    """Reads an instant that may be missing."""
    return None if microseconds is None else from_microseconds(microseconds)


def microseconds(moment: datetime | None) -> int | None:
    """Writes an instant that may be missing."""
    return None if moment is None else to_microseconds(moment)


def date_bindings(date: datetime | None) -> Bindings:
    """Writes a Date header's instant and its zone, so that a retry writes the same header."""
    offset = date.utcoffset() if date is not None else None
    return {
        "date_at": microseconds(date),
        "date_offset": None if offset is None else int(offset.total_seconds()),
    }


def transfer_bindings(transfer: Transfer | None) -> Bindings:
    """Writes how far a transfer is, as far as that is known."""
    sent, total = (transfer.bytes_gone if transfer else None) or (None, None)
    return {"phase": str(transfer.phase) if transfer else None, "bytes_sent": sent, "bytes_total": total}


def displayed_owner(owner: str) -> str:
    """Shortens ``app pid 4711 <token>`` to what a person needs."""
    return owner.rpartition(" ")[0] or owner


def submission_of_row(
    row: Row, recipients: tuple[Recipient, ...], *, message: Message | None = None, draft: Draft | None = None
) -> Submission:
    """Makes a submission from its row; the message is read from the row unless it is at hand."""
    state = State(row["state"])
    return Submission(
        id=row["id"],
        message=message or from_json(Message, row["message"]),
        account=row["account"],
        provider=row["provider"],
        account_fingerprint=row["account_fingerprint"],
        state=state,
        created_at=from_microseconds(row["created_at"]),
        updated_at=from_microseconds(row["updated_at"]),
        not_before=from_microseconds(row["not_before"]),
        size=row["size"],
        envelope_from=row["envelope_from"],
        recipients=recipients,
        schedule_words=row["schedule_words"],
        schedule_zone=row["schedule_zone"],
        sent_at=instant(row["sent_at"]),
        date=_date(row),
        attempts=row["attempts"],
        next_attempt_at=instant(row["due_at"]) if state is State.DEFERRED else None,
        phase=Phase(row["phase"]) if row["phase"] else None,
        provider_id=row["provider_id"],
        response_code=row["response_code"],
        enhanced_code=row["enhanced_code"],
        response_text=row["response_text"],
        error=row["error"],
        held_reason=row["held_reason"],
        deliverer=displayed_owner(row["owner"]) if row["owner"] else None,
        claimed_at=instant(row["claimed_at"]),
        bytes_gone=None if row["bytes_total"] is None else (row["bytes_sent"], row["bytes_total"]),
        key=row["key"],
        group=row["group_id"],
        note=row["note"],
        retries=row["retries"],
        keep=bool(row["keep"]),
        is_kept_locally=bool(row["is_kept_locally"]),
        is_any_time=bool(row["any_time"]),
        home_account=row["home_account"],
        ruled_out=tuple(json.loads(row["ruled_out"])),
        series_id=row["series_id"],
        hands_over=bool(row["hands_over"]),
        timeline=timeline_of_row(row),
        receipt_note=json.loads(row["receipt_note"]),
        key_number=row["key_number"],
        key_used_at=instant(row["key_used_at"]),
        key_uses=row["key_uses"],
        draft=draft or (from_json(Draft, row["draft"]) if row.get("draft") else None),
    )


def timeline_of_row(row: Row) -> tuple[StatusEvent, ...]:
    """Reads what was learnt of a submission's recipients after it was taken."""
    return () if row["timeline"] == "[]" else tuple_from_json(StatusEvent, row["timeline"])


def new_row(new: NewSubmission) -> dict[str, Any]:
    """Writes a new submission, without its message and recipients."""
    is_queued = new.state is State.QUEUED
    return {
        "id": new.message.id,
        "state": str(new.state),
        "account": new.account,
        "provider": new.provider,
        "account_fingerprint": new.account_fingerprint,
        "created_at": to_microseconds(new.created_at),
        "not_before": to_microseconds(new.not_before),
        "due_at": to_microseconds(new.created_at if new.hands_over else new.not_before) if is_queued else None,
        "size": new.size,
        "envelope_from": new.envelope_from,
        "schedule_words": new.schedule_words,
        "schedule_zone": new.schedule_zone,
        "held_reason": new.held_reason,
        "key": new.key,
        "group_id": new.group,
        "note": new.note,
        "retries": new.retries,
        "keep": new.keep,
        "is_kept_locally": new.is_kept_locally,
        "series_id": new.series_id,
        "hands_over": new.hands_over,
    }


def submission_of_new(new: NewSubmission) -> Submission:
    """Makes the submission that a new one is as soon as it is committed."""
    return Submission(
        id=new.message.id,
        message=new.message,
        account=new.account,
        provider=new.provider,
        account_fingerprint=new.account_fingerprint,
        state=new.state,
        created_at=new.created_at,
        updated_at=new.created_at,
        not_before=new.not_before,
        size=new.size,
        envelope_from=new.envelope_from,
        recipients=new.recipients,
        schedule_words=new.schedule_words,
        schedule_zone=new.schedule_zone,
        held_reason=new.held_reason,
        key=new.key,
        group=new.group,
        note=new.note,
        retries=new.retries,
        keep=new.keep,
        is_kept_locally=new.is_kept_locally,
        series_id=new.series_id,
        hands_over=new.hands_over,
        draft=new.draft,
    )


def recipient_rows(submission_id: str, recipients: Sequence[Recipient]) -> list[Bindings]:
    """Writes recipients in their order."""
    return [
        {
            "id": submission_id,
            "position": position,
            "address": one.address,
            "kind": str(one.kind),
            "status": str(one.status),
            "detail": one.detail,
            "at": microseconds(one.at),
        }
        for position, one in enumerate(recipients)
    ]


def recipient_of_row(row: Row) -> Recipient:
    """Reads one recipient."""
    return Recipient(
        address=row["address"],
        kind=Kind(row["kind"]),
        status=RecipientStatus(row["status"]),
        detail=row["detail"],
        at=instant(row["at"]),
    )


def attempt_of_row(row: Row) -> Attempt:
    """Reads one attempt."""
    note: Mapping[str, str] = json.loads(row["note"])
    return Attempt(
        number=row["number"],
        started_at=from_microseconds(row["started_at"]),
        ended_at=instant(row["ended_at"]),
        phase=Phase(row["phase"]),
        provider=row["provider"],
        intent_at=instant(row["intent_at"]),
        code=row["code"],
        enhanced_code=row["enhanced_code"],
        text=row["text"],
        provider_id=row["provider_id"],
        note=note,
        transcript=tuple(json.loads(row["transcript"])),
        account=row["account"],
    )


def account_hold_of_row(row: Row) -> AccountHold:
    """Reads why an account's mail waits."""
    return AccountHold(
        account=row["account"],
        reason=row["reason"],
        since=from_microseconds(row["since"]),
        is_offline=bool(row["is_offline"]),
        retry_at=instant(row["retry_at"]),
        failures=row["failures"],
    )


def draft_of_row(row: Row) -> StoredDraft:
    """Reads a draft."""
    return StoredDraft(
        id=row["id"],
        draft=from_json(Draft, row["draft"]),
        epoch=row["epoch"],
        updated_at=from_microseconds(row["updated_at"]),
        is_copy_of=row["is_copy_of"],
    )


def ended_row(submission: Submission, attempts: Sequence[Attempt]) -> dict[str, Any]:
    """Writes what the history keeps of an ended submission: each part once, and only what it may keep."""
    kept = submission if submission.keep else without_content(submission)
    message, draft = kept.message, kept.draft
    is_repeated = draft is not None and draft.body == (message.text or "")
    ended_at = to_microseconds(kept.updated_at)
    return {
        "id": kept.id,
        "id_reversed": kept.id[::-1],
        "ended_at": ended_at,
        "subject": _storable(message.subject),
        "sender": _storable(str(message.sender)),
        "recipients": _storable(" ".join(str(one) for one in message.recipients())),
        "body": None if message.text is None else _storable(message.text),
        "tags": f"{account_tag(kept.account)} {state_tag(kept.state)}",
        "submission": to_json(replace(kept, message=replace(message, text=None), draft=None)),
        "draft": None if draft is None else to_json(draft._replace(body="") if is_repeated else draft),
        "draft_has_body": not is_repeated,
        "attempts": to_json(tuple(attempts)),
        "has_text": message.text is not None or message.html is not None or message.raw_sha256 is not None,
    }


def submission_of_ended_row(row: Row) -> Submission:
    """Reads what the history keeps."""
    submission = from_json(Submission, row["submission"])
    draft = from_json(Draft, row["draft"]) if row["draft"] else None
    if draft is not None and not row["draft_has_body"]:
        draft = draft._replace(body=row["body"] or "")
    message = replace(submission.message, text=row["body"])
    return replace(submission, message=message, draft=draft, is_in_history=True)


def listed_of_ended_row(row: Row) -> Submission:
    """Reads what a list shows: all but the text and the draft."""
    return replace(from_json(Submission, row["submission"]), is_in_history=True)


def attempts_of_ended_row(row: Row) -> tuple[Attempt, ...]:
    """Reads the attempts the history keeps."""
    return tuple_from_json(Attempt, row["attempts"])


def without_content(submission: Submission) -> Submission:
    """Leaves of a submission who, when and the subject: no text, no attachment, no draft."""
    message = replace(submission.message, text=None, html=None, attachments=(), raw_sha256=None, variables={})
    return replace(submission, message=message, draft=None)


def account_tag(account: str) -> str:
    """Names an account as one token that no text can hold by chance."""
    return f"account0{account.encode().hex()}"


def state_tag(state: State) -> str:
    """Names a state as one token."""
    return f"state0{state.replace('_', '')}"


def _date(row: Row) -> datetime | None:
    if row["date_at"] is None:
        return None
    zone = timezone(timedelta(seconds=row["date_offset"]))
    return from_microseconds(row["date_at"]).astimezone(zone)


def _storable(text: str) -> str:
    """SQLite keeps UTF-8, which has no form for a lone surrogate."""
    return text.encode("utf-8", "replace").decode("utf-8")


def next_key(row: Row) -> dict[str, Any]:
    """After a definite answer another idempotency key is to be used: some providers remember refusals by it."""
    if row["key_used_at"] is None:
        return {}
    return {"key_number": row["key_number"] + 1, "key_used_at": None, "key_uses": 0}
