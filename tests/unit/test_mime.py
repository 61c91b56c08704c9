"""How a message is put together: structure, encodings, sizes, boundaries, and what never appears."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from mime_kit import DATE, SECRET, BytesContent, attached, built, collected, plain_message, render

from tui_mailer.domain.address import Address
from tui_mailer.domain.errors import DamagedStore, InvalidAttachment, InvalidMessage, Unsupported
from tui_mailer.domain.message import Attachment
from tui_mailer.domain.mime import build, prepare_rfc822


def field_names(rendered: bytes) -> list[str]:
    """Lists the top-level header fields in order."""
    header = rendered.split(b"\r\n\r\n")[0].decode()
    return re.findall(r"(?m)^([A-Za-z-]+):", header)


def structure(rendered: bytes) -> list[str]:
    """Lists the types of all parts in order."""
    return re.findall(r"(?m)^Content-Type: ([a-z]+/[a-z0-9.+-]+)", rendered.decode())


def test_a_plain_mail_is_one_flowed_seven_bit_part() -> None:
    """A plain English mail goes out as text, readable in the raw."""
    rendered = render(plain_message())
    assert rendered == (
        b"Date: Sun, 22 Nov 2026 07:06:58 +0100\r\n"
        b"From: Ada Lovelace <ada@example.org>\r\n"
        b"To: grace@example.test\r\n"
        b"Subject: Hello\r\n"
        b"Message-ID: <01JD0000000000000000000000@example.org>\r\n"
        b"MIME-Version: 1.0\r\n"
        b"Content-Type: text/plain; charset=us-ascii; format=flowed\r\n"
        b"Content-Transfer-Encoding: 7bit\r\n"
        b"\r\n"
        b"Hello\r\n"
    )


def test_fields_come_in_a_sensible_order() -> None:
    """Who, to whom, about what, in which thread, then what was added by hand, then MIME."""
    message = plain_message(
        reply_to=(Address("r", "x.test"),),
        cc=(Address("c", "x.test"),),
        in_reply_to="<1@x.test>",
        references=("<0@x.test>", "<1@x.test>"),
        headers=(("X-Note", "1"), ("Auto-Submitted", "auto-generated")),
    )
    assert field_names(render(message)) == [
        *("Date", "From", "Reply-To", "To", "Cc", "Subject", "Message-ID", "In-Reply-To", "References"),
        *("X-Note", "Auto-Submitted", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"),
    ]


def test_nothing_tells_of_the_program_the_tags_or_the_metadata() -> None:
    """No User-Agent, and what is kept for a provider's statistics isn't shown to recipients."""
    rendered = render(plain_message(tags=(("campaign", "spring"),), metadata={"customer": "c-77"}))
    assert not re.search(rb"(?i)mailer|user-agent|spring|c-77", rendered)


def test_a_mail_to_bcc_only_names_an_empty_group() -> None:
    """Recipients of a mail with Bcc only see "undisclosed-recipients"."""
    rendered = render(plain_message(to=(), bcc=(SECRET,)))
    assert b"\r\nTo: undisclosed-recipients:;\r\n" in rendered


def test_a_mail_to_cc_only_needs_no_to() -> None:
    """A mail with Cc alone has no To field."""
    assert "To" not in field_names(render(plain_message(to=(), cc=(Address("c", "x.test"),))))


def test_html_travels_with_its_text() -> None:
    """A reader without HTML gets the text, also where only HTML was given."""
    assert structure(render(plain_message(html="<p>Hello"))) == ["multipart/alternative", "text/plain", "text/html"]
    rendered = render(plain_message(text=None, html="<p>Only <b>HTML</b></p>"))
    assert b"\r\n\r\nOnly HTML\r\n" in rendered


def test_images_stay_beside_the_html_and_files_after_all() -> None:
    """The tree is mixed(alternative(text, related(html, image)), file)."""
    image, image_content = attached(b"png", "i.png", media_type="image/png", content_id="i@x")
    file, file_content = attached(b"pdf", "f.pdf", media_type="application/pdf")
    message = plain_message(html='<img src="cid:i@x">', attachments=(file, image))
    rendered = render(message, image_content, file_content)
    assert structure(rendered) == [
        *("multipart/mixed", "multipart/alternative", "text/plain", "multipart/related", "text/html"),
        *("image/png", "application/pdf"),
    ]
    assert b"Content-ID: <i@x>\r\nContent-Disposition: inline;" in rendered


def test_an_image_without_html_is_an_attachment() -> None:
    """Where no HTML can show it, an inline image is attached, not lost."""
    image, content = attached(b"png", "i.png", media_type="image/png", content_id="i@x")
    rendered = render(plain_message(attachments=(image,)), content)
    assert structure(rendered) == ["multipart/mixed", "text/plain", "image/png"]
    assert b"Content-Disposition: attachment; filename=i.png" in rendered


def test_every_rendering_has_the_same_bytes() -> None:
    """A resent message is byte-identical, boundaries included."""
    file, content = attached(bytes(range(256)) * 9, "f.bin")
    message = plain_message(html="<p>x", attachments=(file,))
    assert render(message, content) == render(message, BytesContent(content.octets, block=57))


def test_no_boundary_is_the_beginning_of_another_or_of_a_line_of_text() -> None:
    """A text that looks like a boundary is encoded, so that no reader cuts the mail there."""
    file, content = attached(b"x")
    plain = render(plain_message(html="<p>x", attachments=(file,)), content)
    boundaries = re.findall(rb'boundary="([^"]+)"', plain)
    assert len(boundaries) == len({boundary[:4] for boundary in boundaries}) == 2
    forged = f"--{boundaries[0].decode()}--\n"
    rendered = render(plain_message(text=forged, html=forged, attachments=(file,)), content)
    assert rendered.count(b"--" + boundaries[0] + b"--") == 1


@pytest.mark.parametrize("size", [0, 1, 2, 3, 56, 57, 58, 113, 114, 115, 1000, 262_143, 262_144, 262_145])
def test_the_size_is_exact_before_anything_is_read(size: int) -> None:
    """A server's SIZE is told exactly, whatever the length of a file (`render` compares)."""
    file, content = attached(bytes(size))
    big_blocks = BytesContent(content.octets, block=65_536)
    render(plain_message(attachments=(file,)), big_blocks)


async def test_a_large_file_is_streamed_in_blocks() -> None:
    """No block is much larger than the 256 KiB the spool yields, so memory stays flat."""
    file, content = attached(bytes(3_000_000))
    mime = built(plain_message(attachments=(file,)), BytesContent(content.octets, block=256 * 1024))
    assert mime.small_body() is None
    assert max([len(block) async for block in mime.stream()]) < 400_000


def test_content_that_is_gone_or_changed_stops_the_sending() -> None:
    """Nothing goes out in place of a file that isn't there or isn't what was reviewed."""
    file, content = attached(b"12345")
    message = plain_message(attachments=(file,))
    with pytest.raises(DamagedStore):
        collected(built(message))
    with pytest.raises(DamagedStore, match="4 bytes instead of 5"):
        collected(build(message, date=DATE, contents={content.sha256: BytesContent(b"1234")}))


@pytest.mark.parametrize(
    "place", [{"url": "https://x.test/f.pdf"}, {"reference": "invoice/INV-1"}], ids=["url", "reference"]
)
def test_an_attachment_without_bytes_is_refused_with_a_way_out(place: dict[str, str]) -> None:
    """A web address can't be a part of a mail; the sentence says what to do."""
    attachment = Attachment(name="f.pdf", media_type="application/pdf", **place)
    with pytest.raises(Unsupported, match=r"f\.pdf .* Attach the file itself") as caught:
        built(plain_message(attachments=(attachment,)))
    assert caught.value.field == "attachments"


def test_a_raw_message_is_streamed_as_it_is() -> None:
    """What another program wrote isn't touched, 8-bit bytes included."""
    octets = b"From: a@b.test\r\nX-Odd:   spaces\r\n\r\nna\xc3\xafve\r\n"
    content = BytesContent(octets, block=7)
    mime = built(plain_message(raw_sha256=content.sha256, raw_size=content.size), content)
    assert mime.is_raw
    assert mime.size == len(octets)
    assert mime.small_body() is None
    assert collected(mime) == octets


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("plain\n", b"7bit"),
        ("", b"7bit"),
        ("caf\u00e9 and more English text after it\n", b"quoted-printable"),
        ("漢字だけの本文\n" * 5, b"base64"),
        ("x" * 998 + "\n", b"7bit"),
        ("x" * 999 + "\n", b"quoted-printable"),
        ("bell \x07\n", b"quoted-printable"),
        ("--=_ looks like a boundary\n", b"quoted-printable"),
    ],
)
def test_a_text_is_encoded_only_where_it_must_be(text: str, encoding: bytes) -> None:
    """7bit if safe, else the shorter of quoted-printable and base64."""
    assert b"Content-Transfer-Encoding: " + encoding + b"\r\n" in render(plain_message(text=text))


@pytest.mark.parametrize("html", ["From here\n", "<p>\nFrom here é\n", "é" + "x" * 70 + "From " * 50])
def test_no_line_of_a_body_begins_with_from(html: str) -> None:
    """A mailbox on the way would turn such a line into ">From"."""
    assert not re.search(rb"(?m)^From ", render(plain_message(text=html, html=html)))


def test_a_lone_surrogate_in_the_text_is_refused() -> None:
    """Half a character can't be sent; the sentence names the body."""
    with pytest.raises(InvalidMessage, match="half a character") as caught:
        built(plain_message(text="a\ud800b"))
    assert caught.value.field == "body"


def test_an_address_that_needs_smtputf8_stays_utf8() -> None:
    """Only a non-ASCII local part makes the header 8-bit, and the message says so."""
    mime = built(plain_message(to=(Address("jörg", "bücher.example", "Jörg"),)))
    assert mime.needs_smtputf8
    assert "=?utf-8?b?SsO2cmc=?= <jörg@xn--bcher-kva.example>".encode() in mime.header
    assert not built(plain_message(to=(Address("joerg", "bücher.example", "Jörg"),))).needs_smtputf8
    assert built(plain_message(bcc=(Address("jörg", "x.test"),))).needs_smtputf8


@pytest.mark.parametrize(("hours", "written"), [(0, b"+0000"), (-3.5, b"-0330"), (5.75, b"+0545"), (14, b"+1400")])
def test_the_date_has_the_zone_it_was_given(hours: float, written: bytes) -> None:
    """Date shows the given zone, half hours too."""
    moment = DATE.replace(tzinfo=timezone(timedelta(hours=hours)))
    mime = build(plain_message(), date=moment, contents={})
    assert mime.header.startswith(b"Date: Sun, 22 Nov 2026 07:06:58 " + written + b"\r\n")


def test_a_naive_date_is_a_mistake_of_ours() -> None:
    """A time without a zone never reaches a header."""
    with pytest.raises(ValueError, match="aware"):
        build(plain_message(), date=datetime(2026, 1, 1), contents={})  # noqa: DTZ001 - the point of the test


def test_a_forwarded_message_travels_unencoded() -> None:
    """An attached message/rfc822 is 7bit, as RFC 2046 demands, and still itself."""
    inner = prepare_rfc822(b"From: a@b.test\nSubject: inner\n\nHi\n")
    assert inner == b"From: a@b.test\r\nSubject: inner\r\n\r\nHi\r\n"
    file, content = attached(inner, "mail.eml", media_type="message/rfc822")
    rendered = render(plain_message(attachments=(file,)), content)
    assert (
        b"Content-Transfer-Encoding: 7bit\r\nContent-Disposition: attachment; filename=mail.eml\r\n\r\n" + inner
        in rendered
    )


def test_bcc_of_a_forwarded_message_is_removed_at_every_depth() -> None:
    """Who was copied in secret on a forwarded mail, or on one within it, stays secret; its text isn't touched."""
    nested = (
        b"From: a@b.test\r\nBCC: secret@hidden.test,\r\n\tsecret2@hidden.test\r\nResent-Bcc : secret@hidden.test\r\n"
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: message/rfc822\r\n\r\n"
        b"From: c@d.test\r\nbcc: secret@hidden.test\r\n\r\nBcc: is a word\r\n--b--\r\n"
    )
    prepared = prepare_rfc822(b"From someone Mon Nov 22\r\n" + nested)
    assert prepared is not None
    assert b"hidden" not in prepared
    assert b"\r\nBcc: is a word\r\n" in prepared
    assert prepared.startswith(b"From: a@b.test\r\nContent-Type:")


@pytest.mark.parametrize(
    "octets",
    [
        b"From: a@b.test\n\nna\xc3\xafve\n",
        b"From: a@b.test\n\n" + b"x" * 999,
        b"\x89PNG\r\n",
        b"",
        b"Hello world\n",
        b"A: b\n\n\0",
    ],
    ids=["8-bit", "long line", "picture", "empty", "no header", "nul"],
)
def test_what_is_no_safe_message_is_attached_as_a_file(octets: bytes) -> None:
    """A message that 7bit can't carry travels encoded, as a file."""
    assert prepare_rfc822(octets) is None


def test_a_media_type_keeps_its_parameters() -> None:
    """An invitation's method reaches the calendar; a second name doesn't."""
    file, content = attached(b"x", "i.ics", media_type='Text/Calendar; method=REQUEST; charset="utf-8"; name=evil.exe')
    rendered = render(plain_message(attachments=(file,)), content)
    assert b"Content-Type: text/calendar; method=REQUEST; charset=utf-8; name=i.ics\r\n" in rendered


@pytest.mark.parametrize("media_type", ["multipart/mixed", "message/partial", "message/delivery-status"])
def test_a_type_that_base64_cannot_carry_becomes_a_plain_file(media_type: str) -> None:
    """RFC 2046 forbids encoding such types; the file arrives as a file."""
    file, content = attached(b"x", media_type=media_type)
    assert structure(render(plain_message(attachments=(file,)), content))[-1] == "application/octet-stream"


@pytest.mark.parametrize(
    "media_type", ["pdf", "a/b/c", "text/plain\r\nBcc: x@y.test", "text/plain; a=\x00", "text/pläin"]
)
def test_a_media_type_that_is_none_is_refused(media_type: str) -> None:
    """A wrong --type is told before anything is stored."""
    file, _ = attached(b"x", media_type=media_type)
    with pytest.raises(InvalidAttachment, match="isn't a media type"):
        built(plain_message(attachments=(file,)))


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("/home/ada/.ssh/id_rsa", "id_rsa"),
        ("C:\\Users\\ada\\x.pdf", "x.pdf"),
        ("a\r\nBcc: x@y.test", '"a Bcc: x@y.test"'),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("..", "attachment"),
        ("dir/", "attachment"),
        ("two words.txt", '"two words.txt"'),
    ],
)
def test_a_file_name_says_nothing_of_folders_and_hides_nothing(name: str, written: str) -> None:
    """Only the last part of a path goes out, without tricks that hide a file's ending."""
    file, content = attached(b"x", name)
    rendered = render(plain_message(attachments=(file,)), content)
    assert f"Content-Disposition: attachment; filename={written}\r\n".encode() in rendered


def test_a_long_thread_keeps_its_first_and_its_last_twenty_ids() -> None:
    """References stays short enough for every relay and still names the thread."""
    ids = tuple(f"<{number}.{'x' * 40}@example.org>" for number in range(60))
    rendered = render(plain_message(references=ids))
    kept = re.findall(r"<\d+\.x+@example\.org>", rendered.decode().partition("References:")[2])
    assert kept == [ids[0], *ids[-20:]]


def test_a_copy_with_another_id_has_other_boundaries() -> None:
    """A message that is attached to another one of ours can't share its boundaries."""
    one = plain_message(html="<p>x")
    other = replace(one, id="01JD0000000000000000000001")
    assert re.findall(rb"=_\w+", render(one))[0] != re.findall(rb"=_\w+", render(other))[0]
