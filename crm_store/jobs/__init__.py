"""Automatic work at a due time, from durable rows: done once, however many processes do it."""
