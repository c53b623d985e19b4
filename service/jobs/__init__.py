"""Durable jobs: what is asked for stands in the store, and workers carry it out whatever dies meanwhile."""
