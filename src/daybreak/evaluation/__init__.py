"""Scoring methods under a protocol that stands beside every number; tables, pages and `reproduce`."""
