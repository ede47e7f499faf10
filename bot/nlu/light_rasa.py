"""Rasa without TensorFlow.

Rasa imports TensorFlow whatever the pipeline, in two places. ``rasa.nlu.extractors.extractor`` needs one
helper of ``rasa.utils.train_utils``, which imports two modules that derive classes from Keras; only DIET, TED
and the response selector ever use those. And every model names the validator of the default recipe as a step
of its training, which imports DIET and TED to look at their settings; a loaded model never runs it.

With stand-ins for these three modules the server imports in a third of the time and half of the memory
(measured: 2 s and 260 MB against 6 s and 510 MB). Training keeps the real ones.
"""

from __future__ import annotations

import sys
import warnings
from types import ModuleType

import sanic  # noqa: F401  # it switches warnings on, which `silence_deprecations` hides

_STAND_INS = {
    "rasa.utils.tensorflow.callback": ("RasaTrainingLogger", "RasaModelCheckpoint"),
    "rasa.utils.tensorflow.data_generator": ("RasaBatchDataGenerator",),
    "rasa.graph_components.validators.default_recipe_validator": ("DefaultV1RecipeValidator",),
}


def leave_tensorflow_out() -> None:
    """Puts the stand-ins in place; call it before the first import of ``rasa``.

    A model that needs TensorFlow then fails to load with the stand-in's name in the error.
    """
    for module_name, class_names in _STAND_INS.items():
        if module_name in sys.modules:
            continue
        module = ModuleType(module_name, "Stand-in: see bot/nlu/light_rasa.py.")
        for class_name in class_names:
            setattr(module, class_name, type(class_name, (), {}))
        sys.modules[module_name] = module


def silence_deprecations() -> None:
    """Hides warnings about Rasa's age, which nobody here can mend; call it before importing Rasa.

    Sanic switches them on when it is imported, as this module does.
    """
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    # Said of every domain with a slot, whatever its mappings.
    warnings.filterwarnings("ignore", message="Slot auto-fill has been removed")
