"""A slip of the finger in a domain is told; real neighbours are left alone."""

from __future__ import annotations

import pytest

from tui_mailer.domain.domain_typo import likely_meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("gmial.com", "gmail.com"),
        ("gmai.com", "gmail.com"),
        ("gmaill.com", "gmail.com"),
        ("gnail.com", "gmail.com"),
        ("hotmial.com", "hotmail.com"),
        ("outlok.com", "outlook.com"),
        ("Yahooo.com", "yahoo.com"),
        ("example.con", "example.com"),
        ("t-onlin.de", "t-online.de"),
    ],
)
def test_a_slip_is_told_with_what_was_meant(typed: str, meant: str) -> None:
    assert likely_meant(typed) == meant


@pytest.mark.parametrize(
    "domain", ["gmail.com", "mail.com", "gmx.de", "gmx.at", "web.de", "example.org", "analytical.example", "a.de", ""]
)
def test_a_real_domain_is_left_alone(domain: str) -> None:
    assert likely_meant(domain) is None
