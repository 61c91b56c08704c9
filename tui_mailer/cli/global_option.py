"""Which global options are followed by a value: needed to find the command behind them, before any parser exists."""

VALUED = frozenset({"--config", "--data-dir", "--account", "-a"})
