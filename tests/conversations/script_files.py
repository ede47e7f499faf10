"""The scripts of conversations: where they are, and what may stand in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.conversations.acting import DEEDS
from tests.conversations.expecting import EXPECTATIONS

#: Folders of scripts: those of a business whose staff are told nothing in chat, and those with a staff group.
SCRIPTS, GROUP_SCRIPTS = "scripts", "group_scripts"
#: What happens besides what people do in chat; the first three are followed by what the chat hears.
HAPPENINGS = (
    *("staff", "shop", "operator", "hears", "becomes_due", "survey_due", "days_pass", "comes_in_hours"),
    "raffle",
    *("restart", "lose_session", "presence", "waits_minutes", "delete_topic"),
)
SCRIPT_KEYS = {"name", "turns", "store", "messy", "has_everything"}
TURN_KEYS = {
    *("chat", "topic", "caption", "to", "below", "as", "about", "if_heard"),
    *(*HAPPENINGS, *DEEDS, *EXPECTATIONS),
}


def load_scripts(folder: str = SCRIPTS) -> list[Path]:
    """The scripts of a folder, in order of their names."""
    return sorted((Path(__file__).parent / folder).glob("*.yml"))


def read_script(file: Path) -> dict[str, Any]:
    """A script's content.

    Raises:
        ValueError: it says something that nobody looks at.
    """
    script: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    unknown = set(script) - SCRIPT_KEYS | {key for turn in script["turns"] for key in turn} - TURN_KEYS
    if unknown:
        raise ValueError(f"{file.name}: unknown: {', '.join(sorted(unknown))}")
    return script
