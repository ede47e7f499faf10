"""The staff's groups: customers' topics in them, and what the staff write there."""
