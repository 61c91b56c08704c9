"""Who sends: the configuration file, identities and credentials (the one door to the keyring)."""
