"""Checks: what a person is told before sending, and what they aren't bothered with."""

from __future__ import annotations

import dataclasses

import pytest

from tui_mailer.domain.address import Address, parse_address, parse_address_list
from tui_mailer.domain.checks import Finding, Severity, check_attachment_path, check_message
from tui_mailer.domain.message import Attachment, Message
from tui_mailer.domain.text import clean

ADA = parse_address("Ada <ada@b.example>")
GOOD = Message(
    id="01", message_id="<01@b.example>", sender=ADA, to=parse_address_list("bob@c.example"), subject="Hi", text="Hello"
)


def findings(body_typed: str = "Hello", **changes: object) -> dict[str, Finding]:
    message = dataclasses.replace(GOOD, **changes)  # pyright: ignore[reportArgumentType]
    return {finding.code: finding for finding in check_message(message, body_typed=body_typed)}


def file(name: str = "plan.pdf", size: int = 10) -> Attachment:
    return Attachment(name=name, media_type="application/octet-stream", size=size, sha256="0" * 64)


def test_a_good_message_needs_no_word():
    """Nothing is said about a message with a recipient, a subject and a text."""
    assert check_message(GOOD, body_typed="Hello") == ()


def test_a_domain_without_a_dot_is_doubted_unless_it_is_ones_own():
    """A host of the sender's own network, a literal, and what another remark is about already are no news."""
    found = findings(to=parse_address_list("bob@exmaple, cy@exmaple, dee@[127.0.0.1]"), cc=(ADA,))
    assert found["domain-without-dot"].text == "exmaple has no dot: a host of your own network?"
    assert "domain-without-dot" not in findings(to=parse_address_list("bob@corp"), sender=parse_address("ada@corp"))
    assert "domain-without-dot" not in findings(to=parse_address_list("bob@gmailcom"))
    kept = check_message(
        dataclasses.replace(GOOD, to=parse_address_list("bob@exmaple")), body_typed="Hello", is_kept_here=True
    )
    assert kept == ()


def test_without_a_recipient_nothing_can_be_sent():
    """The only error of its kind comes first and belongs to To."""
    found = check_message(dataclasses.replace(GOOD, to=(), subject=""), body_typed="Hello")
    assert (found[0].severity, found[0].field, found[0].code) == (Severity.ERROR, "to", "no-recipient")
    assert found[1].code == "empty-subject"


@pytest.mark.parametrize("field", ["cc", "bcc"])
def test_a_copy_is_a_recipient_too(field: str):
    """A message to Cc or Bcc alone is fine."""
    assert findings(to=(), **{field: GOOD.to}) == {}


def test_an_empty_subject_and_an_empty_body_are_mentioned():
    """Both are probably slips."""
    found = findings("  \n", subject=" ", text=" \n")
    assert set(found) == {"empty-subject", "empty-body"}
    assert {finding.severity for finding in found.values()} == {Severity.WARNING}


def test_a_template_or_a_ready_made_message_brings_its_own_text():
    """No word about an empty subject where the provider's template or the raw message has one."""
    assert findings("", subject="", text=None, template="welcome") == {}
    assert findings("", subject="", text=None, raw_sha256="0" * 64) == {}


def test_an_html_body_is_a_body():
    """HTML alone isn't an empty message."""
    assert findings("", text=None, html="<p>Hi</p>") == {}


@pytest.mark.parametrize(
    "body",
    [
        "Please find the plan attached.",
        "I am attaching it",
        "See attachment",
        "The invoice is enclosed",
        "siehe Anhang",
        "Anbei der Plan",
        "Ich habe ihn angehängt",
        "die beigefügte Datei",
        "in der Anlage",
        "Voir la pièce jointe",
        "Vous trouverez ci-joint le plan",
        "les pièces jointes",
        "Te adjunto el archivo",
        "va como anexo",
        "> quoted\nattached is mine",
    ],
)
def test_a_promised_attachment_is_missed(body: str):
    """In four languages, a word that promises a file is noticed when there is none."""
    assert "attachment-missing" in findings(body)
    assert "attachment-missing" not in findings(body, attachments=(file(),))


def test_a_promise_in_the_subject_counts():
    """The subject may promise it as well."""
    assert (
        findings(subject="Plan attached")["attachment-missing"].text == "You wrote 'attached', but nothing is attached"
    )


@pytest.mark.parametrize(
    "body",
    [
        "> Please see the attached file\nThanks!",
        "  > siehe Anhang",
        "Thanks!\n-- \nNever open an attachment from strangers",
        "I was in a meeting at tachyon labs",
        "Die Anlage läuft wieder",
        "unattachedly",
        "",
    ],
)
def test_nothing_was_promised(body: str):
    """Quoted lines, signatures and other words don't raise the alarm."""
    assert "attachment-missing" not in findings(body)


def test_the_same_person_twice_is_named_with_the_fields():
    """Across To, Cc and Bcc, whatever the case and the name."""
    found = findings(to=parse_address_list("bob@c.example"), bcc=parse_address_list("Bob <BOB@C.example>"))
    assert found["duplicate-recipient"].text == "bob@c.example is named twice in To and Bcc"
    assert found["duplicate-recipient"].field == "bcc"
    thrice = findings(to=parse_address_list("bob@c.example, bob@c.example, bob@c.example"))
    assert thrice["duplicate-recipient"].text == "bob@c.example is named 3 times in To"


def test_many_visible_recipients_are_a_case_for_bcc():
    """Twenty may see each other, twenty-one are asked about; Bcc doesn't count."""
    crowd = parse_address_list(", ".join(f"u{n}@c.example" for n in range(21)))
    assert findings(to=crowd[:10], cc=crowd[10:20], bcc=crowd[20:]) == {}
    found = findings(to=crowd[:10], cc=crowd[10:])
    assert found["many-visible-recipients"].text.startswith("All 21 people in To and Cc")


def test_a_lookalike_domain_is_unmasked():
    """A Cyrillic letter in a Latin domain is named by what goes on the wire."""
    found = findings(to=parse_address_list("help@\u0440aypal.com"))
    assert "its real name is xn--aypal-uye.com" in found["lookalike-domain"].text


def test_a_name_that_is_another_address_is_noticed():
    """A reply to a forged sender would go elsewhere than its name says."""
    found = findings(to=parse_address_list('"boss@b.example" <thief@x.example>'))
    assert found["name-is-another-address"].text == (
        "The name says boss@b.example, but the message goes to thief@x.example"
    )
    assert findings(to=parse_address_list('"bob@c.example" <bob@c.example>')) == {}
    assert "name-is-another-address" in findings(to=(Address("thief", "x.example", "Boss (boss@b.example)"),))
    assert findings(to=(Address("bob", "c.example", "Bob @ work"),)) == {}
    assert findings(to=(Address("bob", "c.example", "Bob @work.example"),)) == {}


def test_an_address_that_needs_smtputf8_is_only_news():
    """It may work, so it is no warning."""
    assert findings(to=parse_address_list("jörg@c.example"))["needs-smtputf8"].severity is Severity.INFO


def test_an_empty_attachment_is_mentioned():
    """Zero bytes are probably the wrong file; an unknown size is not."""
    assert (
        findings(attachments=(file(size=0),))["empty-attachment"].text == "The attachment plan.pdf is empty (0 bytes)"
    )
    by_url = Attachment(name="plan.pdf", media_type="application/pdf", url="https://c.example/plan.pdf")
    assert findings(attachments=(by_url,)) == {}


@pytest.mark.parametrize("name", ["setup.exe", "Invoice.PDF.Scr", "run.bat", "page.hta", "x.js", "a.exe. "])
def test_a_program_is_likely_to_be_refused(name: str):
    """Many servers refuse such files, so it is said before sending."""
    assert "executable-attachment" in findings(attachments=(file(name),))


@pytest.mark.parametrize("name", ["plan.pdf", "exe", "notes.json", "photo.jpg", "archive.zip"])
def test_a_document_is_no_program(name: str):
    """Ordinary files pass without a word."""
    assert findings(attachments=(file(name),)) == {}


@pytest.mark.parametrize(
    "path",
    [
        "~/.ssh/id_rsa",
        "/home/ada/.ssh/config",
        "id_ed25519",
        "server.key",
        "/etc/ssl/private/site.PEM",
        "~/.gnupg/secring.gpg",
        "~/.netrc",
        "project/.env",
        "project/.env.production",
        "passwords.kdbx",
        "~/.aws/credentials",
        "/etc/shadow",
        "~/.local/share/keyrings/login.keyring",
    ],
)
def test_a_private_key_is_not_attached_by_accident(path: str):
    """Keys and password files are asked about by name."""
    found = check_attachment_path(path)
    assert found is not None
    assert (found.severity, found.field, found.code) == (Severity.WARNING, "attachments", "private-file")
    assert path in found.text


@pytest.mark.parametrize(
    "path", ["~/.ssh/id_rsa.pub", "report.pdf", "/home/ada/ssh/notes.txt", "id_card", "keys.txt", ""]
)
def test_other_files_may_be_attached(path: str):
    """A public key and ordinary files raise no alarm."""
    assert check_attachment_path(path) is None


def test_no_finding_carries_an_escape():
    """Names of files and words of the body can't write to the terminal through a finding."""
    found = findings("attached\x1b[2J", attachments=(file("x\x1b]52;c;eA==\x07\u202e.exe", 0),))
    found |= findings("\x1b attached\x1b[2J", subject="\x1b")
    path = check_attachment_path("\x1b[2J/.ssh/id_rsa")
    assert path is not None
    assert all(finding.text == clean(finding.text) for finding in (*found.values(), path))
    assert "attachment-missing" in found
