"""How a mail leaves: one file per provider, each behind the contract of `base`."""
