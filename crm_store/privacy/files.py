"""Where the files of customers are, below the attachments folder, and how they go."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

#: A path in a folder of `staff_folder`; the group is the conversation.
STAFF_PLACE = re.compile(r"staff/([0-9]{1,18})/", re.ASCII)
_FOLDER_DIGITS = 32


def chat_folder(channel: str, chat_id: str) -> str:
    """The folder of a chat whose files stay with us: what its visitor uploads and what we hand over.

    Args:
        channel: ``web``, whose chat ids are hashes already, or ``terminal``.

    Returns:
        A path below the attachments folder; empty for a messenger, which keeps files itself.
    """
    if channel not in ("web", "terminal"):
        return ""
    digits = chat_id if channel == "web" else hashlib.sha256(chat_id.encode()).hexdigest()
    return f"{channel}/{digits[:_FOLDER_DIGITS]}"


def staff_folder(conversation_id: int) -> str:
    """The folder of what the staff sent to a customer from the console, below the attachments folder."""
    return f"staff/{conversation_id}"


def remove_files(folder: Path, places: Iterable[str]) -> None:
    """Delete files and folders; what is not there is passed over.

    Args:
        folder: the attachments folder; nothing outside it is touched.
        places: paths below it.
    """
    for place in places:
        path = (folder / place).resolve()
        if not path.is_relative_to(folder.resolve()) or path == folder.resolve():
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
