"""A message answers the survey's question, refuses it, or is a wish of its own."""

from __future__ import annotations

from typing import Any

import pytest

from bot.nlu.expected import as_expected

CHOICES = [
    ["quality", ["کیفیت", "کیفیتش", "جنس"]],
    ["price", ["قیمت"]],
    ["people", ["برخورد همکاران", "برخورد", "اخلاق"]],
]
QUESTIONS: dict[str, dict[str, Any]] = {
    "csat": {"kind": "csat", "low": 1, "high": 5},
    "nps": {"kind": "nps", "low": 0, "high": 10},
    "choice": {"kind": "choice", "choices": CHOICES},
    "text": {"kind": "text"},
    "reason": {"kind": "reason"},
    "photo": {"kind": "photo"},
    "over": {"kind": "csat", "low": 1, "high": 5, "is_over": True},
}
UNKNOWN = "nlu_fallback"


def read(
    question: str, text: str, intent: str = UNKNOWN, *, is_latest: bool = True, has_files: bool = False
) -> str:
    named = {"name": intent, "confidence": 0.8}
    parsed = as_expected(
        {"intent": named, "intent_ranking": [named], "entities": []},
        text,
        {"what": "survey", "ticket": "17", "is_latest": is_latest, "question": QUESTIONS[question]},
        has_files=has_files,
    )
    values = {one["entity"]: one["value"] for one in parsed["entities"]}
    assert values in ({}, {"survey": "17"})
    assert bool(values) or parsed["intent"]["name"] == intent
    return str(parsed["intent"]["name"])


@pytest.mark.parametrize(
    ("question", "text", "intent"),
    [
        ("csat", "۴", "survey_answer"),
        ("csat", "۸ از ۱۰", "survey_answer"),
        ("csat", "عالی بود", "thank"),
        ("csat", "افتضاح بود، دو ساعت معطل شدم", "complaint_file"),
        ("csat", "راضی بودم ولی دیر اومدن", "complaint_file"),
        ("csat", "خب چی بگم", UNKNOWN),
        ("csat", "نه", "deny"),
        ("csat", "هشت", "faq"),
        ("nps", "نه", "deny"),
        ("nps", "حتماً معرفی می‌کنم", "loyalty_referral"),
        ("choice", "دومی", UNKNOWN),
        ("choice", "قیمتش", "faq"),
        ("choice", "برخوردتون", "complaint_file"),
        ("choice", "۳", "survey_answer"),
        ("text", "ارسالتون رو سریع‌تر کنید", "faq"),
        ("text", "کاش جمعه‌ها هم باز باشید", "survey_start"),
        ("text", "بسته‌بندی خراب بود", "complaint_file"),
        ("text", "امتیازها خیلی زود می‌سوزن", "loyalty_balance"),
        ("reason", "دیر اومدن", "complaint_file"),
        ("reason", "تعمیرکار بداخلاق بود و وسایل رو جا گذاشت", "service_request"),
        ("photo", "بفرمایید", UNKNOWN),
    ],
)
def test_an_answer(question: str, text: str, intent: str) -> None:
    assert read(question, text, intent) == "survey_answer"


@pytest.mark.parametrize(
    ("question", "text", "intent"),
    [
        ("csat", "سلام", "greet"),
        ("csat", "ساعت کارتون چنده؟", "faq"),
        ("csat", "کالا خراب رسیده", "complaint_file"),
        ("csat", "شکایت دارم، خیلی بد بود", "complaint_file"),
        ("csat", "شکایتم به کجا رسید", "complaint_status"),
        ("csat", "می‌خوام با یه نفر حرف بزنم", "request_human"),
        ("csat", "امتیازم چقدره", "loyalty_balance"),
        ("csat", "باشه بپرسید", "survey_start"),
        ("choice", "قیمت ارسال چقدره؟", "faq"),
        ("text", "ساعت کارتون چنده؟", "faq"),
        ("text", "امتیازم چقدره", "loyalty_balance"),
        ("text", "می‌خوام شکایت ثبت کنم", "complaint_file"),
        ("text", "می‌خوام نظر بدم", "survey_start"),
        ("text", "ممنون", "thank"),
        ("reason", "شماره‌م رو از لیست تبلیغات حذف کنید", "marketing_opt_out"),
        ("photo", "ساعت کارتون چنده؟", "faq"),
    ],
)
def test_a_wish_of_its_own(question: str, text: str, intent: str) -> None:
    assert read(question, text, intent) == intent


@pytest.mark.parametrize("question", ["csat", "nps", "choice", "text", "reason", "photo"])
@pytest.mark.parametrize(
    ("text", "intent", "refusal"),
    [
        ("حوصله ندارم", "survey_skip", "survey_skip"),
        ("ولش کن", "cancel", "survey_skip"),
        ("دیگه نپرسید", "survey_skip", "survey_skip"),
        ("دیگه از این پیاما نفرستید", "marketing_opt_out", "survey_skip"),
        ("بعداً", UNKNOWN, "survey_later"),
        ("الان نه", "deny", "survey_later"),
        ("الان سر کارم شب جواب میدم", "survey_skip", "survey_later"),
        ("رد کن", "skip", "survey_pass"),
        ("سوال بعدی", UNKNOWN, "survey_pass"),
        ("ترجیح می‌دم نگم", UNKNOWN, "survey_pass"),
    ],
)
def test_a_refusal(question: str, text: str, intent: str, refusal: str) -> None:
    assert read(question, text, intent) == refusal


@pytest.mark.parametrize("question", ["text", "reason", "photo"])
@pytest.mark.parametrize(
    ("text", "intent"), [("نه", "deny"), ("ندارم", UNKNOWN), ("هیچی", UNKNOWN), ("نظری ندارم", "survey_skip")]
)
def test_having_nothing_to_say_passes_over_a_question_for_words(
    question: str, text: str, intent: str
) -> None:
    assert read(question, text, intent) == "survey_pass"


@pytest.mark.parametrize(
    ("question", "text", "intent", "found"),
    [
        ("csat", "۴", "survey_answer", "survey_answer"),
        ("csat", "۸ از ۱۰", UNKNOWN, "survey_answer"),
        ("choice", "همون قیمت", UNKNOWN, "survey_answer"),
        ("csat", "خب", UNKNOWN, UNKNOWN),
        ("csat", "بعداً", UNKNOWN, UNKNOWN),
        ("csat", "خوب بود", "thank", "thank"),
        ("text", "دیر اومدن", "complaint_file", "complaint_file"),
        ("text", "شسیبل", UNKNOWN, UNKNOWN),
        ("csat", "نظرسنجی نفرستید", "marketing_opt_out", "survey_skip"),
    ],
)
def test_after_something_else_was_said_only_what_is_beyond_doubt_answers(
    question: str, text: str, intent: str, found: str
) -> None:
    assert read(question, text, intent, is_latest=False) == found


def test_a_photo_answers_only_where_one_is_asked_for() -> None:
    assert read("photo", "", "media", has_files=True) == "survey_answer"
    assert read("csat", "", "media", has_files=True) == "media"
    assert read("text", "", "media", has_files=True) == "media"


def test_at_the_end_only_a_correction_is_taken() -> None:
    assert read("over", "نه ۳", "deny") == "survey_answer"
    assert read("over", "ببخشید منظورم ۳ بود") == "survey_answer"
    assert read("over", "خیلی خوب", "thank") == "thank"
    assert read("over", "بعدا", UNKNOWN) == UNKNOWN


def test_a_survey_that_is_gone_takes_nothing() -> None:
    named = {"name": "survey_answer", "confidence": 0.8}
    parsed = {"intent": named, "intent_ranking": [named], "entities": []}
    assert as_expected(parsed, "۴", {"what": "survey", "ticket": "17", "is_latest": True}) == parsed
