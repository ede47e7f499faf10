"""What phrases can be taught as: intents of the domain that have phrases, with their topics if any."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from pathlib import Path

from crm_store.errors import InvalidInput
from crm_store.learning.phrases import load_yaml, read_examples
from crm_store.settings import PROJECT_ROOT

#: Near names that an error lists.
NEAR = 4


def training_files(root: Path = PROJECT_ROOT) -> list[Path]:
    """All YAML files of a project's training data."""
    return sorted((root / "data").rglob("*.yml"))


def teachable_labels(root: Path = PROJECT_ROOT) -> list[str]:
    """Labels of phrases, such as ``greet`` or ``faq/hours``; none of intents that only we ourselves make."""
    intents = _intents(root)
    taught = {label for file in training_files(root) for label in read_examples(file)}
    return sorted(label for label in taught if label.partition("/")[0] in intents)


def check_label(label: str, labels: Collection[str], root: Path = PROJECT_ROOT) -> str:
    """Refuses what cannot be taught.

    Args:
        label: What was typed.
        labels: See `teachable_labels`.
        root: The project.

    Returns:
        The label.

    Raises:
        InvalidInput: It is none; the message names near ones.
    """
    if label in labels:
        return label
    topics = [one for one in labels if one.startswith(f"{label}/")]
    if topics:
        raise InvalidInput(f"{label} needs a topic: {', '.join(topics)}")
    is_known = label in _intents(root)
    reason = "is made by buttons only and has no phrases" if is_known else "is no intent"
    near = difflib.get_close_matches(label, labels, n=NEAR, cutoff=0.5) or sorted(labels)
    raise InvalidInput(f"{label} {reason}; near it: {', '.join(near)}")


def _intents(root: Path) -> set[str]:
    """Names of the domain's intents; one with settings is a mapping of its name to them."""
    intents = load_yaml(root / "domain.yml")["intents"]
    return {intent if isinstance(intent, str) else next(iter(intent)) for intent in intents}
