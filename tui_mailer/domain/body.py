"""Bodies: plain text as format=flowed, Markdown to HTML, HTML to text, and the signature under a text."""

from __future__ import annotations

import re
from html import escape
from html.parser import HTMLParser

_LINE = 78
"""Longest line sent as it stands (RFC 3676 section 4.2)."""
_SOFT_LINE = 76
"""Longest line made by wrapping, its trailing space included."""
_WRAPPED = r"(?s) *[^ ].{{0,{}}}(?: +|$)| *[^ ]+(?: +|$)"
"""As many words as fit, or one word that doesn't, with the spaces that follow."""
_INDENT = re.compile(r"(?m)^ +| {2,}")
"""Spaces that HTML would swallow."""
_QUOTE = re.compile(r">[> ]*")
_SIGNATURE_LINE = "-- "
_SPACED_BLOCKS = frozenset(
    {"blockquote", "dl", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre", "table", "ul"}
)
"""Elements with a blank line before and after."""
_BLOCKS = _SPACED_BLOCKS | {
    *("address", "article", "aside", "body", "center", "dd", "div", "dt", "figcaption", "footer", "form", "header"),
    *("html", "li", "main", "nav", "section", "tbody", "tfoot", "thead", "tr"),
}
"""Elements that start and end a line."""
_SHOWN_SCHEMES = frozenset({"http", "https", "mailto", "ftp", "tel"})
_DROPPED = frozenset({"script", "style", "head", "title", "template", "noscript", "object", "svg", "math"})


def flow(text: str) -> str:
    """Writes plain text as format=flowed, DelSp=no (RFC 3676): paragraphs wrapped with soft breaks, lines stuffed.

    Lines of up to 78 characters stay as they are; quoted lines (``>``) stay quoted when wrapped; trailing white space
    goes, but for a signature's ``-- ``. The lines end with LF; any text that isn't empty ends with one.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines: list[str] = []
    for line in text.split("\n"):
        if line and (len(line) > _LINE or line[0] in " >F" or line[-1] in " \t"):
            lines += _flow_line(line)
        else:
            lines.append(line)
    if lines[-1]:
        lines.append("")
    return "\n".join(lines)


def _flow_line(line: str) -> list[str]:
    if line == _SIGNATURE_LINE:
        return [line]
    line = line.rstrip(" \t")
    if len(line) > _LINE and (found := _QUOTE.match(line)) and found.end() < len(line):
        quote = ">" * found[0].count(">") + " "
        width = max(_SOFT_LINE - len(quote), _SOFT_LINE // 2)
        pieces = re.findall(_WRAPPED.format(width - 2), line[found.end() :])
        return [quote + piece for piece in pieces]
    if line.startswith((" ", "From ")):
        line = " " + line
    if len(line) <= _LINE:
        return [line]
    pieces = re.findall(_WRAPPED.format(_SOFT_LINE - 2), line)
    return [pieces[0], *[" " + piece if piece.startswith((">", "From ")) else piece for piece in pieces[1:]]]


def unflow(text: str, *, deletes_space: bool = False) -> str:
    """Reads format=flowed text (RFC 3676): soft line breaks and stuffing go; ``deletes_space``: DelSp=yes."""
    lines: list[str] = []
    is_open, depth_above = False, 0
    for line in text.split("\n"):
        unquoted = line.lstrip(">")
        depth = len(line) - len(unquoted)
        content = unquoted.removeprefix(" ")
        is_soft = content.endswith(" ") and content != _SIGNATURE_LINE
        if is_open and depth == depth_above and content != _SIGNATURE_LINE:
            lines[-1] += content
        else:
            lines.append(f"{'>' * depth} {content}" if depth else content)
        if is_soft and deletes_space:
            lines[-1] = lines[-1][:-1]
        is_open, depth_above = is_soft, depth
    return "\n".join(lines)


def append_signature(body: str, signature: str) -> str:
    """Puts ``signature`` under ``body`` after a ``-- `` line (RFC 3676 section 4.3); an empty one changes nothing."""
    signature = signature.strip("\n")
    if not signature.strip():
        return body
    if not signature.startswith(_SIGNATURE_LINE + "\n"):
        signature = f"{_SIGNATURE_LINE}\n{signature}"
    body = body.rstrip("\n")
    if body.endswith(signature):
        return body + "\n"
    return f"{body}\n\n{signature}\n"


def html_from_markdown(text: str) -> str:
    """Renders CommonMark (and tables, strikethrough) as a small HTML document; HTML in the text stays text.

    A single line break is kept as one, as in the text part.
    """
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])
    rendered: str = parser.render(text)
    return f'<!DOCTYPE html>\n<html>\n<head><meta charset="utf-8"></head>\n<body>\n{rendered}</body>\n</html>\n'


def html_from_text(text: str) -> str:
    """Writes plain text as a small HTML document that shows it as it is: lines, blank lines and indents kept."""
    paragraphs = re.split(r"\n{2,}", escape(text.replace("\r\n", "\n").strip("\n"), quote=False))
    written = (_INDENT.sub(lambda spaces: "&nbsp;" * (len(spaces[0]) - 1) + " ", one) for one in paragraphs)
    rendered = "".join(f"<p>{one.replace(chr(10), '<br>' + chr(10))}</p>\n" for one in written)
    return f'<!DOCTYPE html>\n<html>\n<head><meta charset="utf-8"></head>\n<body>\n{rendered}</body>\n</html>\n'


def text_from_html(html: str) -> str:
    """Reads HTML as plain text: links as ``text <address>``, lists and quotes marked, scripts and styles left out."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.text()


class _Reader(HTMLParser):
    """Collects lines; white space collapses but inside ``pre``."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = []
        self._line = ""
        self._prefix = ""
        self._wants_blank = False
        self._lists: list[int | None] = []
        self._links: list[tuple[str, int]] = []
        self._quotes = 0
        self._quotes_above = 0
        self._dropped = 0
        self._pre = 0

    def text(self) -> str:
        """Gives what was read, one LF at the end unless there is nothing."""
        self._end_line()
        return "\n".join(self._lines) + "\n" if self._lines else ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Opens an element."""
        if tag in _DROPPED:
            self._dropped += 1
        if self._dropped:
            return
        given = dict(attrs)
        if tag in _BLOCKS:
            self._start_block(tag)
        if tag == "br":
            self._end_line(is_forced=True)
        elif tag == "hr":
            self._end_line()
            self._line = "-" * 40
            self._end_line()
        elif tag in {"td", "th"} and self._line:
            self._line += "\t"
        elif tag == "img":
            self._add(given.get("alt") or "")
        elif tag == "a":
            self._links.append((given.get("href") or "", len(self._line)))

    def _start_block(self, tag: str) -> None:
        self._end_line()
        self._wants_blank |= tag in _SPACED_BLOCKS and not (tag in {"ul", "ol"} and self._lists)
        if tag == "blockquote":
            self._end_line()
            self._quotes += 1
        elif tag == "pre":
            self._pre += 1
        elif tag in {"ul", "ol"}:
            self._lists.append(1 if tag == "ol" else None)
        elif tag == "li":
            self._start_item()

    def _start_item(self) -> None:
        depth = "  " * max(len(self._lists) - 1, 0)
        number = self._lists[-1] if self._lists else None
        if number is None:
            self._prefix = f"{depth}* "
        else:
            self._prefix = f"{depth}{number}. "
            self._lists[-1] = number + 1

    def handle_endtag(self, tag: str) -> None:
        """Closes an element."""
        if tag in _DROPPED:
            self._dropped = max(self._dropped - 1, 0)
            return
        if self._dropped:
            return
        if tag == "a" and self._links:
            self._end_link(*self._links.pop())
        if tag not in _BLOCKS:
            return
        self._end_line()
        self._wants_blank |= tag in _SPACED_BLOCKS and not (tag in {"ul", "ol"} and len(self._lists) > 1)
        if tag == "blockquote":
            self._quotes = max(self._quotes - 1, 0)
        elif tag == "pre":
            self._pre = max(self._pre - 1, 0)
        elif tag in {"ul", "ol"} and self._lists:
            self._lists.pop()
        elif tag == "li":
            self._prefix = ""

    def _end_link(self, address: str, start: int) -> None:
        """Shows where a link leads unless its text says so already."""
        shown = self._line[start:].strip()
        scheme, _, rest = address.partition(":")
        if scheme.lower() not in _SHOWN_SCHEMES or shown.rstrip("/") in {address.rstrip("/"), rest.strip("/")}:
            return
        self._add(f" <{address}>" if shown else f"<{address}>")

    def handle_data(self, data: str) -> None:
        """Takes text."""
        if self._dropped:
            return
        if not self._pre:
            self._add(data)
            return
        first, *others = data.replace("\r\n", "\n").split("\n")
        self._line += first
        for line in others:
            self._end_line(is_forced=True)
            self._line = line

    def _add(self, text: str) -> None:
        collapsed = re.sub(r"[ \t\r\n\f]+", " ", text)
        if not self._line or self._line.endswith((" ", "\t")):
            collapsed = collapsed.lstrip(" ")
        self._line += collapsed

    def _end_line(self, *, is_forced: bool = False) -> None:
        """Ends the line if there is something on it, or ``is_forced``."""
        line = self._line.rstrip(" \t")
        self._line = ""
        if not line and not is_forced:
            return
        quote = "> " * self._quotes
        if self._wants_blank and self._lines:
            self._lines.append(("> " * min(self._quotes, self._quotes_above)).rstrip())
        self._wants_blank = False
        self._quotes_above = self._quotes
        self._lines.append((quote + self._prefix + line).rstrip())
        self._prefix = " " * len(self._prefix)
