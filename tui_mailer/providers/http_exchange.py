"""One request of a message, made and judged: what an answer or a broken connection means, in a person's words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

from tui_mailer.domain.errors import (
    CredentialUnavailable,
    NotAuthorized,
    Offline,
    OutcomeUncertain,
    Rejected,
    TryLater,
)
from tui_mailer.domain.message import Content
from tui_mailer.domain.submission import Receipt
from tui_mailer.domain.text import clean
from tui_mailer.providers.base import BytesSent, SecretSource
from tui_mailer.providers.http_answer import Answer
from tui_mailer.providers.http_body import Fill, Json, Payload
from tui_mailer.providers.http_client import Broken, HttpClient, Request, host_of
from tui_mailer.providers.http_error import Breakage, Verdict, verdict_on
from tui_mailer.providers.http_hint import retry_at
from tui_mailer.providers.http_settings import check_base_url, is_loopback
from tui_mailer.providers.http_step import HttpStep
from tui_mailer.providers.redaction import Redactor

_BLANK = re.compile(r"\{([a-z_]+(?:\[\d+\])?)\.([^{}]+)\}")


class Api(Protocol):
    """What of a provider decides how one request is made and judged."""

    title: str

    def base_url_for(self, secret: str) -> str: ...

    def judge(self, answer: Answer) -> Verdict | None: ...

    def words(self, answer: Answer) -> str: ...

    def refuses_secret(self, answer: Answer) -> bool: ...

    async def sign(self, request: Request, secret: str) -> Mapping[str, str]: ...


class Exchange:
    """The requests of one message (or one question): each may use the answers before it."""

    def __init__(
        self, api: Api, client: HttpClient, secrets: SecretSource, secret: str, *, is_question: bool = False
    ) -> None:
        self.answers: dict[str, Answer] = {}
        """By step name, in order."""
        self.redact = Redactor(secret)
        self._api = api
        self._client = client
        self._secrets = secrets
        self._secret = secret
        self._is_question = is_question
        self._base_url = api.base_url_for(secret)

    def is_wanted(self, step: HttpStep) -> bool:
        """Says whether a conditional step is to be made."""
        if step.only_after is None:
            return True
        name, status = step.only_after
        return name in self.answers and self.answers[name].status == status

    async def make(
        self, step: HttpStep, contents: Mapping[str, Content], bytes_sent: BytesSent | None = None
    ) -> Answer:
        """Makes a request and returns its answer, a success or one the step accepts.

        Raises `Offline`, `TryLater`, `Rejected`, `NotAuthorized`, and `OutcomeUncertain` for the step that causes the
        sending.
        """
        request = self._request(step, contents)
        if step.is_authorized:
            proof = _usable(await self._api.sign(request, self._secret))
            request = replace(request, headers={**proof, "Accept": "application/json", **request.headers})
        try:
            answer = await self._client.exchange(request, bytes_sent)
        except Broken as broken:
            raise self._broken(broken, step) from None
        headers = {name: self.redact(value) for name, value in answer.headers.items()}
        answer = self.answers[step.name] = replace(answer, headers=headers, redact=self.redact)
        self._raise_for(answer, step)
        return answer

    def transcript(self) -> tuple[str, ...]:
        """The answers so far, a line each, without the secret."""
        return tuple(
            self.redact(f"{name}: {answer.status} {' '.join(clean(answer.text[:500]).split())}")
            for name, answer in self.answers.items()
        )

    def redacted(self, receipt: Receipt) -> Receipt:
        """Takes the secret out of whatever the server's words have brought into a receipt."""
        return replace(
            receipt,
            response_text=self.redact(receipt.response_text),
            provider_id=self.redact(receipt.provider_id) if receipt.provider_id else None,
            recipients=tuple(replace(one, text=self.redact(one.text)) for one in receipt.recipients),
            transcript=tuple(map(self.redact, receipt.transcript)),
        )

    def _request(self, step: HttpStep, contents: Mapping[str, Content]) -> Request:
        base_url = self._base_url
        url = _BLANK.sub(lambda blank: str(self._fill(f"{blank[1]}.{blank[2]}")), step.target(base_url))
        if step.is_absolute:
            self._check_given_url(url)
        if step.body is None:
            return Request(method=step.method, url=url, headers=step.headers)
        return Request(
            method=step.method,
            url=url,
            headers={**step.headers, "Content-Type": step.body.media_type},
            payload=payload_of(step, contents, self._fill),
        )

    def _fill(self, name: str) -> object:
        step, _, path = name.partition(".")
        found = self.answers[step].value(path) if step in self.answers else None
        if found is None:
            raise TryLater(f"{self._api.title} answered without '{path}', which the next step needs. Nothing was sent.")
        return found

    def _check_given_url(self, url: str) -> None:
        try:
            check_base_url(url.partition("?")[0])
            is_local = is_loopback(host_of(url).rsplit(":", 1)[0])
        except ValueError:
            is_local, url = True, ""
        if not url or (is_local and not is_loopback(host_of(self._base_url).rsplit(":", 1)[0])):
            raise TryLater(f"{self._api.title} named an address to upload to that isn't https. Nothing was sent.")

    def _broken(self, broken: Broken, step: HttpStep) -> Offline | TryLater | NotAuthorized | OutcomeUncertain:
        host = host_of(self._base_url)
        reason = self.redact(str(broken))
        if broken.is_certificate and broken.kind is Breakage.UNREACHED:
            return NotAuthorized(
                f"The certificate of {host} is not to be trusted: {reason}. Nothing was sent. If it is your own "
                "server, set ca_file."
            )
        if broken.kind is Breakage.MISADDRESSED:
            return NotAuthorized(f"The address {host} can't be used: {reason}. Nothing was sent. Check base_url.")
        if broken.kind is Breakage.UNREACHED:
            return Offline(f"{host} can't be reached: {reason}. Nothing was sent.")
        if step.causes_sending and broken.is_complete:
            return OutcomeUncertain(f"{self._api.title} didn't answer after it had the message: {reason}.")
        if self._is_question:
            text = f"The connection to {host} broke before {self._api.title} answered: {reason}."
            return OutcomeUncertain(text) if step.method != "GET" else TryLater(text)
        return TryLater(f"The connection to {host} broke before the message was handed over: {reason}.")

    def _raise_for(self, answer: Answer, step: HttpStep) -> None:
        """Raises what an answer that isn't a success means."""
        now = datetime.now(UTC)
        if answer.status in step.accepts:
            return
        verdict = self._api.judge(answer) or verdict_on(answer, now)
        said = self.redact(self._api.words(answer))
        if verdict is Verdict.ACCEPTED:
            if not _is_likely(answer, step):
                raise self._unlike_itself(answer, step)
            return
        text = clean(
            f"{self._api.title} answered {answer.status}: {said}"
            if said
            else f"{self._api.title} answered {answer.status}"
        )
        transcript = (f"{step.method} {self.redact(clean(step.target(self._base_url)))}", text)
        if verdict is Verdict.TRY_LATER:
            raise TryLater(
                text, retry_at=retry_at(answer.headers, answer.text, now), code=answer.status, transcript=transcript
            )
        if verdict is Verdict.UNCERTAIN:
            if step.causes_sending:
                raise OutcomeUncertain(text, code=answer.status, transcript=transcript)
            raise TryLater(text, code=answer.status, transcript=transcript)
        if verdict is Verdict.NOT_AUTHORIZED:
            raise self._not_authorized(answer, text, transcript)
        raise Rejected(text, code=answer.status, transcript=transcript)

    def _unlike_itself(self, answer: Answer, step: HttpStep) -> OutcomeUncertain | TryLater:
        why = clean(answer.headers.get("content-type", "no content type"))[:80]
        if answer.tells_error:
            why = self.redact(self._api.words(answer)) or "it tells of an error"
        text = f"{host_of(self._base_url)} answered {answer.status}, but not as {self._api.title} does ({why})."
        if step.causes_sending:
            return OutcomeUncertain(text, code=answer.status)
        return TryLater(f"{text} Nothing was sent.", code=answer.status)

    def _not_authorized(self, answer: Answer, text: str, transcript: tuple[str, ...]) -> NotAuthorized:
        if 300 <= answer.status < 400:
            where = clean(answer.headers.get("location", "elsewhere"))[:200]
            text = f"{host_of(self._base_url)} sends requests on to {where}, which is not followed. Check base_url."
        elif self._api.refuses_secret(answer):
            self._secrets.invalidate()
        ended = text.rstrip()
        ended = ended if ended.endswith((".", "!", "?")) else f"{ended}."
        return NotAuthorized(f"{ended} Nothing was sent.", code=answer.status, transcript=transcript)


def payload_of(step: HttpStep, contents: Mapping[str, Content], fill: Fill) -> Payload:
    """Fills a step's body; ``fill`` gives what an earlier answer gave."""
    assert step.body is not None
    return Payload(chunks=step.body.chunks(fill), is_base64=isinstance(step.body, Json), contents=contents)


def _usable(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Refuses a secret that no header can hold, without repeating it."""
    for value in headers.values():
        if not value.isascii() or not value.isprintable():
            raise CredentialUnavailable(
                "The credential holds characters that no request can carry (a line break?). Store it anew."
            )
    return headers


def _is_likely(answer: Answer, step: HttpStep) -> bool:
    """Says whether a success looks like the API's own: a web page or an error with status 200 proves nothing."""
    if step.causes_sending and (answer.tells_error or isinstance(answer.json, list)):
        return False
    if isinstance(answer.json, dict | list):
        return True
    is_empty = not answer.is_cut and not answer.body.strip()
    return not step.needs_json and (is_empty or not step.causes_sending)
