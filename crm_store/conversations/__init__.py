"""Conversations: one chat on one channel, who owns it, what was said and what was sent along."""
