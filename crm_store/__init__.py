"""The CRM store: what Peyvand knows and promises, kept in SQLite or PostgreSQL.

Services are plain synchronous functions that take a session and never commit; the edges
(an action run, a console request, a relay step) own the unit of work.
"""
