"""The customers' club: accounts with their statements, rewards and their stock, and the codes to take."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import msgspec
from aiohttp import web
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.console.allowed import allowed
from bot.console.desk import Desk, Refusal, Refused, carry_out, id_of, number_of, render_form, working
from bot.console.forms import own_form, see_other
from bot.console.looking import look_through, look_up, need_reason, standing
from bot.console.pages import reading, render, rules_of
from bot.console.ticket_pages import words_of
from crm_store.business.loyalty import Reward
from crm_store.customers.models import Customer
from crm_store.errors import Conflict, InvalidTransition, NotFound, TooLate
from crm_store.loyalty import ledger, redemptions
from crm_store.loyalty.balance import Balance, balance_of, history_of
from crm_store.loyalty.models import ACTIVE, LedgerPosting, LedgerProof, Redemption, RewardStock
from crm_store.loyalty.raffles import all_raffles
from crm_store.rules import Rules
from crm_store.staff.models import ROLES, StaffMember
from crm_store.staff.points import Room, room_of

PATH = "/console/club"
ACCOUNT = "/club/accounts/{id:[0-9]{1,18}}"
CODE = "/club/codes/{id:[0-9]{1,18}}"
_PAGE = 25

routes = web.RouteTableDef()


class RewardRow(msgspec.Struct, frozen=True):
    """A reward with its stock.

    Attributes:
        given: how many were taken.
        waiting: how many codes were not used yet.
        left: how many are left; None for any number.
    """

    reward: Reward
    given: int
    waiting: int
    left: int | None


class Account(msgspec.Struct, frozen=True):
    """A customer's points.

    Attributes:
        postings: a page of the statement, newest first.
        next_before_id: of the page with older ones; None when there is none.
        room: what whoever looks may give or take.
    """

    customer: Customer
    balance: Balance
    postings: list[LedgerPosting]
    next_before_id: int | None
    codes: list[Redemption]
    room: Room
    members: dict[str, str]


@routes.get("/club")
@allowed("club.view")
async def club(request: web.Request) -> web.StreamResponse:
    """Rewards with their stock, the ledger's last proof, and the ways to accounts, codes and raffles."""
    rules = rules_of(request)

    def look(session: Session) -> tuple[list[RewardRow], LedgerProof | None, dict[str, int]]:
        proof = session.scalar(select(LedgerProof).order_by(LedgerProof.id.desc()).limit(1))
        states = [raffle.state for raffle in all_raffles(session)]
        return _rewards(session, rules), proof, {state: states.count(state) for state in set(states)}

    rewards, proof, raffles = await reading(request, look)
    return render(
        request,
        "club.html",
        rewards=rewards,
        proof=proof,
        raffles=raffles,
        loyalty=rules.business.loyalty,
    )


@routes.get(ACCOUNT)
@allowed("club.view")
async def account(request: web.Request) -> web.StreamResponse:
    """A customer's points and where they came from; who looked is written down."""
    return await _account_page(request)


@routes.post(f"{ACCOUNT}/adjust")
@allowed("points.adjust")
async def adjust(request: web.Request) -> web.StreamResponse:
    """Give points or take some, within the limits of the role; a form that is sent twice counts once."""
    fields, customer_id = await own_form(request), int(request.match_info["id"])

    def work(desk: Desk) -> None:
        points = number_of(fields.get("points", ""))
        reason = words_of(fields, "reason", refusal="reason_missing")
        if points is None or points <= 0 or not fields.get("key", "").isalnum():
            raise Refused("amount_wrong")
        points = -points if fields.get("way") == "take" else points
        key = f"console-adjust:{fields['key'][:40]}"
        # Two forms of one member do not both use the same room.
        desk.session.get_one(StaffMember, desk.staff.id, with_for_update=True)
        if ledger.posting_by_key(desk.session, key) is None:
            room = room_of(desk.session, staff=desk.staff, rules=desk.rules, now=desk.now)
            if not room.allows(points):
                raise Refused("above_limit")
        ledger.adjust(
            desk.session,
            customer_id=standing(desk, customer_id).id,
            points=points,
            reason=reason,
            actor=desk.actor,
            role=ROLES[-1],  # the limits were looked at above
            rules=desk.rules,
            key=key,
            now=desk.now,
        )

    back = f"{PATH}/accounts/{customer_id}"
    again = partial(_account_page, request)
    return await carry_out(
        request, fields, work, "points.adjust", back=back, done="points_changed", again=again
    )


@routes.get("/club/codes")
@allowed("rewards.burn")
async def codes(request: web.Request) -> web.StreamResponse:
    """Where the code that a customer shows is typed, and the codes that were taken last; audited."""
    return await _codes_page(request)


@routes.post("/club/codes")
@allowed("rewards.burn")
async def find_code(request: web.Request) -> web.StreamResponse:
    """Lead to the page of a code, which stays as it is."""
    fields = await own_form(request)

    def look(desk: Desk) -> int:
        return redemptions.find(desk.session, code=fields.get("code", "")).id

    try:
        found = await working(request, look, "rewards.burn")
    except NotFound:
        return await _codes_page(request, is_unknown=True)
    return see_other(f"{PATH}/codes/{found}")


@routes.get(CODE)
@allowed("rewards.burn")
async def code(request: web.Request) -> web.StreamResponse:
    """One code, with what can be done with it; who looked is written down."""
    return await _code_page(request)


@routes.post(f"{CODE}/use")
@allowed("rewards.burn")
async def use(request: web.Request) -> web.StreamResponse:
    """Take a code, once."""
    fields = await own_form(request)

    def work(desk: Desk, found: Redemption) -> None:
        order = fields.get("order", "")[:100]
        try:
            redemptions.use_code(
                desk.session, code=found.code, actor=desk.actor, used_for=order, now=desk.now
            )
        except TooLate as error:
            raise Refused("code_over") from error
        except InvalidTransition as error:
            raise Refused("code_used") from error

    return await _about_code(request, fields, work, done="code_used")


@routes.post(f"{CODE}/cancel")
@allowed("club.manage")
async def cancel(request: web.Request) -> web.StreamResponse:
    """Give the points of an unused code back; the customer is told."""
    fields = await own_form(request)

    def work(desk: Desk, found: Redemption) -> None:
        try:
            redemptions.cancel(desk.session, redemption_id=found.id, actor=desk.actor, now=desk.now)
        except InvalidTransition as error:
            raise Refused("code_used") from error

    return await _about_code(request, fields, work, "club.manage", done="code_cancelled")


async def _about_code(
    request: web.Request,
    fields: dict[str, str],
    work: Callable[[Desk, Redemption], None],
    permission: str = "rewards.burn",
    *,
    done: str,
) -> web.StreamResponse:
    number = int(request.match_info["id"])

    def unit(desk: Desk) -> None:
        found = desk.session.get(Redemption, number)
        if found is None:
            raise NotFound("there is no such code")
        if found.state != fields.get("state", ""):
            raise Conflict("somebody took it meanwhile")
        work(desk, found)

    again = partial(_code_page, request)
    return await carry_out(
        request, fields, unit, permission, back=f"{PATH}/codes/{number}", done=done, again=again
    )


async def _account_page(request: web.Request, refusal: Refusal | None = None) -> web.StreamResponse:
    customer_id, before = int(request.match_info["id"]), id_of(request.query.get("before", ""))

    def look(desk: Desk) -> Account:
        customer = standing(desk, customer_id)
        look_up(desk, customer.id, page="points")
        soon = timedelta(days=desk.rules.business.loyalty.expiring_soon_days)
        postings = history_of(desk.session, customer_id=customer.id, limit=_PAGE + 1, before_id=before)
        return Account(
            customer=customer,
            balance=balance_of(desk.session, customer_id=customer.id, soon=soon, now=desk.now),
            postings=postings[:_PAGE],
            next_before_id=postings[_PAGE - 1].id if len(postings) > _PAGE else None,
            codes=redemptions.redemptions_of(desk.session, customer_id=customer.id),
            room=room_of(desk.session, staff=desk.staff, rules=desk.rules, now=desk.now),
            members=_members(desk.session),
        )

    found = await working(request, look, "club.view")
    if found.customer.id != customer_id:
        raise web.HTTPSeeOther(f"{PATH}/accounts/{found.customer.id}")
    return render_form(
        request,
        "account.html",
        refusal,
        found=found,
        key=refusal.fields.get("key", "") if refusal else secrets.token_hex(12),
        is_first=before is None,
    )


async def _codes_page(request: web.Request, *, is_unknown: bool = False) -> web.StreamResponse:
    def look(desk: Desk) -> list[tuple[Redemption, Customer]]:
        look_through(desk, "codes")
        used = (
            select(Redemption, Customer)
            .join(Customer, Redemption.customer_id == Customer.id)
            .where(Redemption.used_at.is_not(None))
            .order_by(Redemption.used_at.desc())
            .limit(_PAGE)
        )
        return [(redemption, customer) for redemption, customer in desk.session.execute(used)]

    latest = await working(request, look, "rewards.burn")
    status = 422 if is_unknown else 200
    return render(request, "codes.html", status=status, latest=latest, is_unknown=is_unknown)


async def _code_page(request: web.Request, refusal: Refusal | None = None) -> web.StreamResponse:
    number = int(request.match_info["id"])

    def look(desk: Desk) -> tuple[Redemption, Customer, bool, dict[str, str]]:
        found = desk.session.get(Redemption, number)
        if found is None:
            raise NotFound("there is no such code")
        need_reason(desk, found.customer_id)
        desk.audit("redemption.viewed", target_type="redemption", target_id=found.id)
        is_over = found.expires_at is not None and found.expires_at <= desk.now
        customer = desk.session.get_one(Customer, found.customer_id)
        return found, customer, found.state == ACTIVE and not is_over, _members(desk.session)

    found, customer, can_be_used, members = await working(request, look, "rewards.burn")
    return render_form(
        request,
        "code_of_reward.html",
        refusal,
        found=found,
        customer=customer,
        can_be_used=can_be_used,
        is_active=found.state == ACTIVE,
        members=members,
    )


def _rewards(session: Session, rules: Rules) -> list[RewardRow]:
    given = dict(session.execute(select(RewardStock.reward, RewardStock.taken)).tuples().all())
    active = (
        select(Redemption.reward, func.count()).where(Redemption.state == ACTIVE).group_by(Redemption.reward)
    )
    waiting = dict(session.execute(active).tuples().all())
    return [
        RewardRow(
            one,
            given.get(one.key, 0),
            waiting.get(one.key, 0),
            None if one.stock is None else max(0, one.stock - given.get(one.key, 0)),
        )
        for one in rules.business.loyalty.rewards
    ]


def _members(session: Session) -> dict[str, str]:
    rows = session.execute(select(StaffMember.id, StaffMember.name, StaffMember.login)).tuples()
    return {f"staff:{id_}": name or login or str(id_) for id_, name, login in rows}
