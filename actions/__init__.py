"""The action server: turns what was recognised into one call of a service, and answers."""
