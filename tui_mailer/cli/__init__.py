"""The command line: one file per command group; each imports only what its command needs."""
