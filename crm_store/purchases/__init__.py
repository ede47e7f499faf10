"""What customers bought and gave back, as the shop tells it."""
