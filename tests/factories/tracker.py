"""The dialogue's memory, as Rasa's SQLTrackerStore makes and fills it."""

from __future__ import annotations

import json

from sqlalchemy import create_engine, text


def make_tracker(url: str) -> None:
    """The table of Rasa's SQLTrackerStore, as it makes it."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(
            text(
                "CREATE TABLE events (id INTEGER NOT NULL PRIMARY KEY, sender_id VARCHAR(255) NOT NULL,"
                " type_name VARCHAR(255) NOT NULL, timestamp FLOAT, intent_name VARCHAR(255),"
                " action_name VARCHAR(255), data TEXT)"
            )
        )
    engine.dispose()


def remember(url: str, *, conversation_id: int, said: str, at: float, kind: str = "user") -> None:
    """An event as Rasa keeps it: JSON with everything but ASCII escaped."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO events (sender_id, type_name, timestamp, data)"
                " VALUES (:sender, :kind, :at, :data)"
            ),
            {
                "sender": str(conversation_id),
                "kind": kind,
                "at": at,
                "data": json.dumps({"event": kind, "text": said}),
            },
        )
    engine.dispose()
