"""Privacy: what customers decide about their data, and how long it is kept."""
