"""Stand-ins for the platforms and processes that the product talks to, served on loopback."""
