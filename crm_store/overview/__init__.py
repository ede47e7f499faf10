"""What is known about a customer and about the business, put together for the staff."""
