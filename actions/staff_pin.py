"""The PIN that comes before everything else after a pause, and choosing the first one."""

from __future__ import annotations

from actions.staff_desk import Desk, go_on_with_parked, park
from actions.staff_words import AREA
from actions.texts import is_one_of
from crm_store.errors import InvalidInput
from crm_store.staff import focus as focuses
from crm_store.staff import pin
from crm_store.tickets.expecting import STAFF

ANSWER = "staff_answer"
#: What an answer says it is to: the PIN, or a first one that is chosen.
ASKED, CHOSEN = "pin:ask", "pin:choose"


def passes(desk: Desk) -> bool:
    """Whether a request may go on; otherwise it waits, and what comes first was asked or told."""
    state = pin.gate(desk.account, desk.staff, rules=desk.rules)
    step = desk.turn.entity("step") if desk.turn.intent == ANSWER else None
    if step in (ASKED, CHOSEN):
        _take(desk, step)
        return False
    if state == pin.FREE:
        pin.note_activity(desk.account)
        return True
    if state in (pin.LOCKED, pin.MISSING):
        desk.reply.utter("utter_staff_pin_locked" if state == pin.LOCKED else "utter_staff_pin_missing")
        return False
    park(desk)
    if state == pin.ASK:
        desk.reply.utter("utter_staff_pin", expects=(STAFF, ASKED))
    else:
        desk.reply.utter("utter_staff_pin_choose", expects=(STAFF, CHOSEN))
    return False


def _take(desk: Desk, step: str) -> None:
    """Take what was typed for a PIN; it stays readable nowhere."""
    typed = pin.typed_in(desk.session, inbox_id=desk.turn.inbox_id)
    if is_one_of(AREA, "dropping", typed):
        focuses.keep(desk.focus, focuses.PARKED, None)
        desk.reply.utter("utter_staff_dropped")
        return
    pin.hide_in(desk.session, inbox_id=desk.turn.inbox_id)
    state = pin.gate(desk.account, desk.staff, rules=desk.rules)
    if state in (pin.LOCKED, pin.MISSING):
        desk.reply.utter("utter_staff_pin_locked" if state == pin.LOCKED else "utter_staff_pin_missing")
    elif step == ASKED and state == pin.ASK and typed == pin.HIDDEN:
        # The same message again is no second try: it was hidden when it was first taken.
        _tell(desk, is_right=False)
    elif step == ASKED and state == pin.ASK and pin.read_pin(typed) is None:
        desk.reply.utter("utter_staff_pin_unread", expects=(STAFF, ASKED))
    elif step == ASKED:
        is_right = state != pin.ASK or pin.try_pin(desk.session, desk.account, text=typed)
        _tell(desk, is_right=is_right)
    elif state == pin.CHOOSE:
        try:
            pin.choose_pin(desk.session, desk.account, text=typed)
        except InvalidInput:
            desk.reply.utter("utter_staff_pin_unfit", expects=(STAFF, CHOSEN))
        else:
            desk.reply.utter("utter_staff_pin_chosen")
            go_on_with_parked(desk)
    else:
        _tell(desk, is_right=True)


def _tell(desk: Desk, *, is_right: bool) -> None:
    if is_right:
        if not go_on_with_parked(desk):
            desk.reply.utter("utter_staff_pin_right")
    elif desk.account.pin_failures >= pin.TRIES:
        focuses.keep(desk.focus, focuses.PARKED, None)
        desk.reply.utter("utter_staff_pin_locked")
    else:
        left = pin.TRIES - desk.account.pin_failures
        desk.reply.utter("utter_staff_pin_wrong", left=left, expects=(STAFF, ASKED))
