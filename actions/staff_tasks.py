"""What takes a member of staff several steps: its questions, one after the other, and what ends it.

The steps' answers stand in the store beside what the member has in mind (`crm_store.staff.focus`), so neither
a restart nor a look at something else loses them. An answer is a button of ours, or what was typed straight
after the question (bot/nlu/expected_staff.py): a text that was asked for is taken as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from actions.base import Event
from actions.staff_desk import Desk, go
from actions.staff_words import named_choice, number_in
from actions.texts import button
from crm_store.base import utcnow
from crm_store.handoff.models import Handoff
from crm_store.privacy.desk import SINCE
from crm_store.staff import focus as focuses
from crm_store.tickets.expecting import STAFF
from crm_store.tickets.staff_questions import CHOICE, CONFIRM, DROP, NUMBER, TEXT, YES, question_name

__all__ = ["CHOICE", "CONFIRM", "DROP", "NUMBER", "TEXT", "YES", "Answer", "Kind", "Step", "Task"]

ANSWER_INTENT = "staff_answer"
#: A task is gone on with for so long.
HELD_FOR = timedelta(hours=1)
#: Confidence from which on a text that fits no choice is taken for a request of its own.
CLEARLY_ANOTHER = 0.5


class Task(NamedTuple):
    """A task under way.

    Attributes:
        id: the message that began it; its buttons name it, so that those of another one do nothing.
        kind: one of KINDS.
        data: the answers so far, by step, and what it is about.
    """

    id: int
    kind: str
    data: Mapping[str, Any]


class Answer(NamedTuple):
    """What came to a question.

    Attributes:
        text: as it was typed; empty for a button.
        value: what the button stands for; empty for a text.
    """

    text: str = ""
    value: str = ""


class Step(NamedTuple):
    """A question of a task.

    Attributes:
        name: under which its answer is kept.
        answer: TEXT, CHOICE, NUMBER or CONFIRM.
        ask: says the question by `put`.
        read: the answer as it is kept; None where it is none, after which the question comes again.
        is_due: whether it belongs to a task with these answers.
    """

    name: str
    answer: str
    ask: Callable[[Desk, Task, Step], None]
    read: Callable[[Desk, Task, Answer], Any]
    is_due: Callable[[Desk, Mapping[str, Any]], bool] = lambda _desk, _data: True


class Kind(NamedTuple):
    """A kind of task.

    Attributes:
        permission: looked at again with every answer; whatever depends on whose it is, at the end.
        finish: does it, when all questions are answered.
    """

    permission: str
    steps: tuple[Step, ...]
    finish: Callable[[Desk, Task], None]


#: By name; the modules of the tasks add theirs.
KINDS: dict[str, Kind] = {}


def begin(desk: Desk, kind: str, **data: Any) -> None:
    """Begin a task, in place of one that was under way, and ask the first question or do it at once."""
    known = {name: value for name, value in data.items() if value is not None}
    _go_on(desk, Task(desk.turn.inbox_id, kind, known))


def take_answer(desk: Desk) -> list[Event]:
    """Take the answer to a question of the task under way."""
    task, named = _under_way(desk), desk.turn.entity("step") or ""
    step = _open_step(desk, task) if task is not None else None
    if task is None or step is None or named != question_name(step.answer, task.id, step.name):
        desk.reply.utter("utter_staff_step_over")
        return []
    if not desk.may(KINDS[task.kind].permission):
        return []
    value = desk.turn.entity("value") or ""
    _take(desk, task, step, value)
    _note_look(desk, task)
    return []


def _take(desk: Desk, task: Task, step: Step, value: str) -> None:
    """Go on with what was answered, or ask again."""
    answer = Answer(text="" if desk.turn.trusted or value else desk.turn.text, value=value)
    if answer.value == DROP:
        drop(desk)
        desk.reply.utter("utter_staff_dropped", buttons=[go("queue", "staff_my_queue")])
        return
    read = (answer.value == YES or None) if step.answer == CONFIRM else step.read(desk, task, answer)
    if read is not None:
        _go_on(desk, task._replace(data={**task.data, step.name: read}))
    elif not _asks_for_something_else(desk, step):
        step.ask(desk, task, step)


def _note_look(desk: Desk, task: Task) -> None:
    """Write down whom a task was about, and since which message: its questions and answers name them."""
    data, customer_id = task.data, None
    if "handoff" in data:
        customer_id = desk.session.get_one(Handoff, int(data["handoff"])).customer_id
    elif "customer" in data:
        customer_id = int(data["customer"])
    elif "ticket" in data or ("phone" in data and desk.focus.data.get(focuses.TASK) is None):
        customer_id = desk.focus.customer_id  # a caller may have been nobody's until now
    if customer_id is not None:
        desk.note_look(customer_id, **{"for": task.kind, SINCE: task.id})


def put(
    desk: Desk,
    task: Task,
    step: Step,
    response: str,
    *,
    choices: Sequence[tuple[str, str]] = (),
    **params: Any,
) -> None:
    """Ask a step's question.

    Args:
        desk: the member.
        task: the task.
        step: the step.
        response: the question.
        choices: titles of buttons and their values.
        params: values of the response's placeholders.
    """
    name = question_name(step.answer, task.id, step.name)
    buttons = [button(title, ANSWER_INTENT, step=name, value=value) for title, value in choices]
    if step.answer == CONFIRM:
        buttons.append(go("confirm", ANSWER_INTENT, step=name, value=YES))
    buttons.append(go("drop", ANSWER_INTENT, step=name, value=DROP))
    desk.reply.utter(response, buttons=buttons, expects=(STAFF, name), **params)


def change(desk: Desk, task: Task, **data: Any) -> None:
    """Answer some questions anew, None for those to be asked again, and go on."""
    changed = {name: value for name, value in {**task.data, **data}.items() if value is not None}
    _go_on(desk, task._replace(data=changed))


def drop(desk: Desk) -> None:
    """Leave the task under way, and whatever waited for it."""
    focuses.keep(desk.focus, focuses.TASK, None)
    focuses.keep(desk.focus, focuses.PARKED, None)


def asking(response: str, *choices: tuple[str, str], **params: Any) -> Callable[[Desk, Task, Step], None]:
    """A question that is always put in the same way."""

    def ask(desk: Desk, task: Task, step: Step) -> None:
        put(desk, task, step, response, choices=choices, **params)

    return ask


def confirming(ask: Callable[[Desk, Task, Step], None]) -> Step:
    """The last step of a task: everything once more, and a yes."""
    return Step("confirm", CONFIRM, ask, lambda _desk, _task, _answer: None)


def any_text(_desk: Desk, _task: Task, answer: Answer) -> str | None:
    """Whatever was typed."""
    return answer.text.strip() or None


def one_of(answer: Answer, titles: Mapping[str, str]) -> str | None:
    """The key of the choice that was tapped, or that is named by a word that stands in no other's title."""
    if answer.value:
        return answer.value if answer.value in titles else None
    return named_choice(answer.text, titles)


def _go_on(desk: Desk, task: Task) -> None:
    step = _open_step(desk, task)
    if step is not None:
        kept = {"id": task.id, "kind": task.kind, "data": dict(task.data), "at": utcnow().isoformat()}
        focuses.keep(desk.focus, focuses.TASK, kept)
        step.ask(desk, task, step)
        return
    focuses.keep(desk.focus, focuses.TASK, None)
    KINDS[task.kind].finish(desk, task)


def _under_way(desk: Desk) -> Task | None:
    kept = desk.focus.data.get(focuses.TASK)
    if kept is None or kept["kind"] not in KINDS:
        return None
    if utcnow() - datetime.fromisoformat(kept["at"]) > HELD_FOR:
        return None
    return Task(kept["id"], kept["kind"], kept["data"])


def _open_step(desk: Desk, task: Task) -> Step | None:
    """The first step that is still to be answered."""
    steps = KINDS[task.kind].steps
    return next((one for one in steps if one.name not in task.data and one.is_due(desk, task.data)), None)


def _asks_for_something_else(desk: Desk, step: Step) -> bool:
    """Carry out a text that fits no choice and clearly asks for something else; whether it did."""
    ranking = [one for one in desk.turn.ranking if one[0] != ANSWER_INTENT]
    if desk.turn.trusted or step.answer == TEXT or not ranking:
        return False
    if step.answer == NUMBER and number_in(desk.turn) is not None:
        return False  # an answer that will not do, however much it looks like the request that led here
    intent, confidence = ranking[0]
    if not intent.startswith("staff_") or confidence < CLEARLY_ANOTHER:
        return False
    drop(desk)
    other = desk.again_as(intent=intent)
    other.run(other)
    return True
