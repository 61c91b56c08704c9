"""The message options that ``send``, ``compose`` and ``draft new`` share, and the draft they make."""

from __future__ import annotations

import argparse
import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tui_mailer.cli import parsing
from tui_mailer.cli.exit_code import UsageError
from tui_mailer.domain.draft import BodyFormat, Draft, DraftAttachment
from tui_mailer.domain.errors import InvalidMessage, NotFound

STDIN = "-"
_ELSEWHERE = ("http://", "https://", "ref:")


def add_message_options(parser: parsing.Parser) -> None:
    """Adds every option that says something about the message itself."""
    _add_addresses(parser)
    _add_body(parser)
    _add_attachments(parser)
    _add_extras(parser)


def _add_addresses(parser: parsing.Parser) -> None:
    group = parser.add_argument_group("who")
    group.add_argument(
        "--from", dest="sender", metavar="ADDR", action=parsing.Once, help="also picks the account by identity"
    )
    for name, summary in (
        ("to", "recipients (RFC 5322 list; repeatable)"),
        ("cc", "copies"),
        ("bcc", "blind copies: in no header"),
        ("reply-to", "where answers should go"),
    ):
        group.add_argument(f"--{name}", metavar="LIST", action="append", default=[], help=summary)
    group.add_argument("--each", action="store_true", help="one submission per To; prints an array")


def _add_body(parser: parsing.Parser) -> None:
    group = parser.add_argument_group("what")
    group.add_argument("--subject", metavar="TEXT", default="", help="one line")
    body = group.add_mutually_exclusive_group()
    body.add_argument("--body", metavar="TEXT", help="the text")
    body.add_argument("--body-file", metavar="PATH", help="the text from a file (-: stdin)")
    group.add_argument("--format", choices=[each.value for each in BodyFormat], help="how the text is to be read")
    group.add_argument("--html-file", metavar="PATH", help="an HTML body; the text is made from it if none is given")
    group.add_argument("--no-stdin", action="store_true", help="never read stdin (else: if it is a pipe or a file)")
    group.add_argument("--template", metavar="ID", default="", help="the provider's template")
    group.add_argument("--var", metavar="KEY=VALUE", type=parsing.pair, action="append", default=[], dest="variables")
    group.add_argument("--expand", action="store_true", help="replace ${name} by --var here ($$: a dollar)")


def _add_attachments(parser: parsing.Parser) -> None:
    group = parser.add_argument_group("attachments (repeatable; --as and --type belong to the one before)")
    group.add_argument("--attach", metavar="PATH|URL", action=_Attach, dest="attachments", default=())
    group.add_argument("--inline", metavar="[CID=]PATH", action=_Inline, dest="attachments", default=())
    group.add_argument("--as", metavar="NAME", action=_Rename, dest="attachments", default=())
    group.add_argument("--type", metavar="MIME", action=_Retype, dest="attachments", default=())


def _add_extras(parser: parsing.Parser) -> None:
    group = parser.add_argument_group("more")
    group.add_argument("--at", metavar="WHEN", default="", help="'tomorrow 9am', 'in 2h', 2026-11-30T09:00+01:00")
    group.add_argument(
        "--repeat",
        metavar="RULE",
        default="",
        help="'every weekday 9:00', 'every month on the 1st', FREQ=DAILY;COUNT=5 (RFC 5545); --at: from when",
    )
    group.add_argument(
        "--schedule-by",
        choices=["provider", "outbox"],
        default="",
        help="who keeps it until then (default: the provider where it can, else the outbox)",
    )
    group.add_argument("--undo", metavar="SECONDS", type=parsing.count, help="time in which it can be taken back")
    group.add_argument("--retries", metavar="N", type=parsing.count, help="attempts after the first")
    group.add_argument("--in-reply-to", metavar="MSGID", default="")
    group.add_argument("--references", metavar="MSGIDS", action="append", default=[])
    group.add_argument("--header", metavar="'Name: value'", type=parsing.header, action="append", default=[])
    group.add_argument("--tag", metavar="NAME[=VALUE]", type=parsing.tag, action="append", default=[])
    group.add_argument("--meta", metavar="KEY=VALUE", type=parsing.pair, action="append", default=[])
    group.add_argument(
        "--option", metavar="KEY=VALUE", type=parsing.pair, action="append", default=[], help="provider's"
    )
    group.add_argument("--note", metavar="TEXT", default="", help="kept with the submission, never sent")


class _Attach(argparse.Action):
    """Adds an attachment."""

    def __call__(  # the two unused ones are argparse's
        self,
        parser: argparse.ArgumentParser,  # noqa: ARG002
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,  # noqa: ARG002
    ) -> None:
        namespace.attachments = (*namespace.attachments, DraftAttachment(source=values))


class _Inline(argparse.Action):
    """Adds an inline image: ``CID=PATH``, or a path whose file name is the content id."""

    def __call__(  # the two unused ones are argparse's
        self,
        parser: argparse.ArgumentParser,  # noqa: ARG002
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,  # noqa: ARG002
    ) -> None:
        content_id, equals, source = values.partition("=")
        if not equals or Path(values).exists():
            content_id, source = Path(values).name, values
        namespace.attachments = (*namespace.attachments, DraftAttachment(source=source, content_id=content_id))


class _Rename(argparse.Action):
    """Names the attachment before it."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        namespace.attachments = _with_last(parser, namespace, option_string, name=values)


class _Retype(argparse.Action):
    """Gives the attachment before it a media type."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        namespace.attachments = _with_last(parser, namespace, option_string, media_type=values)


def _with_last(
    parser: argparse.ArgumentParser, namespace: argparse.Namespace, option: str | None, **change: str
) -> tuple[DraftAttachment, ...]:
    attachments: tuple[DraftAttachment, ...] = namespace.attachments
    if not attachments:
        parser.error(f"{option} belongs behind an --attach or --inline")
    return (*attachments[:-1], attachments[-1]._replace(**change))


class Input(NamedTuple):
    """Where the text of a message may come from."""

    account: str = ""
    default_format: BodyFormat = BodyFormat.PLAIN
    may_read_stdin: bool = True


def read_draft(arguments: argparse.Namespace, source: Input, *, base: Draft | None = None) -> Draft:
    """Makes a draft from the options, on top of ``base`` if there is one (a mailto link).

    Raises `UsageError`, `NotFound` for a body file, `InvalidMessage` for text that isn't UTF-8 or a missing variable.
    """
    base = base or Draft()
    draft = base._replace(
        account=source.account or base.account,
        sender=arguments.sender or base.sender,
        to=_joined(base.to, arguments.to),
        cc=_joined(base.cc, arguments.cc),
        bcc=_joined(base.bcc, arguments.bcc),
        reply_to=_joined(base.reply_to, arguments.reply_to),
        subject=arguments.subject or base.subject,
        body=_body(arguments, source) or base.body,
        body_format=BodyFormat(arguments.format) if arguments.format else source.default_format,
        html=_file_text(arguments.html_file, source) if arguments.html_file else base.html,
        attachments=base.attachments + arguments.attachments,
        schedule=_schedule(arguments) or base.schedule,
        in_reply_to=arguments.in_reply_to or base.in_reply_to,
        references=" ".join(arguments.references) or base.references,
        headers=base.headers + tuple(arguments.header),
        tags=base.tags + tuple(arguments.tag),
        metadata={**base.metadata, **dict(arguments.meta)},
        template=arguments.template or base.template,
        variables={**base.variables, **dict(arguments.variables)},
        options={**base.options, **dict(arguments.option)},
        retries=arguments.retries if arguments.retries is not None else base.retries,
        note=arguments.note or base.note,
        schedule_by=arguments.schedule_by or base.schedule_by,
    )
    if arguments.expand:
        from tui_mailer.cli.expansion import expand_draft

        draft = expand_draft(draft, _variables(arguments))
    return draft._replace(attachments=tuple(rooted(each, Path.cwd()) for each in draft.attachments))


def rooted(attachment: DraftAttachment, directory: Path) -> DraftAttachment:
    """Makes a relative path absolute, so that a draft means the same file from wherever it is sent."""
    source = attachment.source
    if source.startswith((*_ELSEWHERE, "sealed:")):
        return attachment
    return attachment._replace(source=str(directory / _at_home(source)))


def _at_home(path: str) -> Path:
    """Expands ``~``; a path that merely begins with one stays as it is."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def _variables(arguments: argparse.Namespace) -> Mapping[str, str]:
    return dict(arguments.variables)


def _joined(base: str, lists: list[str]) -> str:
    return ", ".join(each.strip().rstrip(",") for each in [base, *lists] if each.strip())


def _body(arguments: argparse.Namespace, source: Input) -> str:
    if arguments.body is not None:
        return arguments.body
    if arguments.body_file is not None:
        if arguments.body_file == STDIN == arguments.html_file:
            raise UsageError("Only one of --body-file and --html-file can be stdin.")
        return _file_text(arguments.body_file, source)
    if arguments.html_file or arguments.no_stdin or not source.may_read_stdin or not stdin_is_given():
        return ""
    return _decoded(sys.stdin.buffer.read(), "stdin")


def stdin_is_given() -> bool:
    """Says whether stdin is a pipe or a file, and so may be read without anybody waiting for it."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (AttributeError, OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode)


def _file_text(name: str, source: Input) -> str:
    if name == STDIN:
        if not source.may_read_stdin:
            raise UsageError("Here stdin is the keyboard: give the text as a file.")
        return _decoded(sys.stdin.buffer.read(), "stdin")
    try:
        return _decoded(_at_home(name).read_bytes(), name)
    except OSError as error:
        raise NotFound(f"Can't read '{name}': {error.strerror or error}. Nothing was stored.") from None


def _decoded(content: bytes, name: str) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidMessage(
            f"The text from {name} isn't UTF-8 (byte {error.start}). Nothing was stored. Convert it, or attach it.",
            field="body",
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _schedule(arguments: argparse.Namespace) -> str:
    """Puts ``--repeat`` and ``--at`` into one WHEN."""
    if not arguments.repeat:
        return arguments.at
    from tui_mailer.domain.errors import InvalidSchedule
    from tui_mailer.domain.recurrence_word import EXAMPLES, is_repeat

    if not is_repeat(arguments.repeat):
        raise InvalidSchedule(f"'{arguments.repeat}' is no rule; write for example {EXAMPLES}", field="at")
    return f"{arguments.repeat} from {arguments.at}" if arguments.at else arguments.repeat
