"""The HTTP interface, one file a resource, under /v1."""
