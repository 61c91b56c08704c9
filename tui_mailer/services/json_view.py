"""The shapes of ``--json``: a submission as scripts see it, an account, a draft, a provider, a check, a dry run.

Every key is always present, null where nothing is known; keys are added, never renamed (``docs/json.md``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from tui_mailer.domain.draft import Draft, DraftAttachment
from tui_mailer.domain.message import Attachment
from tui_mailer.domain.submission import Attempt, Recipient
from tui_mailer.domain.timeline import StatusEvent, timeline_of
from tui_mailer.providers.base import Capabilities, Prepared
from tui_mailer.storage.record import AccountHold, Deliverer, StoredDraft, Submission

if TYPE_CHECKING:
    from pydantic import BaseModel

    from tui_mailer.accounts.configuration import Account
    from tui_mailer.domain.checks import Finding
    from tui_mailer.services.doctor import Diagnosis
    from tui_mailer.services.review import Review
    from tui_mailer.services.who_sends import WhoSends

Json = dict[str, Any]

_PLAIN_TYPES = (str, int, float, bool, list, dict)
_SECRET_WORDS = ("password", "secret", "token", "api_key", "apikey")


def submission_view(
    submission: Submission,
    *,
    account_hold: AccountHold | None = None,
    attempts: Sequence[Attempt] | None = None,
    who: WhoSends | None = None,
    opens_at: datetime | None = None,
) -> Json:
    """Shows a submission; ``attempts`` adds ``attempt_log`` and ``timeline``.

    The account's hold explains why a queued one waits.
    ``who`` names who will send what waits, ``opens_at`` when its account's hours let it go.
    """
    message = submission.message
    waits = submission.state in {"queued", "deferred"}
    waits_for_account = account_hold is not None and waits
    view: Json = {
        "id": submission.id,
        "key": submission.key,
        "state": submission.state.value,
        "stored": True,
        "account": submission.account,
        "home_account": submission.home_account,
        "provider": submission.provider,
        "message_id": message.message_id,
        "from": str(message.sender),
        "to": [str(address) for address in message.to],
        "cc": [str(address) for address in message.cc],
        "bcc": [str(address) for address in message.bcc],
        "reply_to": [str(address) for address in message.reply_to],
        "subject": message.subject,
        "size": submission.size,
        "created_at": instant(submission.created_at),
        "updated_at": instant(submission.updated_at),
        "not_before": instant(submission.not_before),
        "schedule": {"words": submission.schedule_words, "zone": submission.schedule_zone},
        "sent_at": instant(submission.sent_at),
        "attempts": submission.attempts,
        "next_attempt_at": instant(submission.next_attempt_at),
        "phase": submission.phase.value if submission.phase else None,
        "provider_id": submission.provider_id,
        "response_code": submission.response_code,
        "enhanced_code": submission.enhanced_code,
        "response_text": submission.response_text,
        "error": submission.error,
        "held_reason": submission.held_reason or (account_hold.reason if account_hold and waits_for_account else None),
        "deliverer": submission.deliverer or (who.owner if who and waits else None),
        "window_opens_at": instant(opens_at),
        "series": submission.series_id,
        "group": submission.group,
        "note": submission.note,
        "kept_locally": submission.is_kept_locally,
        "recipients": [recipient_view(recipient) for recipient in submission.recipients],
        "attachments": [attachment_view(attachment) for attachment in message.attachments],
        "tags": [tag_text(tag) for tag in message.tags],
        "metadata": dict(message.metadata),
    }
    if attempts is not None:
        view["attempt_log"] = [attempt_view(attempt) for attempt in attempts]
        view["timeline"] = [event_view(one) for one in timeline_of(submission.recipients, submission.timeline)]
    return view


def event_view(event: StatusEvent) -> Json:
    """Shows one thing learnt of one recipient."""
    return {
        "at": instant(event.at),
        "address": event.address,
        "status": event.status.value,
        "detail": event.detail or None,
        "source": event.source,
    }


def recipient_view(recipient: Recipient) -> Json:
    """Shows one recipient and what became of it."""
    return {
        "address": recipient.address,
        "kind": recipient.kind.value,
        "status": recipient.status.value,
        "detail": recipient.detail,
        "at": instant(recipient.at),
    }


def attachment_view(attachment: Attachment) -> Json:
    """Shows a sealed attachment: a URL or a provider's resource has neither size nor digest."""
    return {
        "name": attachment.name,
        "type": attachment.media_type,
        "size": attachment.size,
        "sha256": attachment.sha256,
        "url": attachment.url,
        "reference": attachment.reference,
        "content_id": attachment.content_id,
    }


def attempt_view(attempt: Attempt) -> Json:
    """Shows one attempt with the lines exchanged."""
    return {
        "number": attempt.number,
        "started_at": instant(attempt.started_at),
        "ended_at": instant(attempt.ended_at),
        "phase": attempt.phase.value,
        "account": attempt.account,
        "provider": attempt.provider,
        "provider_id": attempt.provider_id,
        "response_code": attempt.code,
        "enhanced_code": attempt.enhanced_code,
        "response_text": attempt.text,
        "transcript": list(attempt.transcript),
    }


def draft_view(stored: StoredDraft) -> Json:
    """Shows a stored draft with every field as typed."""
    return {
        "id": stored.id,
        "epoch": stored.epoch,
        "updated_at": instant(stored.updated_at),
        "is_copy_of": stored.is_copy_of,
        **_typed_fields(stored.draft),
    }


def _typed_fields(draft: Draft) -> Json:
    return {
        "account": draft.account or None,
        "from": draft.sender or None,
        "to": draft.to,
        "cc": draft.cc,
        "bcc": draft.bcc,
        "reply_to": draft.reply_to,
        "subject": draft.subject,
        "body": draft.body,
        "format": draft.body_format.value,
        "html": draft.html,
        "attachments": [_draft_attachment_view(attachment) for attachment in draft.all_attachments()],
        "schedule": draft.schedule or None,
        "in_reply_to": draft.in_reply_to or None,
        "references": draft.references or None,
        "headers": [{"name": name, "value": value} for name, value in draft.headers],
        "tags": [tag_text(tag) for tag in draft.tags],
        "metadata": dict(draft.metadata),
        "template": draft.template or None,
        "variables": dict(draft.variables),
        "options": dict(draft.options),
        "retries": draft.retries,
        "note": draft.note or None,
    }


def _draft_attachment_view(attachment: DraftAttachment) -> Json:
    return {
        "source": attachment.source,
        "name": attachment.name,
        "type": attachment.media_type,
        "content_id": attachment.content_id,
    }


def account_view(account: Account, *, is_default: bool, hold: AccountHold | None, open_count: int) -> Json:
    """Shows an account; it names where the secret is to be had, never the secret."""
    credential = account.credential
    return {
        "name": account.name,
        "provider": account.provider,
        "is_default": is_default,
        "identities": [str(identity) for identity in account.identities],
        "credential": {"kind": credential.kind, "value": list(credential.value)} if credential else None,
        "settings": {key: _setting(key, value) for key, value in account.settings.items()},
        "ca_file": str(account.ca_file) if account.ca_file else None,
        "retries": account.retries,
        "reply_to": [str(address) for address in account.reply_to],
        "bcc_self": account.bcc_self,
        "keep": account.keep,
        "fallback": list(account.fallback),
        "held": hold_view(hold) if hold else None,
        "open": open_count,
    }


def hold_view(hold: AccountHold) -> Json:
    """Shows why an account's mail waits."""
    return {
        "reason": hold.reason,
        "since": instant(hold.since),
        "is_offline": hold.is_offline,
        "retry_at": instant(hold.retry_at),
    }


def _setting(key: str, value: object) -> object:
    """Secrets have no place in the settings; one put there by mistake isn't shown."""
    if any(word in key.lower() for word in _SECRET_WORDS):
        return "***"
    return value if value is None or type(value) in _PLAIN_TYPES else str(value)


def provider_view(
    name: str,
    *,
    settings: type[BaseModel],
    options: type[BaseModel],
    capabilities: Capabilities | None,
    accounts: Sequence[str],
) -> Json:
    """Shows a provider: its keys per account, its options per message, and what it can carry."""
    return {
        "name": name,
        "accounts": list(accounts),
        "settings": _model_fields(settings),
        "options": _model_fields(options),
        "capabilities": capabilities_view(capabilities) if capabilities else None,
    }


def capabilities_view(capabilities: Capabilities) -> Json:
    """Shows every capability under its own name; times in seconds."""
    return {field.name: _plain(getattr(capabilities, field.name)) for field in fields(capabilities)}


def _model_fields(model: type[BaseModel]) -> list[Json]:
    schema = model.model_json_schema()
    required: list[str] = schema.get("required", [])
    properties: Mapping[str, Json] = schema.get("properties", {})
    return [
        {
            "name": name,
            "type": _schema_type(shape),
            "required": name in required,
            "default": shape.get("default"),
            "description": shape.get("description"),
        }
        for name, shape in properties.items()
    ]


def _schema_type(shape: Json) -> str:
    choices: list[Any] | None = shape.get("enum")
    if choices:
        return " | ".join(str(choice) for choice in choices)
    if "const" in shape:
        return str(shape["const"])
    alternatives: list[Json] | None = shape.get("anyOf")
    if alternatives:
        return " | ".join(_schema_type(alternative) for alternative in alternatives)
    return str(shape.get("type", "object"))


def check_view(review: Review) -> Json:
    """Shows what ``--check`` found; ``ok`` is false where sealing would be refused."""
    return {
        "ok": not any(finding.severity == "error" for finding in review.findings),
        "account": review.account.name,
        "provider": review.account.provider,
        "size": review.size,
        "not_before": instant(review.schedule.at) if review.schedule else None,
        "schedule": {
            "words": review.schedule.words if review.schedule else None,
            "zone": review.schedule.zone if review.schedule else None,
        },
        "who_sends": review.who_sends,
        "recipients": [{"address": each.address, "kind": each.kind.value} for each in review.recipients],
        "findings": [finding_view(finding) for finding in review.findings],
    }


def finding_view(finding: Finding) -> Json:
    """Shows one finding of the checks."""
    return {
        "severity": str(finding.severity),
        "field": finding.field,
        "code": finding.code,
        "text": finding.text,
    }


def dry_run_view(prepared: Prepared, *, account: str, provider: str) -> Json:
    """Shows exactly what would go out, step by step."""
    outgoing = prepared.outgoing
    return {
        "account": account,
        "provider": provider,
        "message_id": outgoing.message.message_id,
        "date": outgoing.date.isoformat(timespec="seconds"),
        "not_before": instant(outgoing.not_before),
        "envelope_from": outgoing.envelope_from,
        "size": prepared.size,
        "recipients": [{"address": each.address, "kind": each.kind.value} for each in outgoing.recipients],
        "steps": [{"title": step.title, "lines": list(step.lines)} for step in prepared.steps],
    }


def doctor_view(diagnoses: Sequence[Diagnosis]) -> Json:
    """Shows what the doctor found; ``ok`` is false where there is an error."""
    return {
        "ok": not any(each.level == "error" for each in diagnoses),
        "checks": [
            {"area": each.area.value, "level": each.level.value, "text": each.text, "remedy": each.remedy or None}
            for each in diagnoses
        ],
    }


def deliverer_view(deliverer: Deliverer) -> Json:
    """Shows a process that delivers."""
    return {
        "owner": deliverer.owner,
        "role": deliverer.role,
        "seen_at": instant(deliverer.seen_at),
        "is_alive": deliverer.is_alive,
    }


def tag_text(tag: tuple[str, str | None]) -> str:
    """Writes a tag as ``--tag`` takes it: ``NAME`` or ``NAME=VALUE``."""
    name, value = tag
    return name if value is None else f"{name}={value}"


def instant(at: datetime | None) -> str | None:
    """Writes a time as RFC 3339 in UTC with milliseconds and ``Z``."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def _plain(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(cast("frozenset[str]", value))
    return value.total_seconds() if isinstance(value, timedelta) else value
