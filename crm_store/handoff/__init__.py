"""Hand-off: when a person is needed. For now: call-back requests."""
