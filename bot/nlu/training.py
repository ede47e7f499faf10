"""Training: a model for exactly the files that lie here, made once and found again by their fingerprint.

Rasa trains in a process of its own, which takes TensorFlow's half gigabyte with it when it ends; finding a
model that is there imports nothing of Rasa. ``python -m bot.nlu.training [--force]`` prints the path of the
model to use; it ends with code `REFUSED` where that is the former one, because the new one is worse.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path

import msgspec

from bot.nlu.choosing import ModelChoice, choose
from bot.nlu.evaluation import EVALUATION, Evaluation, evaluation_keys
from bot.nlu.labels import teachable_labels, training_files
from crm_store.errors import ConfigurationError
from crm_store.learning.phrases import LearnedPhrases, phrase_key, write_examples
from crm_store.settings import PROJECT_ROOT, learned_path, load_settings

#: Libraries whose versions decide whether a stored model can be read.
LIBRARIES = ("rasa", "scikit-learn", "numpy", "hazm", "spacy")
MODELS_KEPT = 3
#: Where the training process leaves what was wrong.
REASON_FILE = "reason.txt"
#: Exit code: there is a new model, and the former one is the better one.
REFUSED = 3


class TrainingFailed(Exception):
    """The training data, the domain or the configuration is wrong; the message says what."""


def train(force: bool = False, root: Path = PROJECT_ROOT, data_dir: Path | None = None) -> Path:
    """Returns the model to use for the present files, after training it if need be.

    Progress goes to the error output, a line for each step.

    Args:
        force: Train even if the model is there, and use the new one even if it is the worse one.
        root: The project: config.yml, domain.yml, data/ and models/.
        data_dir: The data folder of a copy of Peyvand: what it has learnt from use is trained too, and a new
            model that understands less than the one in use there is refused. None: neither.

    Raises:
        TrainingFailed: Rasa refused the files.
    """
    model = model_of(root, data_dir)
    if force or not model.exists():
        _train(model, root, data_dir)
    if data_dir is None:
        return model
    measure = partial(_measure, root, data_dir)
    return choose(model, ModelChoice(data_dir), measure=measure, say=_say, accept_worse=force)


def current_model(root: Path = PROJECT_ROOT, data_dir: Path | None = None) -> Path | None:
    """Returns the model to use for the present files, if it has been trained."""
    model = model_of(root, data_dir)
    if not model.exists():
        return None
    choice = ModelChoice(data_dir) if data_dir else None
    return choice.in_use if choice and choice.refusal_of(model) and choice.in_use else model


def model_of(root: Path = PROJECT_ROOT, data_dir: Path | None = None) -> Path:
    """Where the model of the present files lies, or would lie."""
    return root / "models" / f"{fingerprint(root, data_dir)}.tar.gz"


def fingerprint(root: Path = PROJECT_ROOT, data_dir: Path | None = None) -> str:
    """Hashes everything that a model comes from: configuration, domain, data, our code and the libraries."""
    digest = hashlib.sha256()
    for name in LIBRARIES:
        digest.update(f"{name}=={version(name)}\n".encode())
    for path in _sources(root, data_dir):
        digest.update(f"{path.name}:{path.stat().st_size}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


# No telemetry, and no cache of Rasa's own beside ours.
_ENVIRONMENT = {"RASA_TELEMETRY_ENABLED": "false", "RASA_MAX_CACHE_SIZE": "0"}
_ERROR_OUTPUT = 2


def _train(model: Path, root: Path, data_dir: Path | None) -> None:
    model.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=model.parent, prefix=".training-") as folder:
        workshop = Path(folder)
        learned = _usable_phrases(root, data_dir, workshop) if data_dir else []
        with (workshop / "log.txt").open("wb") as rasa_log:
            outcome = subprocess.run(
                [sys.executable, "-m", "bot.nlu.rasa_training", str(root), folder, model.name, *learned],
                cwd=root,
                env={**os.environ, **_ENVIRONMENT, "PYTHONPATH": str(PROJECT_ROOT)},
                stdout=_ERROR_OUTPUT,
                stderr=rasa_log,
                check=False,
            )
        if outcome.returncode != 0:
            raise TrainingFailed(_reason(workshop) or f"training ended with code {outcome.returncode}")
        # In one step: whoever looks finds a whole model or none.
        (workshop / model.name).replace(model)
    in_use = ModelChoice(data_dir).in_use if data_dir else None
    _forget_old_models(model.parent, spare=in_use)


def _sources(root: Path, data_dir: Path | None) -> Iterator[Path]:
    yield root / "config.yml"
    yield root / "domain.yml"
    yield from training_files(root)
    if data_dir is not None and learned_path(data_dir).exists():
        yield learned_path(data_dir)
    yield from sorted((PROJECT_ROOT / "bot" / "nlu").glob("*.py"))
    yield from sorted((PROJECT_ROOT / "crm_store" / "persian").glob("*.py"))


def _usable_phrases(root: Path, data_dir: Path, workshop: Path) -> list[str]:
    """Writes a file of what was learnt from use and can be trained; returns its path, if there is any.

    An intent may have gone since, and a phrase may have become one that understanding is measured with.
    """
    labels, measured = set(teachable_labels(root)), evaluation_keys(_evaluation_of(root))
    learned = LearnedPhrases(learned_path(data_dir)).read()
    usable = {
        label: [phrase for phrase in phrases if phrase_key(phrase) not in measured]
        for label, phrases in learned.items()
        if label in labels
    }
    for label in learned.keys() - labels:
        _say(f"what was learnt for {label} is left out: it can be taught no more")
    if not any(usable.values()):
        return []
    write_examples(workshop / "learned.yml", usable)
    return [str(workshop / "learned.yml")]


def _measure(root: Path, data_dir: Path, models: Sequence[Path]) -> list[Evaluation | None]:
    phrases = _evaluation_of(root)
    if not phrases.exists():
        _say(f"there are no evaluation phrases in {phrases}")
        return []
    _say("measuring the former and the new model …")
    learned = learned_path(data_dir)
    taught = [*training_files(root), *([learned] if learned.exists() else [])]
    command = [sys.executable, "-m", "bot.nlu.evaluation", str(phrases)]
    outcome = subprocess.run(
        [*command, "--taught", *map(str, taught), "--models", *map(str, models)],
        cwd=PROJECT_ROOT,
        env={**os.environ, **_ENVIRONMENT},
        capture_output=True,
        check=False,
    )
    if outcome.returncode != 0:
        reason = outcome.stderr.decode(errors="replace").strip().splitlines()
        _say(f"the models cannot be measured: {reason[-1] if reason else outcome.returncode}")
        return []
    return msgspec.json.decode(outcome.stdout, type=list[Evaluation | None])


def _evaluation_of(root: Path) -> Path:
    return root / EVALUATION.relative_to(PROJECT_ROOT)


def _reason(workshop: Path) -> str:
    file = workshop / REASON_FILE
    return file.read_text(encoding="utf-8").strip() if file.exists() else ""


def _forget_old_models(directory: Path, *, spare: Path | None) -> None:
    models = sorted(directory.glob("*.tar.gz"), key=lambda path: path.stat().st_mtime, reverse=True)
    for model in models[MODELS_KEPT:]:
        if model.resolve() != spare:
            model.unlink(missing_ok=True)


def _say(line: str) -> None:
    sys.stderr.write(f"training: {line}\n")


def main() -> None:
    """Trains if need be and prints the path of the model to use."""
    parser = argparse.ArgumentParser(description="Train Peyvand's model.")
    parser.add_argument(
        "--force", action="store_true", help="train even if the model is there, use it even if it is worse"
    )
    try:
        data_dir = load_settings().data_path
        candidate = model_of(data_dir=data_dir)
        model = train(force=parser.parse_args().force, data_dir=data_dir)
    except (TrainingFailed, ConfigurationError) as error:
        sys.exit(f"training failed: {error}")
    sys.stdout.write(f"{model}\n")
    if model.resolve() != candidate.resolve():
        sys.exit(REFUSED)


if __name__ == "__main__":
    main()
