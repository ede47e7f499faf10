"""A simulated week: people who change things, processes that do the automatic work, and a model of both."""
