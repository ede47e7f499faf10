"""Tickets: what complaints and service requests have in common."""
