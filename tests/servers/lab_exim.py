"""Exim, unpacked rather than installed, as its own unprivileged user; one Maildir takes a copy per message.

AUTH PLAIN, LOGIN and XOAUTH2. Recipients: nobody@ 550, grey@ 451 always, quota@ 550, drop@ is cut off, slow@ is
answered after 3 s; subjects with SPAM are refused at the dot, with TEMPFAIL deferred there.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Generator

from lab_certificate import TlsFiles
from lab_process import ensure_user, free_ports, need_root, running, server_folder, unpacked
from lab_server import PASSWORD, SIZE_LIMIT, TOKEN, USER, MailServer

OWNER = "Debian-exim"
"""Compiled into Debian's exim."""

# exim takes the rest of a line as the value: one condition or modifier per line
CONFIGURATION = r"""
exim_path = @package@/usr/sbin/exim4
primary_hostname = mail.lab.test
exim_user = @owner@
exim_group = @owner@
spool_directory = @folder@/spool
log_file_path = @folder@/log/%slog
log_selector = +smtp_protocol_error
pid_file_path = @folder@/exim.pid
daemon_smtp_ports = @plain@ : @starttls@ : @tls@
tls_on_connect_ports = @tls@
local_interfaces = <; 127.0.0.1
tls_certificate = @folder@/good.pem
tls_privatekey = @folder@/good.pem
tls_advertise_hosts = *
auth_advertise_hosts = ${if eq{$tls_in_cipher}{}{}{*}}
smtputf8_advertise_hosts = *
chunking_advertise_hosts = *
pipelining_advertise_hosts = *
accept_8bitmime = true
message_size_limit = @size_limit@
domainlist local_domains = lab.test : xn--bcher-kva.test
acl_smtp_rcpt = recipient
acl_smtp_predata = accept
acl_smtp_data = content
smtp_accept_max = 200
smtp_accept_max_per_connection = 10000
smtp_accept_queue_per_connection = 10000
queue_only_load = 100
host_lookup =
rfc1413_query_timeout = 0s
ignore_bounce_errors_after = 1h
keep_environment =
never_users =

begin acl
recipient:
  deny
    local_parts = nobody
    message = 5.1.1 unknown user
  defer
    local_parts = grey
    message = 4.7.1 greylisted
  deny
    local_parts = quota
    message = 5.2.2 mailbox full
  drop
    local_parts = drop
    message = 5.7.1 dropping you
  accept
    local_parts = slow
    delay = 3s
  accept
    domains = +local_domains
  accept
    authenticated = *
  deny
    message = 5.7.1 relay denied
content:
  deny
    condition = ${if match{$h_subject:}{SPAM}}
    message = 5.7.1 content rejected
  defer
    condition = ${if match{$h_subject:}{TEMPFAIL}}
    message = 4.3.0 try later
  accept

begin routers
everybody:
  driver = accept
  transport = box

begin transports
box:
  driver = appendfile
  directory = @folder@/mail/box
  maildir_format
  create_directory
  envelope_to_add
  batch_max = 100
  user = @owner@

begin retry
* * F,2h,15m

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = ${if and{{eq{$auth2}{@user@}}{eq{$auth3}{@password@}}}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${if and{{eq{$auth1}{@user@}}{eq{$auth2}{@password@}}}}
  server_set_id = $auth1
xoauth2:
  driver = plaintext
  public_name = XOAUTH2
  server_prompts = :
  server_condition = ${if match{$auth1}{\N^user=@user@\N}{${if match{$auth1$auth2$auth3}{@token@}}}}
  server_set_id = @user@
"""


@contextlib.contextmanager
def exim_running(tls_files: TlsFiles) -> Generator[MailServer]:
    """Starts exim and yields it; root only (to become exim's user), skips where it isn't unpacked."""
    need_root()
    with server_folder("exim") as folder:
        package = unpacked("exim4-daemon-light", folder)
        ensure_user(OWNER)
        for name in ("spool", "log", "mail"):
            (folder / name).mkdir()
        shutil.copy(tls_files.good, folder / "good.pem")
        plain, starttls, tls = free_ports(3)
        values = {
            "package": package,
            "folder": folder,
            "owner": OWNER,
            "plain": plain,
            "starttls": starttls,
            "tls": tls,
            "size_limit": SIZE_LIMIT,
            "user": USER,
            "password": PASSWORD,
            "token": TOKEN,
        }
        text = CONFIGURATION
        for name, value in values.items():
            text = text.replace(f"@{name}@", str(value))
        (folder / "exim.conf").write_text(text)
        for path in (folder, *folder.rglob("*")):
            if path.is_relative_to(package) or path.name == "exim.conf":
                continue  # exim refuses a configuration that its own user could change
            shutil.chown(path, OWNER, OWNER)
        with running(
            [
                "setpriv",
                "--reuid",
                OWNER,
                "--regid",
                OWNER,
                "--clear-groups",
                package / "usr/sbin/exim4",
                "-C",
                folder / "exim.conf",
                "-bdf",
            ],
            ports=[plain, starttls, tls],
            log=folder / "log/out",
        ):
            yield MailServer(
                starttls_port=starttls,
                tls_port=tls,
                plain_port=plain,
                ca_file=tls_files.ca_file,
                mailboxes=folder / "mail",
                log=folder / "log/mainlog",
                accepted_pattern=r" <= [^\n]* id={id}$",
            )
