"""A report of a period: what it holds, and a writer for each kind of file."""
