"""Listening: what many opinions say together, and never what one person says."""
