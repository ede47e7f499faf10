"""Finding the customer whom a request of the staff's is about, and keeping count of who looked at whom."""

from __future__ import annotations

from dataclasses import replace

from actions.staff_desk import GOES_ON, Desk, go, go_on_with_parked, park
from actions.staff_tasks import CHOICE, KINDS, TEXT, Answer, Kind, Step, Task, any_text, asking, begin, put
from actions.staff_words import AREA, SAID
from actions.texts import button, fragment, words
from actions.turn import Turn
from crm_store.customers.finding import NAME, Found, find
from crm_store.customers.models import Customer
from crm_store.staff import focus as focuses
from crm_store.terms import term, terms

REASON, QUERY = "reason", "query"
#: So many are offered to choose from.
OFFERED = 8
#: What names a customer beyond doubt, in the order in which it is looked for.
_FIRM = ("phone_number", "ticket_code", "order_number")


def find_customer(desk: Desk) -> None:
    """Find somebody and show their card; several are offered, nobody is said."""
    query = query_in(desk.turn)
    if not query:
        begin(desk, QUERY)
    elif may_look(desk):
        _show_found(desk, find(desk.session, text=query, limit=OFFERED))


def customer_for(desk: Desk, permission: str) -> int | None:
    """The customer whom a request is about: who is named in it, or who was spoken of last.

    Returns:
        None where they are still to be told, a reason is still to be given, or it is not allowed; that was
        said.
    """
    if not desk.may(permission):
        return None
    query = "" if desk.settled else named_in(asking_part(desk.turn))
    if query:
        found = find(desk.session, text=query, limit=OFFERED)
        if len(found) == 1 and not _may_be_told_of(desk, found[0], permission):
            return found[0].customer_id if open_customer(desk, found[0].customer_id) else None
        if found:
            _offer(desk, found)
            return None
        # A name that nobody has may be of somebody else: a colleague, a courier.
        if desk.focus.customer_id is None or named_firmly(asking_part(desk.turn)):
            _tell_nobody(desk)
            return None
    known = desk.focus.customer_id
    if known is None:
        park(desk)
        begin(desk, QUERY)
        return None
    return known if open_customer(desk, known) else None


def open_customer(desk: Desk, customer_id: int) -> bool:
    """Have a customer in mind and write down that they were looked at; False where a reason comes first."""
    given = desk.focus.data.get(focuses.REASON) or {}
    if desk.rules.business.staff.asks_reason:
        covered = given.get("customers")
        if not given or (covered is not None and customer_id not in covered):
            park(desk, customer_id=customer_id)
            begin(desk, REASON)
            return False
        if covered is None:
            focuses.keep(desk.focus, focuses.REASON, {**given, "customers": [customer_id]})
    desk.note_look(customer_id, **{"for": desk.turn.intent})
    focuses.turn_to(desk.focus, customer_id=customer_id)
    return True


def cover(desk: Desk, customer_id: int) -> None:
    """Take the call for the reason to look at who calls, where a reason is asked for."""
    given = desk.focus.data.get(focuses.REASON) or {}
    covered = given.get("customers")
    if desk.rules.business.staff.asks_reason and (not given or customer_id not in (covered or [customer_id])):
        text = term(AREA, "look_up_reasons", "call") or "call"
        focuses.keep(desk.focus, focuses.REASON, {"text": text, "customers": [customer_id]})


def _offer(desk: Desk, found: list[Found]) -> None:
    """Ask whom of several is meant, or whether a note is for who is in mind rather than for the one found.

    The request goes on with whoever is chosen. A reason comes first.
    """
    park(desk)
    offered = found if len(found) > 1 else [_in_mind(desk), *found]
    if not _may_list(desk, offered):
        return
    buttons = _buttons(desk, offered, GOES_ON)
    if len(found) > 1:
        desk.reply.utter("utter_staff_which_customer", count=len(found), buttons=buttons)
    else:
        desk.reply.utter("utter_staff_which_for_note", buttons=buttons)


def _may_be_told_of(desk: Desk, found: Found, permission: str) -> bool:
    """Whether a note may tell of who is named in it rather than be theirs: «که خواهرش خانم کریمی زنگ می‌زنه».

    Who is named before a colon or by a number is beyond doubt whom it is for.
    """
    turn = desk.turn
    is_unclear = permission == "customer.note" and not SAID.search(turn.text) and not named_firmly(turn)
    return is_unclear and desk.focus.customer_id not in (None, found.customer_id)


def _in_mind(desk: Desk) -> Found:
    known = desk.session.get_one(Customer, desk.focus.customer_id)
    name = known.full_name or known.display_name
    return Found(customer_id=known.id, name=name, phone="", matched_by=NAME, score=0, tier="")


def _may_list(desk: Desk, found: list[Found]) -> bool:
    """Whether several may be shown; False where a reason comes first, which then holds for all of them."""
    ids = [one.customer_id for one in found]
    if desk.rules.business.staff.asks_reason:
        given = desk.focus.data.get(focuses.REASON)
        if given is None or given["customers"] is not None:
            begin(desk, REASON)
            return False
        focuses.keep(desk.focus, focuses.REASON, {**given, "customers": ids})
    _note_search(desk, ids)
    return True


def _note_search(desk: Desk, ids: list[int]) -> None:
    """Write down who was found, with the reason that was given."""
    given = desk.focus.data.get(focuses.REASON)
    detail = {"customers": ids, **({"reason": given["text"]} if given else {})}
    desk.audit("customer.searched", target_type="customer", target_id="", **detail)


def open_chosen(desk: Desk, customer_id: int) -> bool:
    """Go on with the request that asked whom it is about; whether there was one."""
    kept = desk.focus.data.get(focuses.PARKED)
    if kept is None:
        return False
    kept = {**kept, "customer": customer_id, "ticket": None, "settled": True}
    focuses.keep(desk.focus, focuses.PARKED, kept)
    return go_on_with_parked(desk)


def may_look(desk: Desk) -> bool:
    """Whether a search may be made; False where a reason comes first."""
    if not desk.rules.business.staff.asks_reason or desk.settled:
        return True
    focuses.keep(desk.focus, focuses.REASON, None)
    park(desk.again_as(settled=True))
    begin(desk, REASON)
    return False


def query_in(turn: Turn) -> str:
    """What somebody is to be found by: a number or a name, or the words that are left."""
    firm = named_in(turn)
    if firm or turn.trusted:
        return firm
    asking = {word for phrase in terms(AREA)["finding"] for word in words(str(phrase))}
    return " ".join(word for word in turn.text.split() if not all(one in asking for one in words(word)))


def asking_part(turn: Turn) -> Turn:
    """A request without what stands behind a colon: of whom a note tells is not whom it is about."""
    before = SAID.split(turn.text, maxsplit=1)[0]
    if before == turn.text:
        return turn
    said = [one for one in turn.found if one.start >= len(before)]
    entities = dict(turn.entities)
    for one in said:
        entities[one.entity] = tuple(value for value in entities.get(one.entity, ()) if value != one.value)
    return replace(turn, entities=entities)


def named_in(turn: Turn) -> str:
    """A phone, a code, an order or else the first name that stands in a request; empty for none."""
    firm = named_firmly(turn)
    return firm or ((turn.entity("person_name") or "") if not turn.trusted else "")


def named_firmly(turn: Turn) -> str:
    """A phone, a code or an order that stands in a request; empty for none."""
    return next((value for name in _FIRM if not turn.trusted and (value := turn.entity(name))), "")


def _show_found(desk: Desk, found: list[Found]) -> None:
    ids = [one.customer_id for one in found]
    given = desk.focus.data.get(focuses.REASON)
    if given is not None:
        focuses.keep(desk.focus, focuses.REASON, {**given, "customers": ids})
    _note_search(desk, ids)
    if not found:
        _tell_nobody(desk)
    elif len(found) == 1:
        _open(desk, found[0].customer_id)
    else:
        buttons = _buttons(desk, found, "")
        desk.reply.utter("utter_staff_which_customer", count=len(found), buttons=buttons)


def _open(desk: Desk, customer_id: int) -> None:
    opening = desk.again_as(
        intent="staff_open", text="", trusted=True, entities={"customer": (str(customer_id),)}, found=()
    )
    opening.run(opening)


def _buttons(desk: Desk, found: list[Found], goes_on: str) -> list[dict[str, str]]:
    more = {GOES_ON: goes_on} if goes_on else {}
    return [
        button(_title(desk, one), "staff_open", customer=str(one.customer_id), **more)
        for one in found[:OFFERED]
    ]


def _title(desk: Desk, one: Found) -> str:
    name = one.name or term(AREA, "words", "nameless") or ""
    if one.phone:
        return str(fragment("utter_staff_customer_button", name=name, phone=desk.phone(one.phone)))
    return str(fragment("utter_staff_customer_button_without_phone", name=name))


def _tell_nobody(desk: Desk) -> None:
    buttons = [go("search_again", "staff_find_customer")]
    if desk.can("ticket.register"):
        buttons.append(go("register", "staff_register"))
    desk.reply.utter("utter_staff_nobody_found", buttons=buttons)


def _found_by(desk: Desk, _task: Task, answer: Answer) -> str | None:
    """Whatever was typed to find somebody by, unless nobody is found and it asks for something else."""
    text = answer.text.strip()
    ranking = [one for one in desk.turn.ranking if one[0] != desk.turn.intent]
    is_other = bool(ranking) and ranking[0][0].startswith("staff_") and ranking[0][0] != "staff_find_customer"
    if not text or (is_other and not find(desk.session, text=query_in(desk.turn) or text, limit=1)):
        return None
    return text


def _search(desk: Desk, task: Task) -> None:
    text = str(task.data[QUERY])
    parked = desk.focus.data.get(focuses.PARKED)
    if parked is None:
        # As if it had been said along with the request.
        asked = desk.again_as(intent="staff_find_customer", text=text, trusted=False)
        asked.run(asked)
        return
    found = find(desk.session, text=query_in(desk.turn) or text, limit=OFFERED)
    if len(found) == 1:
        open_chosen(desk, found[0].customer_id)
    elif not found:
        _tell_nobody(desk)
    elif _may_list(desk, found):
        buttons = _buttons(desk, found, GOES_ON)
        desk.reply.utter("utter_staff_which_customer", count=len(found), buttons=buttons)


def _note_reason(desk: Desk, task: Task) -> None:
    if desk.focus.data.get(focuses.PARKED) is None:
        # The look-up was left with another request; its reason is none for the next.
        desk.reply.utter("utter_staff_step_over")
        return
    focuses.keep(desk.focus, focuses.REASON, {"text": str(task.data[REASON])[:500], "customers": None})
    go_on_with_parked(desk)


def _reason(desk: Desk, task: Task, answer: Answer) -> str | None:
    return term(AREA, "look_up_reasons", answer.value) if answer.value else any_text(desk, task, answer)


def _ask_reason(desk: Desk, task: Task, step: Step) -> None:
    choices = [(title, key) for key, title in terms(AREA)["look_up_reasons"].items()]
    put(desk, task, step, "utter_staff_ask_reason", choices=choices)


KINDS[QUERY] = Kind(
    "customer.find",
    (Step(QUERY, CHOICE, asking("utter_staff_ask_whom"), _found_by),),
    _search,
)
KINDS[REASON] = Kind("customer.find", (Step(REASON, TEXT, _ask_reason, _reason),), _note_reason)
