"""Training: a model for exactly the files that lie here, made once and found again by their fingerprint.

Rasa trains in a process of its own, which takes TensorFlow's half gigabyte with it when it ends; finding a
model that is there imports nothing of Rasa. ``python -m bot.nlu.training [--force]`` prints the model's path.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent.parent
#: Libraries whose versions decide whether a stored model can be read.
LIBRARIES = ("rasa", "scikit-learn", "numpy", "hazm", "spacy")
MODELS_KEPT = 3
#: Where the training process leaves what was wrong.
REASON_FILE = "reason.txt"


class TrainingFailed(Exception):
    """The training data, the domain or the configuration is wrong; the message says what."""


def train(force: bool = False, root: Path = PROJECT_ROOT) -> Path:
    """Returns the model for the present files, after training it if need be.

    Progress goes to the error output, a line for each step.

    Args:
        force: Train even if the model is there.
        root: The project: config.yml, domain.yml, data/ and models/.

    Raises:
        TrainingFailed: Rasa refused the files.
    """
    model = _path(root)
    if model.exists() and not force:
        return model
    model.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=model.parent, prefix=".training-") as workshop:
        with (Path(workshop) / "log.txt").open("wb") as rasa_log:
            outcome = subprocess.run(
                [sys.executable, "-m", "bot.nlu.rasa_training", str(root), workshop, model.name],
                cwd=root,
                env={**os.environ, **_ENVIRONMENT, "PYTHONPATH": str(PROJECT_ROOT)},
                stdout=_ERROR_OUTPUT,
                stderr=rasa_log,
                check=False,
            )
        if outcome.returncode != 0:
            raise TrainingFailed(_reason(Path(workshop)) or f"training ended with code {outcome.returncode}")
        # In one step: whoever looks finds a whole model or none.
        (Path(workshop) / model.name).replace(model)
    _forget_old_models(model.parent)
    return model


def current_model(root: Path = PROJECT_ROOT) -> Path | None:
    """Returns the model for the present files, if it has been trained."""
    model = _path(root)
    return model if model.exists() else None


def fingerprint(root: Path = PROJECT_ROOT) -> str:
    """Hashes everything that a model comes from: configuration, domain, data, our code and the libraries."""
    digest = hashlib.sha256()
    for name in LIBRARIES:
        digest.update(f"{name}=={version(name)}\n".encode())
    for path in _sources(root):
        digest.update(f"{path.name}:{path.stat().st_size}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


# No telemetry, and no cache of Rasa's own beside ours.
_ENVIRONMENT = {"RASA_TELEMETRY_ENABLED": "false", "RASA_MAX_CACHE_SIZE": "0"}
_ERROR_OUTPUT = 2


def _path(root: Path) -> Path:
    return root / "models" / f"{fingerprint(root)}.tar.gz"


def _sources(root: Path) -> Iterator[Path]:
    yield root / "config.yml"
    yield root / "domain.yml"
    yield from sorted(path for path in (root / "data").rglob("*.yml"))
    yield from sorted((PROJECT_ROOT / "bot" / "nlu").glob("*.py"))
    yield from sorted((PROJECT_ROOT / "crm_store" / "persian").glob("*.py"))


def _reason(workshop: Path) -> str:
    file = workshop / REASON_FILE
    return file.read_text(encoding="utf-8").strip() if file.exists() else ""


def _forget_old_models(directory: Path) -> None:
    models = sorted(directory.glob("*.tar.gz"), key=lambda path: path.stat().st_mtime, reverse=True)
    for model in models[MODELS_KEPT:]:
        model.unlink(missing_ok=True)


def main() -> None:
    """Trains if need be and prints the model's path."""
    parser = argparse.ArgumentParser(description="Train Peyvand's model.")
    parser.add_argument("--force", action="store_true", help="train even if the model is there")
    try:
        model = train(force=parser.parse_args().force)
    except TrainingFailed as error:
        sys.exit(f"training failed: {error}")
    sys.stdout.write(f"{model}\n")


if __name__ == "__main__":
    main()
