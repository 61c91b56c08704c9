"""Amazon SES against moto's server, written by others after Amazon's behaviour."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import rules_ses
from popular_message import raw_outgoing

from tui_mailer.domain.address import Address
from tui_mailer.providers.base import AccountSettings, Outgoing
from tui_mailer.providers.ses import SesProvider
from tui_mailer.providers.testing import FixedSecret, Recorder


@pytest.fixture(scope="module")
def moto_url() -> Iterator[str]:
    """A moto server of our own on the loopback, with one verified domain."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    try:
        verify_domain(url)
        yield url
    finally:
        server.stop()


def make_provider(url: str) -> SesProvider:
    settings = {"base_url": url, "region": "eu-west-1", "access_key_id": rules_ses.KEY_ID}
    account = AccountSettings(
        account="work",
        settings=SesProvider.Settings.model_validate(settings),
        identities=(Address("ada", "example.org", "Ada Lovelace"),),
    )
    return SesProvider(account, FixedSecret())


def verify_domain(url: str) -> None:
    """Makes the domain one that may be sent from, as its owner does in the console."""
    import botocore.session

    client = botocore.session.get_session().create_client(
        "sesv2", region_name="eu-west-1", endpoint_url=url, aws_access_key_id="x", aws_secret_access_key="y"
    )
    client.create_email_identity(EmailIdentity="example.org")


def sent() -> list[object]:
    """What moto took, in order."""
    from moto.core import DEFAULT_ACCOUNT_ID
    from moto.ses.models import ses_backends

    return ses_backends[DEFAULT_ACCOUNT_ID]["eu-west-1"].sent_messages


@pytest.mark.parametrize("which", ["plain", "rich", "raw"])
async def test_moto_takes_what_we_send(moto_url: str, which: str) -> None:
    """A plain, a full and a ready-made message are accepted and get an id."""
    octets = b"From: ada@example.org\r\nTo: bob@example.net\r\nSubject: x\r\n\r\nhello\r\n"
    case = rules_ses.CASE
    assert case.rich
    outgoing: Outgoing = {
        "plain": lambda: case.outgoing("01JZZZZZZZZZZZZZZZZZZZZZZ1"),
        "rich": case.rich,
        "raw": lambda: raw_outgoing(octets),
    }[which]()
    provider = make_provider(moto_url)
    before = len(sent())
    receipt = await provider.send(provider.prepare(outgoing), Recorder())
    await provider.close()
    assert receipt.provider_id
    assert len(sent()) == before + 1
    if which == "raw":
        assert sent()[-1].raw_data.encode() == octets
