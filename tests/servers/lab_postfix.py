"""Postfix, unpacked rather than installed, on the loopback address in a folder of its own.

It knows a@, b@, c@, grey@, quota@, drop@ and jürgen@lab.test. AUTH is dovecot's (SASL). grey@ is greylisted by a policy
server of our own, `Greylist`; quota@ answers 552, drop@ 421, anybody else at lab.test 550.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socketserver
import subprocess
import threading
from collections.abc import Generator
from pathlib import Path

from lab_certificate import TlsFiles
from lab_process import ensure_user, free_ports, need_root, running, server_folder, unpacked
from lab_server import SIZE_LIMIT, MailServer

MAIN_CF = """\
compatibility_level = 3.6
import_environment = MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ LANG=C LD_LIBRARY_PATH
queue_directory = {folder}/spool
command_directory = {package}/usr/sbin
daemon_directory = {package}/usr/lib/postfix/sbin
shlib_directory = {package}/usr/lib/postfix
data_directory = {folder}/data
meta_directory = {folder}/etc
mail_owner = postfix
setgid_group = mail
sendmail_path = {package}/usr/sbin/sendmail
newaliases_path = {package}/usr/bin/newaliases
mailq_path = {package}/usr/bin/mailq
maillog_file = {folder}/postfix.log
maillog_file_prefixes = {folder}, /tmp, /var, /dev/stdout
inet_interfaces = loopback-only
inet_protocols = ipv4
myhostname = mail.lab.test
mydestination =
mynetworks =
alias_maps =
alias_database =
local_recipient_maps =
virtual_mailbox_domains = lab.test, xn--bcher-kva.test
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = inline:{{a@lab.test=a/, b@lab.test=b/, c@lab.test=c/, grey@lab.test=g/, quota@lab.test=q/,
    drop@lab.test=d/, jürgen@lab.test=u/, a@xn--bcher-kva.test=i/}}
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
virtual_minimum_uid = 100
default_transport = error:no outside mail
relay_transport = error:no outside mail
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_recipient_restrictions = check_policy_service inet:127.0.0.1:{policy_port},
    check_recipient_access
    inline:{{ {{quota@lab.test = 552 5.2.2 mailbox full}}, {{drop@lab.test = 421 4.3.2 closing}} }}
message_size_limit = {size_limit}
smtputf8_enable = yes
smtpd_tls_chain_files = {certificate}
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{sasl_port}
smtpd_sasl_auth_enable = yes
smtpd_forbid_bare_newline = yes
smtpd_client_connection_rate_limit = 0
smtpd_error_sleep_time = 0
"""

MASTER_CF = """\
127.0.0.1:{plain} inet n - n - - smtpd
127.0.0.1:{starttls} inet n - n - - smtpd
  -o smtpd_tls_security_level=encrypt
127.0.0.1:{tls} inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


class Greylist:
    """A policy server for postfix: mail to grey@ is deferred until the list is lifted, and counted."""

    def __init__(self) -> None:
        self.deferred = 0
        self._is_lifted = threading.Event()

    def lift(self) -> None:
        """Lets mail to grey@ pass from now on."""
        self._is_lifted.set()

    def restore(self) -> None:
        """Defers mail to grey@ again."""
        self._is_lifted.clear()
        self.deferred = 0

    def action(self, request: dict[str, str]) -> str:
        """Answers one question of postfix' (SMTPD_POLICY_README)."""
        if request.get("recipient") != "grey@lab.test" or self._is_lifted.is_set():
            return "DUNNO"
        self.deferred += 1
        return "451 4.7.1 Greylisted, come back later"

    @contextlib.contextmanager
    def serving(self) -> Generator[int]:
        """Serves in threads until the block ends; yields the port."""
        greylist = self

        class Questions(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                request: dict[str, str] = {}
                for line in self.rfile:
                    name, _, value = line.decode().rstrip("\n").partition("=")
                    if name:
                        request[name] = value
                        continue
                    self.wfile.write(f"action={greylist.action(request)}\n\n".encode())
                    request = {}

        with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Questions) as server:
            server.daemon_threads = True
            server.block_on_close = False
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield server.server_address[1]
            server.shutdown()


def _lay_out(folder: Path, package: Path) -> None:
    for name in ("etc", "spool", "data", "mail"):
        (folder / name).mkdir()
    os.chown(folder / "data", pwd.getpwnam("postfix").pw_uid, -1)
    (folder / "mail").chmod(0o1777)
    for source in [*(package / "usr/share/postfix").iterdir(), *(package / "etc/postfix").glob("postfix-files")]:
        if source.is_file():
            shutil.copy(source, folder / "etc")
    (folder / "etc/dynamicmaps.cf").touch()


@contextlib.contextmanager
def postfix_running(tls_files: TlsFiles, *, plain_port: int, sasl_port: int, policy_port: int) -> Generator[MailServer]:
    """Starts postfix and yields it; root only, skips where it isn't unpacked."""
    need_root()
    with server_folder("postfix") as folder:
        package = unpacked("postfix", folder)
        ensure_user("postfix")
        _lay_out(folder, package)
        certificate = Path(shutil.copy(tls_files.good, folder / "good.pem"))
        starttls_port, tls_port = free_ports(2)
        (folder / "etc/main.cf").write_text(
            MAIN_CF.format(
                folder=folder,
                package=package,
                certificate=certificate,
                policy_port=policy_port,
                sasl_port=sasl_port,
                size_limit=SIZE_LIMIT,
            )
        )
        (folder / "etc/master.cf").write_text(MASTER_CF.format(plain=plain_port, starttls=starttls_port, tls=tls_port))
        environment = {"LD_LIBRARY_PATH": str(package / "usr/lib/postfix"), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        check = [package / "usr/sbin/postfix", "-c", folder / "etc", "check"]  # lays out the queue folders
        subprocess.run(check, check=True, env=environment, capture_output=True)
        with running(
            # not "postfix start-fg": its master moves into a session of its own and outlives the script
            [package / "usr/lib/postfix/sbin/master", "-c", folder / "etc", "-d"],
            ports=[plain_port, starttls_port, tls_port],
            log=folder / "postfix.out",
            environment=environment,
        ):
            yield MailServer(
                starttls_port=starttls_port,
                tls_port=tls_port,
                plain_port=plain_port,
                ca_file=tls_files.ca_file,
                mailboxes=folder / "mail",
                log=folder / "postfix.log",
                accepted_pattern=r"cleanup\[\d+\]: (\w+): message-id=<{id}>$(?=.*qmgr\[\d+\]: \1: from=)",
            )
