"""Learning from use: messages that were not understood, and what an operator makes of them."""
