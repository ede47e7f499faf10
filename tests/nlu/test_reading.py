"""What is found in a message: which reading of a passage counts, names of people and places, products."""

from __future__ import annotations

import json
import os
import warnings
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import Event, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.nlu.entities import PROJECT_ROOT, PersianEntityExtractor
from crm_store.business import EXAMPLE, BusinessFile

#: A Friday, 6 Azar 1405.
NOW = datetime.fromisoformat("2026-11-27T10:00:00+03:30")
CODE = "32121387"


def extractor_in(folder: Path, business: BusinessFile | None = None) -> PersianEntityExtractor:
    """The extractor with the project's own lists."""
    config, storage = PersianEntityExtractor.get_default_config(), LocalModelStorage(folder)
    context = ExecutionContext(GraphSchema({}))
    component = PersianEntityExtractor.create(config, storage, Resource("entities"), context)
    if business is None:
        return component
    return PersianEntityExtractor(storage, Resource("entities"), component._files, business)


@pytest.fixture(scope="module")
def extractor(tmp_path_factory: pytest.TempPathFactory) -> PersianEntityExtractor:
    """The extractor without a business of its own."""
    return extractor_in(tmp_path_factory.mktemp("entities"))


@pytest.fixture(scope="module")
def domain() -> Domain:
    """The domain; Rasa warns of every one with slots."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return Domain.load(str(PROJECT_ROOT / "domain.yml"))


def read(extractor: PersianEntityExtractor, text: str, *kinds: str) -> list[tuple[str, Any, str]]:
    """Entity, value or candidates, and typed passage, of some kinds or all but categories and remedies."""
    return [
        (one["entity"], one.get("candidates", one["value"]), text[one["start"] : one["end"]])
        for one in extractor.extract(text, now=NOW)
        if (one["entity"] in kinds if kinds else one["entity"] not in ("category", "remedy"))
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("سفارش ۱۲۳۴۵ رو ۱۵ آبان خریدم", [("order_number", "12345"), ("date", "2026-11-06")]),
        (f"کد {CODE} رو ساعت ۱۷ گرفتم", [("ticket_code", CODE), ("time", "17:00")]),
        ("۰۹۱۲ ۳۴۵ ۶۷۸۹", [("phone_number", "+989123456789")]),
        ("۱۴۰۳ تومان", [("amount", 14030)]),
        ("۱۴۰۳ امتیاز", [("points", 1403)]),
        ("سال ۱۴۰۳", [("period", {"from": "2024-03-20", "to": "2025-03-21"})]),
        ("۸/۱۰", [("rating", {"value": 8, "scale": 10})]),
        ("تاریخ ۸/۱۰", [("date", ["2026-12-29", "2026-11-01", "2027-11-01"])]),
        ("۳ تا برای ۱۵ دی", [("number", 3), ("date", "2027-01-05")]),
        ("۱۴۰۳-۰۲-۰۵", [("date", "2024-04-24")]),
    ],
)
def test_a_passage_is_read_as_what_its_surest_sign_says(
    extractor: PersianEntityExtractor, text: str, found: list[tuple[str, Any]]
) -> None:
    assert [(entity, value) for entity, value, _ in read(extractor, text)] == found


def test_a_date_is_no_tracking_code_even_if_the_check_digit_holds(extractor: PersianEntityExtractor) -> None:
    for day in range(1, 30):
        text = f"1403-02-{day:02}"
        assert [entity for entity, _, _ in read(extractor, text)] == ["date"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("۵۰۰ هزار", [("amount", [5000000, 500000]), ("number", 500000)]),
        ("هشت و نیم", [("number", 8.5), ("time", ["08:30", "20:30"])]),
        ("هشت و نیم میام", [("time", ["08:30", "20:30"])]),
        ("هشت و نیم کیلو", [("number", 8.5)]),
        ("دیشب", [("date", "2026-11-26"), ("time", {"from": "20:00", "to": "24:00"})]),
    ],
)
def test_what_may_be_two_kinds_of_thing_is_both(
    extractor: PersianEntityExtractor, text: str, found: list[tuple[str, Any]]
) -> None:
    assert sorted(read(extractor, text), key=str) == sorted(
        [(*one, text.removesuffix(" میام").removesuffix(" کیلو")) for one in found], key=str
    )


def test_figures_that_somebody_calls_a_code_are_no_number(extractor: PersianEntityExtractor) -> None:
    assert read(extractor, "کد ملی ۱۲۳۴۵۶۷۸") == read(extractor, "شماره سریال: 558812") == []
    assert read(extractor, "گزینه شماره ۵") == [("number", 5, "۵")]


def test_an_entity_has_candidates_only_without_a_value(extractor: PersianEntityExtractor) -> None:
    sure, doubtful = extractor.extract("فردا ساعت ۵", now=NOW)
    assert "candidates" not in sure
    assert (doubtful["value"], doubtful["candidates"]) == (None, ["17:00", "05:00"])


@pytest.mark.parametrize("said", ["2026-03-20T23:00:00+03:30", "2026-03-20T19:30:00Z"])
def test_dates_are_read_at_the_moment_that_the_message_tells(
    extractor: PersianEntityExtractor, said: str
) -> None:
    message = Message({TEXT: "فردا", "metadata": {"now": said}})
    extractor.process([message])
    assert [entity["value"] for entity in message.get("entities")] == ["2026-03-21"]


@pytest.mark.parametrize("said", [None, "gestern", "2026-03-20T23:00:00"])
def test_dates_are_read_at_present_where_the_message_tells_no_moment(
    extractor: PersianEntityExtractor, said: str | None
) -> None:
    message = Message({TEXT: "فردا", "metadata": {"now": said}})
    extractor.process([message])
    assert [entity["value"] for entity in message.get("entities")] > ["2026-06-01"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("اسمم سمیه طالبیه", "سمیه طالبی"),
        ("نام خانوادگیم دلاوری است", "دلاوری"),
        ("من محمدصادق وکیل‌زاده هستم", "محمدصادق وکیل‌زاده"),
        ("جناب آقای دکتر پناهی", "پناهی"),
        ("سرکار خانم پورمحمد", "پورمحمد"),
        ("پرونده فرشته محبی", "فرشته محبی"),
        ("به شهرام بگید زنگ بزنه", "شهرام"),
        ("حسن‌زاده رو پیدا کن", None),
        ("محسنی رو پیدا کن", "محسنی"),
        ("esme man leila rahimi", "leila rahimi"),
        ("خانم مسئول پذیرش", None),
        ("آقای نصاب نیومد", None),
        ("اسم من امیر نیست", None),
        ("بنده تقاضای رسیدگی دارم", None),
        ("خیابان رضا کاظمی پلاک ۲", None),
        ("امیدوارم درست بشه", None),
        ("من آرام هستم", None),
        ("اسمم اینجوری نیست", None),
        ("من تهرانی هستم", None),
        ("بهروز اسکویی هستم از پونک", "بهروز اسکویی"),
        ("من علی راضی نیستم", None),
        ("آرزو قلبی هستم", None),
    ],
)
def test_people_are_named_by_titles_introductions_and_frequent_names(
    extractor: PersianEntityExtractor, text: str, name: str | None
) -> None:
    names = read(extractor, text, "person_name")
    assert names == ([("person_name", name, name)] if name else [])


@pytest.mark.parametrize(
    ("text", "cities"),
    [
        ("اراکیم ما", [("اراک", "اراک")]),
        ("مشهدی‌ام", [("مشهد", "مشهد")]),
        ("تهرانی هستم", [("تهران", "تهران")]),
        ("شيرازه", [("شیراز", "شيراز")]),
        ("نجف آباد پیک دارید", [("نجف‌آباد", "نجف آباد")]),
        ("ساکن شهر بهارم", [("بهار", "بهار")]),
        ("بهار شد", []),
        ("نور مازندران", [("نور", "نور"), ("مازندران", "مازندران")]),
        ("نور مهتابی کمه", []),
        ("سقز", [("سقز", "سقز")]),
        ("آدامس سقز خریدم", []),
        ("ارسال تا ری", [("ری", "ری")]),
        ("خیابان تهران پلاک ۷", []),
        ("آقای اصفهانی", []),
        ("خلیج فارس", []),
        ("tehranam", [("تهران", "tehran")]),
        ("kermanshah mifrestid", [("کرمانشاه", "kermanshah")]),
        ("خراسان", [(["خراسان رضوی", "خراسان جنوبی", "خراسان شمالی"], "خراسان")]),
    ],
)
def test_places_are_found_without_their_endings_where_they_are_meant(
    extractor: PersianEntityExtractor, text: str, cities: list[tuple[Any, str]]
) -> None:
    assert [(value, typed) for _, value, typed in read(extractor, text, "city")] == cities


def test_all_provinces_and_many_cities_are_known(extractor: PersianEntityExtractor) -> None:
    provinces = (
        *("آذربایجان شرقی", "آذربایجان غربی", "اردبیل", "اصفهان", "البرز", "ایلام", "بوشهر", "تهران"),
        *("چهارمحال و بختیاری", "خراسان جنوبی", "خراسان رضوی", "خراسان شمالی", "خوزستان", "زنجان", "سمنان"),
        *("سیستان و بلوچستان", "فارس", "قزوین", "قم", "کردستان", "کرمان", "کرمانشاه", "کهگیلویه و بویراحمد"),
        *("گلستان", "گیلان", "لرستان", "مازندران", "مرکزی", "هرمزگان", "همدان", "یزد"),
    )
    assert len(provinces) == 31
    for province in provinces:
        assert [value for _, value, _ in read(extractor, f"استان {province}", "city")] == [province]
    assert len(extractor._files["cities"]["places"]) > 31 + 150


def test_products_are_those_of_the_business_file_as_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "business.toml"
    path.write_text(EXAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    extractor = extractor_in(tmp_path / "model", BusinessFile(path))
    assert read(extractor, "اسپرسوساز ۳۰۰۰تون خرابه", "product") == []
    espresso = '[[products]]\nkey = "espresso"\ntitle = "اسپرسوساز ۳۰۰۰"\nwords = ["قهوه‌ساز"]\n'
    path.write_text(
        EXAMPLE.read_text(encoding="utf-8").replace("[texts]", espresso + "[texts]"), encoding="utf-8"
    )
    os.utime(path, ns=(1, 1))
    assert read(extractor, "اسپرسوساز ۳۰۰۰ و قهوه ساز قبلی") == [
        ("product", "espresso", "اسپرسوساز ۳۰۰۰"),
        ("product", "espresso", "قهوه ساز"),
    ]


def test_parts_of_the_day_are_those_of_the_business_file(tmp_path: Path) -> None:
    path = tmp_path / "business.toml"
    example = EXAMPLE.read_text(encoding="utf-8")
    path.write_text(example.replace("[day_parts]", '[day_parts]\nevening = "15:00-19:00"'), encoding="utf-8")
    extractor = extractor_in(tmp_path / "model", BusinessFile(path))
    assert read(extractor, "عصر", "time") == [("time", {"from": "15:00", "to": "19:00"}, "عصر")]


def test_rasa_keeps_values_that_are_null_or_have_parts(
    extractor: PersianEntityExtractor, domain: Domain
) -> None:
    entities = extractor.extract("فردا عصر یا ساعت ۵، ۵۰۰ هزار، ۸ از ۱۰، تهران", now=NOW)
    assert {entity["entity"] for entity in entities} <= set(domain.entities)
    event = UserUttered("x", {"name": "survey_answer"}, entities)
    tracker = DialogueStateTracker.from_events("1", [event], slots=domain.slots, domain=domain)
    kept = Event.from_parameters(json.loads(json.dumps(tracker.latest_message.as_dict())))  # type: ignore[union-attr]
    assert kept == event
    assert tracker.latest_message.entities == entities  # type: ignore[union-attr]
    assert str(event)
    assert event.as_story_string()
    (state,) = domain.states_for_tracker_history(tracker)
    assert set(state["user"]["entities"]) == {entity["entity"] for entity in entities}
    assert None in list(tracker.get_latest_entity_values("time"))


def test_every_kind_that_is_found_is_one_of_the_domain(domain: Domain) -> None:
    page = (PROJECT_ROOT / "docs" / "entities.md").read_text(encoding="utf-8")
    table = [line.split("|")[1] for line in page.splitlines() if line.startswith("| ")][1:]
    kinds = {kind.strip() for cell in table for kind in cell.split(",")}
    assert kinds - {"---", "entity"} <= set(domain.entities)
