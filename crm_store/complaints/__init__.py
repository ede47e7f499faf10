"""Complaints: what went wrong, told by a customer and followed under a tracking code."""
