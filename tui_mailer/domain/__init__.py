"""What a mail is: addresses, messages, MIME, schedules, states. No I/O; standard library, idna, ulid and a markdown parser."""
