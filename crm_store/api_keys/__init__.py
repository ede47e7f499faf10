"""Keys by which the business's other programs use the API."""
