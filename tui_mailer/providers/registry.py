"""Which providers there are and how to get one: the entry points of ``tui_mailer.providers``, ours included.

A name is listed without importing its code; a plug-in that doesn't load is told in one sentence.
"""

from __future__ import annotations

import importlib
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, cast

from tui_mailer.domain.errors import ConfigurationError, NotFound
from tui_mailer.domain.text import clean

if TYPE_CHECKING:
    from tui_mailer.providers.base import Provider

ENTRY_POINT_GROUP = "tui_mailer.providers"

_BUILT_IN = {
    "bird": "tui_mailer.providers.bird:BirdProvider",
    "bird_channels": "tui_mailer.providers.bird_channels:BirdChannelsProvider",
    "brevo": "tui_mailer.providers.brevo:BrevoProvider",
    "maildir": "tui_mailer.providers.maildir:MaildirProvider",
    "mailgun": "tui_mailer.providers.mailgun:MailgunProvider",
    "mailjet": "tui_mailer.providers.mailjet:MailjetProvider",
    "postmark": "tui_mailer.providers.postmark:PostmarkProvider",
    "rebilly": "tui_mailer.providers.rebilly:RebillyProvider",
    "resend": "tui_mailer.providers.resend:ResendProvider",
    "respond_io": "tui_mailer.providers.respond_io:RespondIoProvider",
    "sendgrid": "tui_mailer.providers.sendgrid:SendGridProvider",
    "ses": "tui_mailer.providers.ses:SesProvider",
    "smtp": "tui_mailer.providers.smtp:SmtpProvider",
    "whippy": "tui_mailer.providers.whippy:WhippyProvider",
}
"""Known without the package's metadata, so that a checkout runs; a plug-in can't take one of these names."""

_CONTRACT = ("name", "Settings", "Options", "capabilities", "check", "prepare", "send", "close")


def names() -> list[str]:
    """Lists the providers that are installed, sorted; imports none of them."""
    return sorted({*_BUILT_IN, *(point.name for point in entry_points(group=ENTRY_POINT_GROUP))})


def built_in() -> list[str]:
    """Lists our own, sorted; imports none of them."""
    return sorted(_BUILT_IN)


def load(name: str) -> type[Provider]:
    """Imports a provider's class.

    Raises `NotFound` with the list of names for an unknown one, and `ConfigurationError` for a plug-in that doesn't
    load or isn't a provider.
    """
    if name in _BUILT_IN:
        module_name, _, class_name = _BUILT_IN[name].partition(":")
        return cast("type[Provider]", getattr(importlib.import_module(module_name), class_name))
    found = [point for point in entry_points(group=ENTRY_POINT_GROUP) if point.name == name]
    if not found:
        raise NotFound(f"There is no provider {clean(name)!r}. Installed are: {', '.join(names())}.")
    return _load_plugin(found[0])


def _load_plugin(point: EntryPoint) -> type[Provider]:
    origin = f"The provider {point.name!r} ({point.value})"
    try:
        loaded: object = point.load()
    except Exception as error:
        reason = clean(f"{type(error).__name__}: {error}")
        raise ConfigurationError(f"{origin} can't be loaded: {reason}. Update or uninstall it.") from error
    missing = [attribute for attribute in _CONTRACT if not hasattr(loaded, attribute)]
    if not isinstance(loaded, type) or missing:
        lacks = f"lacks {', '.join(missing)}" if missing else "isn't a class"
        raise ConfigurationError(f"{origin} isn't a provider: it {lacks}. Update or uninstall it.")
    return cast("type[Provider]", loaded)
