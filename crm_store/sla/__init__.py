"""Promises with a clock: due times in working time, warnings before and notices after."""
