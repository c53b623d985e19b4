"""The Vietnamese web pages."""
