"""Tracking codes of tickets: one code, one ticket, whatever its kind."""

from __future__ import annotations

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from crm_store.complaints.models import Complaint
from crm_store.persian import new_tracking_code
from crm_store.service_requests.models import ServiceRequest

_TRIES = 20


def new_ticket_code(session: Session) -> str:
    """A random code that no complaint and no service request has.

    Somebody else may take it before the caller does, though that is as unlikely as meeting a taken one: the
    unique code of each table then refuses it, and another one is drawn.

    Raises:
        RuntimeError: no free code was found, which means that nearly all are taken.
    """
    for _ in range(_TRIES):
        code = new_tracking_code()
        taken = exists().where(Complaint.code == code) | exists().where(ServiceRequest.code == code)
        if not session.scalar(select(taken)):
            return code
    raise RuntimeError("no free tracking code was found")
