"""What is kept: immutable items, append-only runs of analyses, and the pointers to what is read."""
