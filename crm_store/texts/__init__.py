"""Wordings that the owner has edited in the console, with their history."""
