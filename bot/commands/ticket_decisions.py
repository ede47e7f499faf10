"""Decisions about complaints, what is granted with them, and problems that many customers have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bot.commands import explains_errors
from bot.commands.ticket_desk import acting, choose, complaint_of, explaining_moves, reading, words, working
from crm_store.base import utcnow
from crm_store.errors import NotFound

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from bot.commands.ticket_desk import Desk
    from crm_store.complaints.models import Compensation, Problem
    from crm_store.complaints.resolution import Offer

RIALS_IN_A_TOMAN = 10


@click.command()
@click.argument("code")
@click.option("--decision", help="upheld, partly_upheld or rejected.")
@click.option("--cause", help="Why it happened: the key of a cause in the business file.")
@click.option("--remedy", help="What is done: refund, replacement, …; left out for nothing.")
@click.option("--text", help="What was found and done, as the customer reads it.")
@click.option("--points", type=click.IntRange(1), help="Loyalty points that make up for it.")
@click.option("--tomans", type=click.IntRange(1), help="Money that makes up for it, in tomans.")
@acting
@explains_errors
def resolve(
    *,
    code: str,
    decision: str | None,
    cause: str | None,
    remedy: str | None,
    text: str | None,
    points: int | None,
    tomans: int | None,
    staff_id: int | None,
) -> None:
    """Decide a complaint; the customer is told, and asked whether it is solved.

    What is left out is asked for at a terminal. A compensation above what your role may grant waits for
    approval, and so does telling the customer.
    """
    from crm_store.complaints.models import DECISIONS, REMEDIES
    from crm_store.complaints.resolution import resolve as carry_out
    from crm_store.terms import terms

    if points and tomans:
        raise click.UsageError("say --points or --tomans, not both")
    with reading() as (session, rules):
        complaint_of(session, code)
    names = terms("complaints")
    causes = {one.key: one.title for one in rules.business.complaints.root_causes}
    titles = {key: names["decisions"].get(key, "") for key in DECISIONS}
    # Nobody holds the store while an answer is typed.
    decision = choose("decision", titles, given=decision)
    cause = choose("cause", causes, given=cause) if causes else cause or ""
    remedy = choose("remedy", {key: names["remedies"][key] for key in REMEDIES}, given=remedy, default="")
    text = words("text", given=text)
    offer = _offer(points, tomans)
    with working(staff_id) as desk:
        complaint = complaint_of(desk.session, code)
        with explaining_moves(desk, complaint):
            resolution = carry_out(
                desk.session,
                complaint,
                decision=decision,
                root_cause=cause,
                remedy=remedy,
                explanation=text,
                compensation=offer,
                actor=desk.actor,
                role=desk.role,
                rules=desk.rules,
            )
        waits = _waiting(desk.session, resolution.id) if resolution.state == "proposed" else None
    if waits is None:
        click.echo(f"{complaint.code}: {complaint.state}, {decision}; the customer is told")
    else:
        click.echo(f"{complaint.code}: waits for approval: peyvand tickets approve {waits}")


@click.command()
@click.argument("compensation_id", metavar="ID", type=int)
@acting
@explains_errors
def approve(compensation_id: int, staff_id: int | None) -> None:
    """Approve a compensation; the customer is told of the decision."""
    from crm_store.complaints.resolution import approve as carry_out

    with working(staff_id) as desk:
        found = _compensation(desk, compensation_id)
        carry_out(desk.session, found, actor=desk.actor, role=desk.role, rules=desk.rules)
    click.echo(f"compensation {found.id}: {found.state}")


@click.command()
@click.argument("compensation_id", metavar="ID", type=int)
@click.option("--reason", required=True, help="Why; who asked for it reads it.")
@acting
@explains_errors
def refuse(compensation_id: int, reason: str, staff_id: int | None) -> None:
    """Refuse a compensation; the complaint is to be decided anew."""
    from crm_store.complaints.resolution import refuse as carry_out

    with working(staff_id) as desk:
        found = _compensation(desk, compensation_id)
        carry_out(desk.session, found, actor=desk.actor, role=desk.role, rules=desk.rules, reason=reason)
    click.echo(f"compensation {found.id}: {found.state}")


@click.command()
@click.option("--settle", "settled", type=int, metavar="ID", help="It has been booked or paid.")
@acting
@explains_errors
def compensations(settled: int | None, staff_id: int | None) -> None:
    """List points and money that wait for approval, for booking or for payment."""
    from bot.commands.ticket_tables import Tables
    from crm_store.complaints.queries import compensations_to_deal_with
    from crm_store.complaints.resolution import settle

    if settled is not None:
        with working(staff_id) as desk:
            found = _compensation(desk, settled)
            settle(desk.session, found, actor=desk.actor)
        click.echo(f"compensation {found.id}: {found.state}")
        return
    with reading() as (session, rules):
        rows = compensations_to_deal_with(session)
    if rows:
        Tables(rules, utcnow()).compensations(rows)
    else:
        click.echo("no compensation waits for anything")


@click.group(invoke_without_command=True)
@click.pass_context
@explains_errors
def problems(context: click.Context) -> None:
    """List what many customers have at the moment; answer all of them at once."""
    from bot.commands.ticket_tables import Tables
    from crm_store.complaints.queries import problems_to_deal_with

    if context.invoked_subcommand is not None:
        return
    with reading() as (session, rules):
        rows = problems_to_deal_with(session)
    if rows:
        Tables(rules, utcnow()).problems(rows)
    else:
        click.echo("there is no open problem")


@problems.command()
@click.argument("problem_id", metavar="ID", type=int)
@click.argument("text")
@acting
@explains_errors
def answer(problem_id: int, text: str, staff_id: int | None) -> None:
    """Write to everybody who has a problem; who got the same words already gets them no second time."""
    from crm_store.complaints.problems import answer_problem

    with working(staff_id) as desk:
        problem = _problem(desk, problem_id)
        count = answer_problem(desk.session, problem, text=text, actor=desk.actor, rules=desk.rules)
    click.echo(f"problem {problem_id}: the answer is on its way to {count} chat{'s' * (count != 1)}")


@problems.command()
@click.argument("problem_id", metavar="ID", type=int)
@acting
@explains_errors
def close(problem_id: int, staff_id: int | None) -> None:
    """Close a problem; its complaints go on, each by itself."""
    from crm_store.complaints.problems import close_problem

    with working(staff_id) as desk:
        problem = close_problem(desk.session, _problem(desk, problem_id), actor=desk.actor, rules=desk.rules)
    click.echo(f"problem {problem_id}: {problem.state}")


def _offer(points: int | None, tomans: int | None) -> Offer | None:
    from crm_store.complaints.resolution import Offer

    if points:
        return Offer("points", points)
    return Offer("money", tomans * RIALS_IN_A_TOMAN) if tomans else None


def _waiting(session: Session, resolution_id: int) -> int | None:
    from sqlalchemy import select

    from crm_store.complaints.models import Compensation

    return session.scalar(select(Compensation.id).where(Compensation.resolution_id == resolution_id))


def _compensation(desk: Desk, compensation_id: int) -> Compensation:
    from crm_store.complaints.models import Compensation

    found = desk.session.get(Compensation, compensation_id)
    if found is None:
        raise NotFound(f"no compensation has the number {compensation_id}")
    return found


def _problem(desk: Desk, problem_id: int) -> Problem:
    from crm_store.complaints.models import Problem

    found = desk.session.get(Problem, problem_id)
    if found is None:
        raise NotFound(f"no problem has the number {problem_id}")
    return found
