"""Names of the questions of a task of the staff: what may come as an answer, which task, which step."""

from __future__ import annotations

#: What a question asks for: any text, one of some choices, a number, or a yes.
TEXT, CHOICE, NUMBER, CONFIRM = "text", "choice", "number", "confirm"
#: Values of answers: agreed, and to leave it.
YES, DROP = "yes", "drop"
_SEPARATOR = ":"


def question_name(answer: str, task: int, step: str) -> str:
    """The name of a question, which its buttons and an answer to it carry.

    Args:
        answer: what it asks for.
        task: the message that began the task.
        step: the step's name.
    """
    return _SEPARATOR.join((answer, str(task), step))


def asked_for(name: str) -> str:
    """What the question of a name asks for; ``pin`` of one for a PIN."""
    return name.partition(_SEPARATOR)[0]
