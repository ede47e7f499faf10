"""Transcripts: searching what was said, and for how long it is kept."""
