"""What a complaint must be after whatever was said: the last thing said for each field, or none.

A model of the promise, not of the program: it knows what each step states and, where the same words mean
different things, what was asked just before.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from tests.conversations.held import HeldComplaint

#: Stories, each with the one category whose words stand in it; "" where no words of any do.
STORIES = {
    "پیکتون غذا رو گذاشت دم در همسایه و بدون زنگ زدن رفت": "delivery",
    "قابلمه‌ای که ازتون گرفتم بعد از دو روز دسته‌ش شکست و کنده شد": "product",
    "فروشنده جلوی بقیه سر من داد زد و از در بیرونم کرد": "staff",
    "دیروز تا شب منتظر موندم ولی هیچ خبری از شما نشد که نشد": "",
    "قرار بود سه‌شنبه صبح بیاین خونه‌ی ما ولی تا عصر چشممون به در موند": "",
}
#: Words by which a category is named or denied.
CATEGORY_WORDS = {"delivery": "تحویل", "product": "کیفیت", "payment": "پرداخت", "staff": "رفتار"}
REMEDIES = {
    "refund": "پولمو پس بدین",
    "replacement": "عوضش کنید برام",
    "apology": "ازم عذرخواهی کنید",
    "compensation": "خسارتمو بدین",
}
ORDER_SENTENCES = ("شماره سفارشم {} هست", "سفارش {} بود", "شماره فاکتورم اینه: {}")
PHONE_SENTENCES = ("شماره‌م {} هست", "با این شماره تماس بگیرید {}", "{}")
DIGRESSIONS = ("این برای چیه؟", "ساعت کاریتون چطوریه؟", "مغازه‌تون کجاست؟", "چرا اینو می‌پرسین؟", "سلام")
CANCELLATIONS = ("بی‌خیال", "لغو", "ولش کن نمی‌خوام")
STARTING = "شکایت دارم"

ASKS_DESCRIPTION = {"utter_ask_complaint_description", "utter_ask_complaint_description_again"}
ASKS_CATEGORY = {"utter_ask_complaint_category", "utter_ask_complaint_category_again"}
SUMMARY = "utter_complaint_summary"
#: What the buttons of the complaint's own questions do; others lead elsewhere.
BUTTONS = (
    "choose_category",
    "choose_remedy",
    "skip_field",
    "correct_field",
    "drop_attachments",
    "affirm",
    "cancel",
)


@dataclass
class Told:
    """A complaint as it was told so far; ``phone`` None means that the customer has none to give."""

    story: list[str] = field(default_factory=list)
    category: str | None = None
    order_number: str = ""
    remedy: str = ""
    phone: str | None = None
    files: int = 0

    def as_filed(self) -> HeldComplaint:
        """What the store must hold."""
        return HeldComplaint(
            category=self.category or "",
            order_number=self.order_number,
            remedy=self.remedy,
            phone=self.phone or "",
            attachments=self.files,
            description="\n".join(self.story),
        )


@dataclass
class Ledger:
    """All complaints of one customer.

    Attributes:
        current: the one that is being told; None when there is none.
        filed: those that were confirmed, in order.
        known_phone: the number told last, which belongs to every further complaint too.
        loose_files: sent without a word before any story.
    """

    current: Told | None = None
    filed: list[HeldComplaint] = field(default_factory=list)
    known_phone: str | None = None
    loose_files: int = 0

    def begin(self) -> Told:
        """The complaint that is being told, begun if need be."""
        if self.current is None:
            self.current = Told(phone=self.known_phone, files=self.loose_files)
            self.loose_files = 0
        return self.current

    def tell_story(self, text: str, category: str, *, heard: set[str]) -> None:
        """Tell what happened: for the first time, anew when it was asked for, else in addition.

        Args:
            category: what its words are about; empty for nothing clear.
            heard: what was asked just before.
        """
        told = self.begin()
        if heard & ASKS_DESCRIPTION:
            told.story = [text]
        elif text not in told.story:
            told.story.append(text)
        if category and (told.category is None or heard & ASKS_CATEGORY):
            told.category = category

    def tell_phone(self, phone: str) -> None:
        """Give a number to call."""
        self.begin().phone = self.known_phone = phone

    def add_file(self) -> None:
        """Send a file: to the complaint, or ahead of one."""
        if self.current is None:
            self.loose_files += 1
        else:
            self.current.files += 1

    def cancel(self) -> None:
        """Drop what is being told."""
        self.current, self.loose_files = None, 0

    def press(self, payload: str) -> None:
        """Press a button of the complaint's own questions."""
        intent, values = parsed(payload)
        told = self.begin()
        if intent == "choose_category":
            told.category = values["category"]
        elif intent == "choose_remedy":
            told.remedy = values["remedy"]
        elif intent == "skip_field":
            _pass_over(told, values["field"])
        elif intent == "drop_attachments":
            told.files = 0
        elif intent == "affirm":
            self.filed.append(told.as_filed())
            self.current = None
        elif intent == "cancel":
            self.cancel()


def _pass_over(told: Told, passed: str) -> None:
    if passed == "order_number":
        told.order_number = ""
    elif passed == "remedy":
        told.remedy = ""
    elif passed == "phone":
        told.phone = None


def parsed(payload: str) -> tuple[str, dict[str, str]]:
    """The intent and the values of a button."""
    intent, brace, rest = payload.removeprefix("/").partition("{")
    return intent, json.loads(brace + rest) if brace else {}
