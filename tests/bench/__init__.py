"""Measurements: `make bench` prints them beside those of the stock pipeline of `rasa init`."""
