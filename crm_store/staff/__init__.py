"""Staff: who works with Peyvand and how they log in."""
