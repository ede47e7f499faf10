"""One training by Rasa, as a process: ``python -m bot.nlu.rasa_training ROOT OUTPUT NAME [FILE…]``.

Our steps go to the output; all that Rasa prints (warnings, progress bars) goes to the error output.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rasa.model_training import train

from bot.nlu.training import REASON_FILE

_OUTPUT = 1


class Steps(logging.Handler):
    """Says which component Rasa trains."""

    def emit(self, record: logging.LogRecord) -> None:
        """Writes one step as a line."""
        os.write(_OUTPUT, f"training: {record.getMessage().rstrip('.')}\n".encode())


def run(root: Path, output: Path, name: str, further: Sequence[str] = ()) -> int:
    """Trains a project.

    Args:
        root: The project.
        output: Folder for the model, or for the reason why there is none.
        name: File name of the model.
        further: Files of training data besides those of the project.

    Returns:
        The exit code.
    """
    hooks = logging.getLogger("rasa.engine.training.hooks")
    hooks.setLevel(logging.INFO)
    hooks.addHandler(Steps())
    try:
        with contextlib.redirect_stdout(sys.stderr):
            result = train(
                domain=str(root / "domain.yml"),
                config=str(root / "config.yml"),
                training_files=[str(root / "data"), *further],
                output=str(output),
                fixed_model_name=name,
                # Rasa's own fingerprints know nothing of crm_store/persian.
                force_training=True,
            )
    except Exception as error:
        (output / REASON_FILE).write_text(str(error), encoding="utf-8")
        return 1
    return int(result.code)


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4:]))
