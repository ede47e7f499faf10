"""Counting the requests of a message: by rule with a made-up ranking, and by measure with the real model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from bot.nlu.asking import asks
from bot.nlu.evaluation import evaluation_phrases
from bot.nlu.labels import training_files
from bot.nlu.parse import load_understanding
from bot.nlu.persian import words
from bot.nlu.requests import Joint, find_gaps, find_requests
from bot.nlu.understanding import Understanding

#: Messages that somebody else wrote, for measuring only.
MEASURED = Path(__file__).parent / "two_requests.yml"
#: Of those and of our own below: a wrong cut is worse than a missed one.
FEWEST_FOUND, MOST_WRONG = 0.75, 0.04

#: What was thought of first, with what is asked.
TWO = {
    "چند امتیاز جمع کردم؟ راستی شکایتی که ثبت کردم به نتیجه رسید؟": "loyalty_balance complaint_status",
    "سلام وقت بخیر، ساعت کاری‌تون رو می‌خواستم و اینکه یه نفر باهام تماس بگیره": "faq request_human",
    "لطفاً شماره تلفنم رو عوض کنید، ضمناً دیگه پیامک تبلیغاتی نفرستید": "profile_update marketing_opt_out",
    "وقت تعمیر لباسشویی رو عقب بندازید و بگید هزینه ارسال چقدره": "service_reschedule faq",
    "کد معرفم چیه؟ تو قرعه‌کشی هم ثبت‌نامم کنید": "loyalty_referral loyalty_raffle",
    "شکایتم رو پس می‌گیرم. همچنین همهٔ اطلاعاتم رو پاک کنید": "complaint_withdraw my_data_erase",
    "تعمیرکار کی می‌رسه؟ ضمنا گارانتی دستگاه چقدره؟": "service_status faq",
    "emtiazam chand tast? rasti shekayatam be koja resid": "loyalty_balance complaint_status",
    "یک تعمیرکار برای یخچال بفرستید، بعدشم آدرس جدیدم رو ثبت کنید": "service_request profile_update",
    "آدرس فروشگاه کجاست؟ چطوری می‌تونم امتیاز بگیرم؟": "faq loyalty_how_to_earn",
    "سطح عضویتم چنده و از چه راهی می‌تونم امتیازامو خرج کنم": "loyalty_tier loyalty_redeem",
    "درخواست نصبم رو لغو کنید. در ضمن امتیازهام کی منقضی میشن؟": "service_cancel loyalty_balance",
    "از برخورد فروشنده‌تون شکایت دارم، راستی امتیازام چقدر شده": "complaint_file loyalty_balance",
    "کفشی که خریدم پاره بود. یه چیز دیگه، سطح باشگاه مشتریانم چیه؟": "complaint_file loyalty_tier",
    "می‌خوام با مدیر صحبت کنم\nساعت کاری جمعه‌ها رو هم بگید": "request_human faq",
    "یه نسخه از اطلاعاتم رو بفرستید، ضمنا عضو پیامک‌های تخفیفتون هم بشم": "my_data_export marketing_opt_in",
    "به نتیجه شکایتم اعتراض دارم و لطفا یه اپراتور بهم زنگ بزنه": "complaint_appeal request_human",
    "چرا امتیازم کم شد؟ در ضمن نوبت سرویس کولرم رو بندازید هفته بعد": "loyalty_history service_reschedule",
    "خرید قسطی دارید؟ راستی درخواست تعمیرم تو چه مرحله‌ایه": "faq service_status",
    "یه عکس دیگه می‌خوام به شکایتم اضافه کنم، ضمنا آدرس شعبه مرکزی رو بدید": "complaint_add_note faq",
    "سلام بفرمایید برندهٔ قرعه‌کشی کی شد و کد دعوت من چنده؟ ممنون": "loyalty_raffle loyalty_referral",
    "نوبت تعمیرم رو کنسل کنید همچنین شکایتم رو هم ببندید حل شد": "service_cancel complaint_withdraw",
    "می‌خوام دربارهٔ خدماتتون نظر بدم، راستی پشتیبانی شماره تلفن داره؟": "survey_start faq",
    "اسمم رو تو پروفایل درست کنید و گزارش ریز امتیازام رو هم بدید": "profile_update loyalty_history",
    "امتیازم رو تبدیل به تخفیف کنید. شکایتم چی شد؟": "loyalty_redeem complaint_status",
    "شکایتم چی شد؟ امتیازم چقدره؟ ساعت کاری‌تون چنده؟": "complaint_status loyalty_balance faq",
    "مشتری با شماره ۰۹۱۲۱۱۱۲۲۳۳ رو بیار، ضمنا گزارش امروز رو هم بده": "staff_find_customer staff_report",
    "این تیکت رو بسپار به خانم کریمی و اولویتش رو ببر بالا": "staff_assign staff_escalate",
    "تیکت رو ببند مشکل حل شد، بعدش صف من رو نشون بده": "staff_resolve staff_my_queue",
    "یادداشت بذار که هزینه رو پس دادیم، ۲۰۰ امتیاز هم بهش بده": "staff_add_note staff_adjust_points",
}
#: What looks like two and is one.
ONE = (
    "سلام وقتتون بخیر، امتیازم چقدره؟",
    "ممنون از لطفتون. شکایتم به کجا رسید؟",
    "یخچالی که دادید یخ نمی‌زنه و صدا هم میده",
    "کولرم چکه می‌کنه، یه تعمیرکار بفرستید، کرج، آدرس: گلشهر، خیابان بهار، پلاک ۳",
    "تلویزیونی که خریدم صفحه‌ش خط داره. زنگ زدم جواب ندادن. دو بار هم رفتم فروشگاه. گفتن به ما ربطی نداره.",
    "آدرس و شماره تلفنتون چیه؟",
    "کولرمون خراب شده و هوا هم گرمه، لطفا یکی رو بفرستید",
    "نه ممنون، لازم نیست",
    "بله درسته، ثبت کنید",
    "امتیازم چنده و کی باطل میشه؟",
    "تعمیرکار امروز میاد یا فردا؟ ساعت چند میرسه؟",
    "آدرسم عوض شده، شماره موبایلم هم همین‌طور",
    "پیک دیر رسید و غذا سرد بود، راننده هم بی‌ادبی کرد",
    "دیگه پیامک نفرستید، روزی ده بار میاد خسته شدم",
    "شکایتم رو پس می‌گیرم چون پولم رو برگردوندن و راضی شدم",
    "با مدیر کار دارم، لطفا وصلم کنید، شماره‌ام ۰۹۱۲۳۴۵۶۷۸۹",
    "نوبتم رو بندازید پنجشنبه چون شنبه سفرم و یکشنبه هم نیستم",
    "سفارشم نرسیده، چند روز شده، پولم هم کم شده، جواب هم نمیدید",
    "هزینهٔ ارسال چقدره و پرداخت در محل هم دارید؟",
    "قرعه‌کشی کی برگزار میشه و جایزه‌ش چیه؟",
    "سلام\nخسته نباشید\nمی‌خواستم بدونم ساعت کاریتون چنده",
    "می‌خوام تمام اطلاعاتم پاک بشه، هم شماره هم خریدها",
    "رأی رو قبول ندارم، کارشناس اشتباه کرده و باید دوباره ببینید",
    "خداحافظ، ممنون از کمکتون",
    "نماینده‌تون قرار بود دیروز بیاد ولی نیومد، کی میاد بالاخره؟",
    "چه کارهایی بلدی و چطور باید ازت استفاده کنم؟",
    "این مدل گارانتی داره؟ چند ساله؟",
    "برای شکایتم یه توضیح دارم: فروشنده فاکتور هم نداد",
    "۹ از ۱۰، فقط یه کم دیر اومدن",
    "مشتری رضایت داد و مشکلش حل شد، پرونده رو ببند",
    "لپ‌تاپی که گرفتم هنگ می‌کنه، بردم تعمیرگاهتون گفتن گارانتی نداره، در ضمن شارژرش هم سوخته",
)

#: The one of them that a member of staff writes.
STAFF = ("مشتری رضایت داد و مشکلش حل شد، پرونده رو ببند",)
#: What each word makes a text mean in the ranking below.
MEANS = {
    "سلام": "greet",
    "ممنون": "thank",
    "امتیازم": "loyalty_balance",
    "سطح": "loyalty_tier",
    "شکایتم": "complaint_status",
    "ساعت": "faq",
    "خراب": "complaint_file",
    "زنگ": "request_human",
    "تبلیغ": "marketing_opt_out",
    "تخفیف": "marketing_opt_in",
    "شماره‌ام": "profile_link",
    "تعمیرکار": "service_request",
    "نشانی": "profile_update",
}


def rank(text: str) -> Sequence[tuple[str, float]]:
    """Shares the confidence among the meanings of the known words."""
    found = [intent for word, intent in MEANS.items() if word in text] or ["out_of_scope"]
    share = 0.96 / len(found)
    return [*((intent, share) for intent in found), ("help", 0.04)]


def asked(text: str) -> list[str]:
    return [request.intent for request in find_requests(text, rank)]


def test_requests_have_their_places_in_the_text_as_typed() -> None:
    text = "  سلام،  امتیازم  چنده؟؟ راستي، شکایتم چی شد؟ ممنون"
    requests = find_requests(text, rank)
    assert [text[request.start : request.end] for request in requests] == ["امتیازم  چنده؟؟", "شکایتم چی شد؟"]
    assert [request.confidence for request in requests] == [0.96, 0.96]


@pytest.mark.parametrize(
    "joint",
    [" و ", "، ", "؟ ", ". ", "\n", " راستی ", "؟ ضمناً ", " همچنین ", " بعدشم ", " یه چیز دیگه، ", " va "],
)
def test_requests_are_joined_in_many_ways(joint: str) -> None:
    assert asked(f"امتیازم چنده{joint}شکایتم چی شد") == ["loyalty_balance", "complaint_status"]


def test_too_joins_requests_where_no_mark_does() -> None:
    assert asked("امتیازم رو بگید شکایتم رو هم بگید") == ["loyalty_balance", "complaint_status"]


def test_a_request_ends_with_its_verb_where_nothing_else_tells() -> None:
    assert asked("امتیازم چنده شکایتم چی شد") == ["loyalty_balance", "complaint_status"]


def test_three_requests_are_found_and_no_more() -> None:
    text = "امتیازم چنده؟ شکایتم چی شد؟ ساعت کار چیه؟ سطح من چیه؟"
    assert len(asked("امتیازم چنده؟ شکایتم چی شد؟ ساعت کار چیه؟")) == 3
    assert len(asked(text)) <= 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "؟؟ ، و",
        "امتیازم چنده",
        "سلام، امتیازم چنده؟ ممنون",
        "امتیازم چنده و امتیازم کی تموم میشه",  # the same
        "امتیازم چنده و شکایتم",  # too short
        "امتیازم خوب بود، شکایتم چی شد",  # told, not asked
        "تبلیغ نفرستید، راستی تخفیف بفرستید",  # takes back what was said
        "گوشی خراب شد، به من زنگ بزنید",  # a complaint and what it leads to
        "به من زنگ بزنید، شماره‌ام همینه چند بار بگم",  # a detail
        "هوا چطوره و شکایتم چی شد",  # not ours
    ],
)
def test_everything_else_is_one(text: str) -> None:
    (request,) = find_requests(text, rank)
    assert (request.start, request.end) == (0, len(text))


def test_a_complaint_and_something_else_are_told_apart_where_the_words_say_so() -> None:
    assert asked("گوشی من خراب شد، راستی ساعت کار چیه") == ["complaint_file", "faq"]


def test_where_somebody_is_to_come_belongs_to_the_request() -> None:
    (request,) = find_requests("تعمیرکار بفرستید، نشانی: کرج، پلاک ۳", rank)
    assert (request.intent, request.confidence) == ("service_request", 0.96)
    assert asked("تعمیرکار بفرستید، راستی نشانی منو عوض کنید") == ["service_request", "profile_update"]


def test_a_number_to_call_blurs_nothing() -> None:
    text = "گوشی خراب رسید، شماره‌ام ۰۹۱۲۳۴۵۶۷۸۹"
    (request,) = find_requests(text, rank)
    assert (request.intent, request.confidence, request.end) == ("complaint_file", 0.96, len(text))


def test_the_story_of_a_complaint_is_not_even_looked_at() -> None:
    ranked: list[str] = []

    def watched(text: str) -> Sequence[tuple[str, float]]:
        ranked.append(text)
        return rank(text)

    story = "گوشی خراب شد. دو روز بعد ساعت هفت رفتم. گفتند صبر کن. " * 4
    assert len(find_requests(story, watched)) == 1
    assert ranked == [story]


def test_gaps_lie_between_the_parts() -> None:
    text = "اول این؟ راستی دوم آن، سوم\nچهارم"
    assert [(text[: gap.end], text[gap.start :], gap.joint) for gap in find_gaps(text)] == [
        ("اول این؟", "دوم آن، سوم\nچهارم", Joint.ADDITION),
        ("اول این؟ راستی دوم آن،", "سوم\nچهارم", Joint.LINK),
        ("اول این؟ راستی دوم آن، سوم", "چهارم", Joint.SENTENCE),
    ]


@pytest.mark.parametrize(
    ("text", "is_asking"),
    [
        ("ساعت کار چنده", True),
        ("نوبتم رو بندازید شنبه", True),
        ("یکی بیاد ببینه", True),
        ("لطفاً رسیدگی شود", True),
        ("شکایتم رو پس می‌گیرم", True),
        ("mikham bedunam chande", True),
        ("کجایید؟", True),
        ("شنبه مهمون دارم", False),
        ("نرسید و بد بود", False),
        ("آدرسم نارمک است", False),
    ],
)
def test_what_asks_is_told_by_its_form(text: str, is_asking: bool) -> None:
    assert asks(word.text for word in words(text)) is is_asking


# By measure


@pytest.fixture(scope="module")
def understanding(trained_model: Path) -> Understanding:
    """The product's own model."""
    return load_understanding(trained_model)


@pytest.mark.rasa
@pytest.mark.parametrize("source", ["ours", "measured"])
def test_two_requests_are_found_and_one_is_left_whole(understanding: Understanding, source: str) -> None:
    if source == "ours":
        messages = [(text, set(intents.split())) for text, intents in TWO.items()] + [(t, {""}) for t in ONE]
    else:
        entries = yaml.safe_load(MEASURED.read_text(encoding="utf-8"))
        messages = [(entry["text"], set(entry["intents"])) for entry in entries]
    missed, wrong, several = [], [], 0
    for text, expected in messages:
        audience = (
            "staff" if text in STAFF or any(one.startswith("staff_") for one in expected) else "customer"
        )
        got = {one["intent"] for one in understanding.parse(text, audience=audience)["intents"]}
        several += len(expected) > 1
        if len(expected) > 1 and got != expected:
            missed.append((text, got))
        if len(expected) == 1 and len(got) > 1:
            wrong.append((text, got))
    print(f"{several - len(missed)} of {several} found, {len(wrong)} cut wrongly:", *missed, *wrong, sep="\n")  # noqa: T201
    assert 1 - len(missed) / several >= FEWEST_FOUND
    assert len(wrong) / (len(messages) - several) <= MOST_WRONG


@pytest.mark.rasa
def test_ordinary_messages_are_hardly_ever_cut(understanding: Understanding) -> None:
    phrases = evaluation_phrases(taught=training_files())
    cut = [
        phrase.text
        for phrase in phrases
        if len(understanding.parse(phrase.text, audience=_audience(phrase.label))["intents"]) > 1
    ]
    print(f"{len(cut)} of {len(phrases)} cut:", *cut, sep="\n")  # noqa: T201
    assert len(cut) / len(phrases) <= 0.012


@pytest.mark.rasa
def test_the_answer_names_all_intents_the_most_certain_first(understanding: Understanding) -> None:
    answer = understanding.parse("امتیازم چنده و شکایتم چی شد؟")
    assert {one["intent"] for one in answer["intents"]} == {"loyalty_balance", "complaint_status"}
    assert answer["intents"][0] == {"intent": answer["intent"], "confidence": answer["confidence"]}
    assert answer["confidence"] >= answer["intents"][1]["confidence"]
    (only,) = understanding.parse("شکایتم چی شد؟")["intents"]
    assert only["intent"] == "complaint_status"


def _audience(label: str) -> str:
    return "staff" if label.startswith("staff_") else "customer"
