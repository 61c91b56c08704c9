"""What is kept: the outbox, the history, drafts and the spool of attachments."""
