"""Hand-off: when a person is needed, who has a conversation, and call-back requests."""
