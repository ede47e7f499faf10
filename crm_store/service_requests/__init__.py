"""Service requests: repairs, installations and visits, booked by a customer and followed to the door."""
