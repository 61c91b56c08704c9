"""The app: compose, outbox and history screens in a terminal."""
