"""Bank transfers: what a client writes on one, the bank's statements, and which line paid what."""
