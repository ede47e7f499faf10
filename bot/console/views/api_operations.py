"""What the API does: purchases and returns, codes of rewards, surveys."""

from __future__ import annotations

from collections import defaultdict

import msgspec

from bot.console.views.api_base import Call, Operation
from bot.console.views.api_bodies import (
    CodeOut,
    CodeUseIn,
    InvitationsIn,
    InvitationsOut,
    LineOut,
    PurchaseIn,
    PurchaseOut,
    ResultsQuery,
    ReturnIn,
    ReturnLineOut,
    ReturnOut,
    SurveyOut,
    SurveysOut,
)
from crm_store.base import utcnow
from crm_store.business.surveys import SurveyDefinition
from crm_store.errors import InvalidInput
from crm_store.loyalty import redemptions
from crm_store.loyalty.codes import grouped
from crm_store.loyalty.ledger import posting_by_key
from crm_store.loyalty.models import ACTIVE, Redemption
from crm_store.loyalty.postings import parts_of
from crm_store.purchases import service as purchases
from crm_store.purchases.models import Purchase, PurchaseReturn
from crm_store.surveys import definitions, lists, planning
from crm_store.surveys.results import SurveyResults, results

_Answer = tuple[int, msgspec.Struct]


def _record_purchase(call: Call) -> _Answer:
    told: PurchaseIn = call.body
    new = purchases.NewPurchase(
        order_id=told.order_id,
        phone=told.phone,
        paid_at=told.paid_at,
        lines=tuple(purchases.NewLine(line.amount_rials, line.title, line.category) for line in told.lines),
        customer_name=told.customer_name,
        customer_ref=told.customer_ref,
    )
    purchase, is_new = purchases.record_purchase(
        call.session, new=new, shop=call.shop, source="api", actor=call.actor, rules=call.rules
    )
    return 201 if is_new else 200, _purchase_out(call, purchase)


def _one_purchase(call: Call) -> _Answer:
    found = purchases.find_purchase(call.session, shop=call.shop, order_id=call.path["order_id"])
    return 200, _purchase_out(call, found)


def _record_return(call: Call) -> _Answer:
    told: ReturnIn = call.body
    lines = told.lines
    rows, is_new = purchases.record_return(
        call.session,
        shop=call.shop,
        order_id=call.path["order_id"],
        return_id=told.return_id,
        lines=None if lines is None else [purchases.ReturnedLine(x.number, x.amount_rials) for x in lines],
        returned_at=told.returned_at,
        actor=call.actor,
        rules=call.rules,
    )
    return 201 if is_new else 200, _return_out(rows)


def _purchase_out(call: Call, purchase: Purchase) -> PurchaseOut:
    earned = posting_by_key(call.session, f"purchase:{purchase.id}")
    left = purchases.left_of(purchase)
    by_id: dict[str, list[PurchaseReturn]] = defaultdict(list)
    for row in purchase.returns:
        by_id[row.return_id].append(row)
    return PurchaseOut(
        shop=purchase.shop,
        order_id=purchase.order_id,
        paid_at=purchase.paid_at,
        total_rials=purchase.total,
        points=sum(one.points - one.debt for one in parts_of(call.session, earned)) if earned else 0,
        lines=[
            LineOut(line.number, line.title, line.category, line.amount, line.amount - left[line.number])
            for line in purchase.lines
        ],
        returns=[_return_out(rows) for rows in by_id.values()],
    )


def _return_out(rows: list[PurchaseReturn]) -> ReturnOut:
    return ReturnOut(
        return_id=rows[0].return_id,
        returned_at=rows[0].returned_at,
        total_rials=sum(row.amount for row in rows),
        lines=[ReturnLineOut(row.line_number, row.amount) for row in rows],
    )


def _one_code(call: Call) -> _Answer:
    return 200, _code_out(redemptions.find(call.session, code=call.path["code"]))


def _use_code(call: Call) -> _Answer:
    told: CodeUseIn = call.body
    used = redemptions.use_code(
        call.session, code=call.path["code"], actor=call.actor, used_for=told.order_id or ""
    )
    return 200, _code_out(used)


def _code_out(found: Redemption) -> CodeOut:
    is_over = found.expires_at is not None and found.expires_at <= utcnow()
    return msgspec.convert(
        {
            "code": grouped(found.code),
            "reward": found.reward,
            "title": found.title,
            "worth_rials": found.worth,
            "state": found.state,
            "can_be_used": found.state == ACTIVE and not is_over,
            "expires_at": found.expires_at,
            "used_at": found.used_at,
        },
        CodeOut,
    )


def _all_surveys(call: Call) -> _Answer:
    found = definitions.listed(call.session, rules=call.rules)
    return 200, SurveysOut([_survey_out(one) for one in found])


def _set_survey(call: Call) -> _Answer:
    told: SurveyDefinition = call.body
    if told.key != call.path["key"]:
        raise InvalidInput("key: it is another one than in the address")
    definitions.set_by_api(call.session, definition=told, rules=call.rules, actor=call.actor)
    found = definitions.listed(call.session, rules=call.rules)
    return 200, next(_survey_out(one) for one in found if one.definition.key == told.key)


def _survey_out(one: definitions.Listed) -> SurveyOut:
    return msgspec.convert(
        {"origin": one.origin, "version": one.version, "survey": one.definition}, SurveyOut
    )


def _results(call: Call) -> _Answer:
    told: ResultsQuery = call.query
    return 200, results(
        call.session,
        key=call.path["key"],
        rules=call.rules,
        since=told.since,
        until=told.until,
        by=told.by,
    )


def _invite(call: Call) -> _Answer:
    told: InvitationsIn = call.body
    named = lists.customers_named(call.session, lines=told.phones)
    plan = planning.plan_for_list(
        call.session, key=call.path["key"], customer_ids=named.customer_ids, rules=call.rules
    )
    return 200, InvitationsOut(len(plan.planned), plan.left_out, len(named.unreadable), len(named.unknown))


_ONE_PURCHASE, _ONE_CODE, _ONE_SURVEY = "/purchases/{order_id}", "/rewards/codes/{code}", "/surveys/{key}"
OPERATIONS = (
    Operation(
        "POST", "/purchases", "recordPurchase", "Tell of an order that was paid", "purchases",
        _record_purchase,
        {201: (PurchaseOut, "It is kept"), 200: (PurchaseOut, "It was told before")},
        (409,), body=PurchaseIn, writes=True,
    ),
    Operation(
        "GET", _ONE_PURCHASE, "getPurchase", "Look at an order", "purchases", _one_purchase,
        {200: (PurchaseOut, "The order")}, (404,),
    ),
    Operation(
        "POST", f"{_ONE_PURCHASE}/returns", "recordReturn", "Tell what of an order came back", "purchases",
        _record_return,
        {201: (ReturnOut, "It is kept"), 200: (ReturnOut, "It was told before")},
        (404, 409), body=ReturnIn, writes=True,
    ),
    Operation(
        "GET", _ONE_CODE, "getCode", "Look what a reward's code is for", "rewards", _one_code,
        {200: (CodeOut, "The code")}, (404,),
    ),
    Operation(
        "POST", f"{_ONE_CODE}/use", "useCode", "Take a code; it can be taken once", "rewards", _use_code,
        {200: (CodeOut, "It is taken")}, (404, 409, 410), body=CodeUseIn, writes=True, needs_body=False,
    ),
    Operation(
        "GET", "/surveys", "listSurveys", "List the surveys", "surveys", _all_surveys,
        {200: (SurveysOut, "The surveys")},
    ),
    Operation(
        "PUT", _ONE_SURVEY, "setSurvey", "Set a survey; other content makes another version", "surveys",
        _set_survey, {200: (SurveyOut, "The survey as it is now")}, body=SurveyDefinition, writes=True,
    ),
    Operation(
        "GET", f"{_ONE_SURVEY}/results", "getResults", "What a survey has brought", "surveys", _results,
        {200: (SurveyResults, "The results")}, (404,), query=ResultsQuery,
    ),
    Operation(
        "POST", f"{_ONE_SURVEY}/invitations", "inviteToSurvey", "Ask customers by their phones", "surveys",
        _invite, {200: (InvitationsOut, "Who will be asked")}, (404,), body=InvitationsIn, writes=True,
    ),
)  # fmt: skip
