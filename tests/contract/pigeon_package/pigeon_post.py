"""Pigeon Post (an imaginary API): one JSON request a message, key in a header, replays by Idempotency-Key for a day.

Quirks: a wanted time is whole seconds since 1970; a message that is on its way can't be taken back (409).
"""

from datetime import timedelta

from pydantic import Field

from tui_mailer.domain.errors import Rejected
from tui_mailer.domain.submission import Kind, RecipientStatus
from tui_mailer.providers.base import Capabilities, Identity, PolledStatus
from tui_mailer.providers.http import HttpProvider
from tui_mailer.providers.http_body import File, Json
from tui_mailer.providers.http_message import options_of, without_empty
from tui_mailer.providers.http_settings import HttpOptions, HttpSettings
from tui_mailer.providers.http_step import HttpStep, path_part
from tui_mailer.providers.mail_part import addressed, header_pairs

STATUSES = {
    "waiting": RecipientStatus.PENDING,
    "flying": RecipientStatus.ACCEPTED,
    "arrived": RecipientStatus.DELIVERED,
    "lost": RecipientStatus.BOUNCED,
}


class PigeonSettings(HttpSettings):
    loft: str = Field(description="The loft that the pigeons start from.")


class PigeonOptions(HttpOptions):
    breed: str | None = Field(default=None, description="The breed of pigeon; left out: any.")


class PigeonProvider(HttpProvider[PigeonSettings]):
    name, title = "pigeon", "Pigeon Post"
    Settings, Options = PigeonSettings, PigeonOptions
    default_base_url, prefix = "https://api.pigeon.example", "/v1"
    idempotency_header = "Idempotency-Key"

    @property
    def capabilities(self):
        return Capabilities(
            needs_to=True,
            max_recipients=50,
            max_subject=200,
            attachments="both",
            inline_images=False,
            schedule_min=timedelta(minutes=1),
            schedule_max=timedelta(days=7),
            cancel_scheduled=True,
            idempotency="key",
            idempotency_lifetime=timedelta(hours=24),
            status_polling=True,
            effects=("Pigeon Post rings every pigeon it sends.",),
        )

    def authorization(self, secret):
        return {"X-Pigeon-Key": secret}

    def steps(self, outgoing):
        message = outgoing.message
        document = {
            "from": str(message.sender),
            "to": [str(one) for one in addressed(outgoing, Kind.TO)],
            "cc": [str(one) for one in addressed(outgoing, Kind.CC)],
            "bcc": [one.addr_spec for one in addressed(outgoing, Kind.BCC)],
            "reply_to": [one.addr_spec for one in message.reply_to],
            "subject": message.subject,
            "text": message.text,
            "html": message.html,
            "headers": dict(header_pairs(message, self.title)),
            "files": [
                without_empty({"name": one.name, "url": one.url, "data": File(one) if one.sha256 else None})
                for one in message.attachments
            ],
            "breed": options_of(outgoing, PigeonOptions).breed,
            "send_at": int(outgoing.not_before.timestamp()) if outgoing.not_before else None,
        }
        path = f"/lofts/{path_part(self.settings.loft)}/messages"
        return (HttpStep(path=path, body=Json(without_empty(document)), causes_sending=True),)

    async def check(self):
        answer = await self.ask(HttpStep(method="GET", path="/me"))
        return [Identity(address=one.word("address"), detail=one.word("name")) for one in answer.rows("senders")]

    async def status(self, receipt):
        answer = await self.ask(HttpStep(method="GET", path=f"/messages/{path_part(receipt.provider_id)}"))
        return [
            PolledStatus(
                address=one.word("address"),
                status=STATUSES.get(one.word("state"), RecipientStatus.UNKNOWN),
                detail=one.word("state"),
            )
            for one in answer.rows("recipients")
        ]

    async def cancel(self, receipt):
        path = f"/messages/{path_part(receipt.provider_id)}"
        answer = await self.ask(HttpStep(method="DELETE", path=path, accepts=frozenset({409}), needs_json=False))
        if answer.status == 409:
            raise Rejected("The pigeon has left already.", code=409)
