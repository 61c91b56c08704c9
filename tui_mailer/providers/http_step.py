"""The ordered requests of one message: what a dry run prints and what is sent are both made from these."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from tui_mailer.domain.text import clean
from tui_mailer.providers.base import Step
from tui_mailer.providers.http_body import Body


def path_part(text: str) -> str:
    """Quotes one part of a path: no slash, brace or dot segment in it can change where the request goes."""
    quoted = quote(text, safe="")
    return quoted.replace(".", "%2E") if not quoted.strip(".") else quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpStep:
    """One request."""

    name: str = "send"
    """What its answer is called in blanks: ``{draft.id}`` is the ``id`` of step ``draft``."""
    method: str = "POST"
    path: str
    """Behind the base URL, its variable parts by `path_part`; may hold blanks. Or nothing but a blank: a whole URL."""
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """But for authorization, Content-Type and Content-Length."""
    body: Body | None = None
    causes_sending: bool = False
    """The point of no return is the first byte of this request."""
    is_authorized: bool = True
    """False: the credential isn't for this server (a presigned upload)."""
    accepts: frozenset[int] = frozenset()
    """Statuses besides 2xx that are an answer, not an error."""
    only_after: tuple[str, int] | None = None
    """Made only where the step of that name was answered by that status."""
    needs_json: bool = True
    """A 2xx without a JSON object isn't the API's own answer (False: the API answers with an empty body)."""

    @property
    def is_absolute(self) -> bool:
        """Whether an earlier answer gives the whole URL."""
        return self.path.startswith("{")

    def target(self, base_url: str) -> str:
        """The URL, blanks unfilled."""
        url = self.path if self.is_absolute else base_url + self.path
        return f"{url}?{urlencode(self.query)}" if self.query else url

    def shown(self, base_url: str, authorization: Mapping[str, str]) -> Step:
        """Describes it for a dry run; ``authorization`` has the secret redacted already."""
        condition = f" (only if {self.only_after[0]} is answered {self.only_after[1]})" if self.only_after else ""
        title = f"{self.method} {self.target(base_url)}{condition}"
        return Step(title=clean(title), lines=tuple(self._lines(authorization)))

    def _lines(self, authorization: Mapping[str, str]) -> Iterator[str]:
        headers = {**(authorization if self.is_authorized else {}), **self.headers}
        if self.body is not None:
            headers["Content-Type"] = self.body.media_type
        yield from (clean(f"{name}: {value}") for name, value in headers.items())
        if self.body is not None:
            yield ""
            yield from self.body.shown()
