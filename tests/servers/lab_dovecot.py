"""Dovecot: submission in front of postfix, IMAP, and the SASL service that postfix asks.

AUTH PLAIN and LOGIN for ``user``; XOAUTH2 and OAUTHBEARER for ``oauth``, whose tokens a local endpoint judges
(RFC 7662). It announces no SMTPUTF8.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import shutil
import threading
import urllib.parse
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from lab_certificate import TlsFiles
from lab_process import free_ports, installed, need_root, running, server_folder
from lab_server import OAUTH_USER, PASSWORD, SIZE_LIMIT, TOKEN, USER

CONFIGURATION = """\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
instance_name = tui-mailer-tests
listen = 127.0.0.1
protocols = imap submission
default_internal_user = dovecot
default_login_user = dovenull
first_valid_uid = 1
mail_location = maildir:{folder}/mail/%u
mail_uid = nobody
mail_gid = nogroup
ssl = required
ssl_cert = <{folder}/good.pem
ssl_key = <{folder}/good.pem
ssl_min_protocol = TLSv1.2
disable_plaintext_auth = yes
auth_mechanisms = plain login xoauth2 oauthbearer
auth_verbose = yes
auth_failure_delay = 0
hostname = mail.lab.test
submission_relay_host = 127.0.0.1
submission_relay_port = {relay_port}
submission_relay_trusted = yes
submission_max_mail_size = {size_limit}
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {folder}/oauth2.conf.ext
}}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {folder}/users
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={folder}/mail/%u
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Sent {{
    special_use = \\Sent
    auto = subscribe
  }}
  mailbox Drafts {{
    special_use = \\Drafts
    auto = create
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {imaps_port}
    ssl = yes
  }}
}}
service submission-login {{
  inet_listener submission {{
    port = {starttls_port}
  }}
  inet_listener submissions {{
    port = {tls_port}
    ssl = yes
  }}
}}
service auth {{
  inet_listener {{
    address = 127.0.0.1
    port = {sasl_port}
  }}
}}
# a wrong password in one test must not slow down the next: no penalty by address
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
"""

TOKEN_CONFIGURATION = """\
introspection_mode = post
introspection_url = http://127.0.0.1:{port}/introspect
active_attribute = active
active_value = true
username_attribute = username
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dovecot:
    """A running dovecot; what is submitted to it appears in the relay's mailboxes."""

    starttls_port: int
    tls_port: int
    imaps_port: int
    sasl_port: int
    """The authentication protocol that postfix speaks."""
    ca_file: Path
    log: Path


class _Introspection(http.server.BaseHTTPRequestHandler):
    """Says whether a token is active, and whose."""

    def do_POST(self) -> None:
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        is_active = form.get("token") == [TOKEN]
        answer = json.dumps({"active": is_active, "username": OAUTH_USER, "exp": 4102444800}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Keeps the test's output clean."""


@contextlib.contextmanager
def _introspection() -> Generator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Introspection) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@contextlib.contextmanager
def dovecot_running(tls_files: TlsFiles, *, relay_port: int) -> Generator[Dovecot]:
    """Starts dovecot and yields it; root only, skips where it isn't installed."""
    need_root()
    program = installed("dovecot", "dovecot-imapd dovecot-submissiond")
    with server_folder("dovecot") as folder, _introspection() as introspection_port:
        for name in ("run", "state", "mail"):
            (folder / name).mkdir()
        shutil.chown(folder / "mail", "nobody")
        shutil.copy(tls_files.good, folder / "good.pem")
        (folder / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}::::::\n{OAUTH_USER}:{{PLAIN}}unused::::::\n")
        (folder / "oauth2.conf.ext").write_text(TOKEN_CONFIGURATION.format(port=introspection_port))
        imaps_port, starttls_port, tls_port, sasl_port = free_ports(4)
        (folder / "dovecot.conf").write_text(
            CONFIGURATION.format(
                folder=folder,
                relay_port=relay_port,
                imaps_port=imaps_port,
                starttls_port=starttls_port,
                tls_port=tls_port,
                sasl_port=sasl_port,
                size_limit=SIZE_LIMIT,
            )
        )
        with running(
            [program, "-F", "-c", folder / "dovecot.conf"],
            ports=[imaps_port, starttls_port, tls_port, sasl_port],
            log=folder / "dovecot.out",
        ):
            yield Dovecot(
                starttls_port=starttls_port,
                tls_port=tls_port,
                imaps_port=imaps_port,
                sasl_port=sasl_port,
                ca_file=tls_files.ca_file,
                log=folder / "dovecot.log",
            )
