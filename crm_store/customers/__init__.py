"""Customers: who somebody is, on which channels, and which contact points are proven."""
