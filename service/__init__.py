"""The service: store, HTTP API, web pages and command line."""
