"""Opinions, asked for at the right moment."""
