"""What a mail is: addresses, messages, MIME, schedules, states; no I/O, hardly a library."""
