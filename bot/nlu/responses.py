"""How Rasa words what is said: the owner's texts in place of ours, and the business's name in all of them."""

from __future__ import annotations

from typing import Any

from rasa.core.nlg.response import TemplatedNaturalLanguageGenerator

from crm_store.business import BusinessFile
from crm_store.texts.service import EditedTexts
from crm_store.wordings import BUSINESS, Wordings


class BusinessResponses(TemplatedNaturalLanguageGenerator):
    """Rasa's generator over responses that change with the business file and what the console saves."""

    def __init__(self, business: BusinessFile, texts: EditedTexts | None = None) -> None:
        """Creates a generator without responses; the agent sets those of its model when it loads one.

        Args:
            business: The file that the owner edits.
            texts: What was saved at the console; None where nothing is looked up.
        """
        self._business = business
        self._texts = texts
        super().__init__({})

    @property
    def responses(self) -> dict[str, list[dict[str, Any]]]:
        """The responses as they are said now."""
        return self._wordings.current()

    @responses.setter
    def responses(self, own: dict[str, list[dict[str, Any]]]) -> None:
        self._wordings = Wordings(own, self._business, self._texts)

    def generate_from_slots(
        self, utter_action: str, filled_slots: dict[str, Any], output_channel: str, **kwargs: Any
    ) -> dict[str, Any] | None:
        """Generates a response (see parent class); ``{business}`` is the name in the business file."""
        kwargs[BUSINESS] = self._wordings.business_name
        generated: dict[str, Any] | None = super().generate_from_slots(
            utter_action, filled_slots, output_channel, **kwargs
        )
        return generated
