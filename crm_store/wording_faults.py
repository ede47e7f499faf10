"""What keeps a text of the owner's from being said."""

from __future__ import annotations

import re

import msgspec

#: Stands for the business's name in every text.
BUSINESS = "business"

_PLACEHOLDER = re.compile(r"\{([a-z_][a-z0-9_]*)\}")
_TAG = re.compile(r"</?([A-Za-z][^<>]*)>")
_OWN_TAG = re.compile(r"<(/?)(b|i|code)>")
_TAGS = frozenset({"b", "i", "code"})


class Faults(msgspec.Struct, frozen=True):
    """What is wrong with a text; false when nothing is.

    Attributes:
        missing: placeholders that its response needs.
        unknown: placeholders that its response has no value for.
        has_stray_brace: a brace stands alone.
        tags: tags that no message may have.
        has_open_tag: a tag is not closed, or not in order.
    """

    missing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    has_stray_brace: bool = False
    tags: tuple[str, ...] = ()
    has_open_tag: bool = False

    def __bool__(self) -> bool:
        return self != Faults()

    def lines(self) -> list[str]:
        """One line for each, for logs."""
        lines = [f"{{{name}}} is missing" for name in self.missing]
        lines += [f"{{{name}}} is not known here" for name in self.unknown]
        lines += ["a brace stands alone"] * self.has_stray_brace
        lines += [f"{tag} is no tag of a message" for tag in self.tags]
        return lines + ["a tag is not closed"] * self.has_open_tag


def placeholder_faults(text: str, original: str) -> Faults:
    """What is wrong with the placeholders of a text.

    Args:
        text: of the owner.
        original: the first of Peyvand's wordings; all of a response's wordings have the same placeholders.
    """
    wanted, used = set(placeholders(original)), set(placeholders(text))
    return Faults(
        missing=tuple(sorted(wanted - used)),
        unknown=tuple(sorted(used - wanted)),
        has_stray_brace=re.search(r"[{}]", _PLACEHOLDER.sub("", text)) is not None,
    )


def faults_of(text: str, original: str | None) -> Faults:
    """All that is wrong with a text.

    Args:
        text: rich text, as the owner typed it.
        original: Peyvand's first wording of the response; None for an answer of the FAQ, in which braces are
            text.
    """
    of_placeholders = placeholder_faults(text, original) if original is not None else Faults()
    return msgspec.structs.replace(
        of_placeholders, tags=tuple(foreign_tags(text)), has_open_tag=not _is_balanced(text)
    )


def placeholders(text: str) -> list[str]:
    """The placeholders of a text besides the business's name, each once, in order."""
    return [name for name in dict.fromkeys(_PLACEHOLDER.findall(text)) if name != BUSINESS]


def foreign_tags(text: str) -> list[str]:
    """Tags in a text that no message may have; they would be shown as they are written."""
    return [match[0] for match in _TAG.finditer(text) if match[1] not in _TAGS]


def _is_balanced(text: str) -> bool:
    """Whether every tag of a message is closed, in order."""
    is_open: list[str] = []
    for match in _OWN_TAG.finditer(text):
        if not match[1]:
            is_open.append(match[2])
        elif not is_open or is_open.pop() != match[2]:
            return False
    return not is_open
