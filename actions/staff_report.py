"""How a period went, in numbers and with a picture: the business's, a colleague's or one's own work."""

from __future__ import annotations

from sqlalchemy import select

from actions.staff_desk import Desk, go
from actions.staff_words import AREA, has
from actions.survey_report import asks_for_surveys, moment_of, period_of, period_text, report_surveys
from actions.texts import Rich, fragment
from crm_store.errors import InvalidInput
from crm_store.overview.report import Report, picture_of, report
from crm_store.persian import to_persian_digits, toman_text
from crm_store.pictures import REPORT
from crm_store.staff.colleagues import named_in
from crm_store.staff.models import StaffMember
from crm_store.terms import term


def tell_report(desk: Desk) -> None:
    """Report on a period, on this month if none is named."""
    turn = desk.turn
    if not turn.trusted and asks_for_surveys(turn.text):
        if desk.may("surveys.view"):
            report_surveys(turn, desk.session, desk.reply)
        return
    whose = _whose(desk)
    if (whose is None or whose.id != desk.staff.id) and not desk.may("report.view"):
        return
    first, after = period_of(turn)
    when = period_text(first, after)
    try:
        told = report(
            desk.session,
            since=moment_of(first),
            until=moment_of(after),
            rules=desk.rules,
            staff_id=whose.id if whose is not None else None,
        )
    except InvalidInput:
        desk.reply.utter("utter_staff_report_period")
        return
    title = _title(whose)
    desk.reply.utter(
        "utter_staff_report",
        title=title,
        when=when,
        lines=Rich("\n".join(_lines(told))),
        picture=(REPORT, picture_of(told, title=f"{title}، {when}", business=desk.rules.business.name)),
        buttons=_buttons(desk, whose),
    )


def _whose(desk: Desk) -> StaffMember | None:
    """Whose work is asked about; None for everybody's."""
    turn = desk.turn
    if not desk.can("report.view") or turn.entity("view") == "own":
        return desk.staff
    if turn.trusted:
        return None
    if has("own_work", turn.text):
        return desk.staff
    here = select(StaffMember).where(StaffMember.disabled_at.is_(None), StaffMember.name != "")
    named = named_in(turn.text, desk.session.scalars(here.order_by(StaffMember.id)).all())
    return named[0] if len(named) == 1 else None


def _title(whose: StaffMember | None) -> str:
    if whose is None:
        return term(AREA, "words", "report_of_all") or ""
    return str(fragment("utter_staff_report_of", name=whose.name or whose.login or ""))


def _lines(told: Report) -> list[Rich]:
    return [
        fragment(
            "utter_staff_report_complaints_line",
            opened=told.complaints_opened,
            resolved=told.complaints_resolved,
            breached=told.complaints_breached,
            open=told.complaints_open,
        ),
        *_minutes("utter_staff_report_answer_line", told.first_answer_minutes),
        *(
            [fragment("utter_staff_report_services_line", asked=told.service_requests, done=told.visits_done)]
            if told.service_requests or told.visits_done
            else []
        ),
        *(
            [fragment("utter_staff_report_handoffs_line", asked=told.handoffs, claimed=told.handoffs_claimed)]
            if told.handoffs
            else []
        ),
        *_minutes("utter_staff_report_waiting_line", told.handoff_wait_minutes),
        *(
            [fragment("utter_staff_report_calls_line", count=told.callbacks_done)]
            if told.callbacks_done
            else []
        ),
        *_opinions(told),
        *(
            [fragment("utter_staff_report_points_line", points=told.points_given)]
            if told.points_given
            else []
        ),
        *(
            [
                fragment(
                    "utter_staff_report_purchases_line",
                    count=told.purchases,
                    amount=toman_text(told.purchases_rials),
                )
            ]
            if told.purchases
            else []
        ),
    ]


def _opinions(told: Report) -> list[Rich]:
    lines = []
    if told.csat is not None:
        share = to_persian_digits(f"{100 * told.csat:.0f}")
        lines.append(fragment("utter_staff_report_csat_line", share=share, count=told.csat_answers))
    if told.nps is not None:
        lines.append(fragment("utter_staff_report_nps_line", score=to_persian_digits(f"{told.nps:.0f}")))
    return lines


def _minutes(response: str, minutes: int | None) -> list[Rich]:
    return [fragment(response, minutes=minutes)] if minutes is not None else []


def _buttons(desk: Desk, whose: StaffMember | None) -> list[dict[str, str]]:
    if whose is None:
        return [go("own_report", "staff_report", view="own"), go("queue", "staff_my_queue")]
    if desk.can("report.view"):
        return [go("report_of_all", "staff_report", view="all"), go("queue", "staff_my_queue")]
    return [go("queue", "staff_my_queue")]
