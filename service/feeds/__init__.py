"""Connectors: what is fetched from feeds, folders and mailboxes, on its way to the intake of opinions."""
