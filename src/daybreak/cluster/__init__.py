"""Whole buckets and folders, on this machine or on many: listed as a stream, each result whole or absent."""
