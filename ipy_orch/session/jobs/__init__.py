"""Jobs in a session: found, launched, taken up again."""
