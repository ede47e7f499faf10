"""The owner's file takes effect when it is saved, and never with a mistake in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from crm_store.business import EXAMPLE, Business, BusinessFile, lay_out_business_file, read_business
from crm_store.errors import ConfigurationError
from crm_store.persian.calendar_words import DEFAULT_DAY_PARTS

SMALL = """
name = "گل‌فروشی نیلوفر"

[faq]
hours = "هر روز ۹ تا ۲۱"

[[complaints.categories]]
key = "bouquet"
title = "دسته‌گل"
words = ["گل", "گلدان"]
"""

POLICY = "[[sla.policies]]\nname = 'سریع'\nresolution = 60\n"
STEP = "[[sla.escalation]]\ntell = 'admin'\nafter_minutes = "


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The owner's file of a small shop."""
    return save(tmp_path / "business.toml", SMALL)


def save(path: Path, text: str) -> Path:
    """Save as an editor does; the time stamp is a new one however fast the test is."""
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(before + 1_000_000_000, before + 1_000_000_000))
    return path


def test_the_shipped_example_is_in_order_and_answers_nothing_yet() -> None:
    business = read_business(EXAMPLE)
    assert business.faq.answered == []
    assert len(business.category_keys) == 8
    assert business.call_hours.intervals("thursday")


def test_what_is_left_out_has_a_default(path: Path) -> None:
    business = read_business(path)
    assert business.category("bouquet").ask == ("order_number", "remedy", "phone")
    assert business.callback.within_minutes == 120
    assert business.texts == {}


def test_answers_are_found_by_topic_and_only_by_topic(path: Path) -> None:
    faq = read_business(path).faq
    assert faq.answer("hours") == "هر روز ۹ تا ۲۱"
    assert faq.answered == ["hours"]
    assert "delivery" in faq.unanswered
    assert {faq.answer(topic) for topic in ("delivery", "other", "answered", "__class__")} == {""}


def test_a_category_that_was_taken_out_is_shown_by_its_key(path: Path) -> None:
    assert read_business(path).category("bouquet").title == "دسته‌گل"
    assert read_business(path).category("delivery").title == "delivery"


def test_one_wording_may_stand_without_brackets(path: Path) -> None:
    save(path, SMALL + '[texts]\nutter_greet = "سلام"\nutter_thanks = ["ممنون", "سپاس"]\n')
    assert read_business(path).texts == {"utter_greet": ("سلام",), "utter_thanks": ("ممنون", "سپاس")}


def test_a_change_takes_effect_without_a_restart(path: Path) -> None:
    file = BusinessFile(path)
    before = file.current()
    assert file.current() is before
    save(path, SMALL.replace("نیلوفر", "یاس"))
    assert file.current().name == "گل‌فروشی یاس"


def test_a_mistake_leaves_the_last_good_version_in_force_until_it_is_mended(path: Path) -> None:
    file = BusinessFile(path)
    save(path, SMALL + "hours = [")
    assert file.current().name == "گل‌فروشی نیلوفر"
    assert "not valid TOML" in file.problem
    save(path, SMALL.replace("نیلوفر", "یاس"))
    assert file.current().name == "گل‌فروشی یاس"
    assert file.problem == ""


def test_the_example_stands_in_for_a_file_that_is_not_there_yet(tmp_path: Path) -> None:
    file = BusinessFile(tmp_path / "business.toml")
    assert len(file.current().category_keys) == 8
    assert file.problem == ""
    save(tmp_path / "business.toml", SMALL)
    assert file.current().category_keys == ("bouquet",)


def test_a_file_that_is_gone_stays_in_force_until_there_is_one_again(path: Path) -> None:
    file = BusinessFile(path)
    path.unlink()
    assert file.current().category_keys == ("bouquet",)
    assert "cannot be read" in file.problem
    save(path, SMALL.replace("نیلوفر", "یاس"))
    assert file.current().name == "گل‌فروشی یاس"
    assert file.problem == ""


def test_a_restart_with_a_mistake_in_the_file_goes_on_with_the_last_good_version(path: Path) -> None:
    BusinessFile(path)
    save(path, SMALL + "hours = [")
    file = BusinessFile(path)
    assert file.current().name == "گل‌فروشی نیلوفر"
    assert "not valid TOML" in file.problem
    save(path, SMALL.replace("نیلوفر", "یاس"))
    assert (file.current().name, file.problem) == ("گل‌فروشی یاس", "")


def test_a_file_that_is_wrong_from_the_start_is_refused(path: Path) -> None:
    save(path, "name = ")
    with pytest.raises(ConfigurationError, match=r"business\.toml is not valid TOML"):
        BusinessFile(path)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (("name =", "nam ="), "nam"),
        (("hours =", "houres ="), "houres"),
        (('key = "bouquet"', 'key = "Blumenstrauß"'), "key"),
        (('words = ["گل", "گلدان"]', 'ask = ["colour"]'), "ask"),
        (("[faq]", "[callback.hours]\nfriday = ['9-12']\n[faq]"), "callback.hours"),
        (("[faq]", "[calendar.hours]\nfriday = ['22:00-06:00']\n[faq]"), 'calendar.hours: .* until "24:00"'),
        (("[faq]", "[calendar]\nworking_days = ['2026-01-01']\n[faq]"), "calendar.working_days"),
        (("[faq]", f"{POLICY}{POLICY}[faq]"), "sla.policies: سریع stands there twice"),
        (("[faq]", f"{POLICY}next_response = 5\n[faq]"), "sla.policies: سریع: a next_response needs"),
        (("[faq]", f"{STEP}60\n{STEP}30\n[faq]"), "sla.escalation: later steps"),
        (("[faq]", "[callback]\nwithin_minutes = 1000000000\n[faq]"), "within_minutes"),
        (("[faq]", "[day_parts]\nmidday = '11:00-13:00'\n[faq]"), "midday"),
        (("[faq]", "[day_parts]\nmorning = '8-12'\n[faq]"), "day_parts.morning"),
        (("[faq]", "[day_parts]\nnight = '22:00-02:00'\n[faq]"), "day_parts.night"),
        (("[faq]", "[day_parts]\nnoon = '12:00-25:00'\n[faq]"), "day_parts.noon"),
        (("[faq]", "[texts]\nutter_greet = []\n[faq]"), "utter_greet is empty"),
        (("[faq]", "[[products]]\nkey = 'Rose'\ntitle = 'رز'\n[faq]"), "products"),
        (("[faq]", "[[products]]\nkey = 'rose'\n[faq]"), "products"),
        (("[faq]", "[[products]]\nkey = 'rose'\ntitle = ''\n[faq]"), "products"),
        (("[faq]", "[[products]]\nkey = 'rose'\ntitle = 'رز'\nprice = 5\n[faq]"), "price"),
    ],
)
def test_a_mistake_is_named_with_its_place(path: Path, change: tuple[str, str], place: str) -> None:
    with pytest.raises(ConfigurationError, match=place):
        read_business(save(path, SMALL.replace(*change)))


def test_a_file_of_before_with_hours_for_calls_only_works_by_them(path: Path) -> None:
    save(path, SMALL + '[callback]\nholidays = ["1405/10/01"]\n[callback.hours]\nsunday = ["09:00-12:00"]\n')
    business = read_business(path)
    assert business.working_calendar is business.call_hours is business.callback


def test_calls_are_promised_within_the_calendar_unless_they_have_hours_of_their_own(path: Path) -> None:
    calendar = '[calendar]\nholidays = ["1405/10/01"]\n[calendar.hours]\nsunday = ["09:00-24:00"]\n'
    calls = '[callback]\nwithin_minutes = 30\nholidays = ["1405/10/03"]\n'
    business = read_business(save(path, SMALL + calendar + calls))
    assert business.working_calendar is business.calendar
    assert business.call_hours.hours == business.calendar.hours
    assert business.call_hours.holidays == ("1405/10/01", "1405/10/03")
    assert business.call_hours.within_minutes == 30
    business = read_business(
        save(
            path, SMALL + calendar + calls + '[callback.hours]\nmonday = ["9:00-12:00"]'.replace("9:", "09:")
        )
    )
    assert business.working_calendar is business.calendar
    assert business.call_hours is business.callback


def test_the_example_promises_answers_and_says_who_hears_of_a_breach() -> None:
    sla = read_business(EXAMPLE).sla
    assert [policy.kinds for policy in sla.policies] == [("complaint",), ("complaint",), ("service_request",)]
    assert [(step.tell, step.after_minutes) for step in sla.escalation] == [
        ("assignee", 0),
        ("supervisor", 60),
        ("admin", 240),
    ]


def test_the_examples_own_hours_of_calls_are_in_order(path: Path) -> None:
    section = EXAMPLE.read_text(encoding="utf-8").split("\n[callback]\n")[1].split("\n\n")[0].splitlines()
    save(path, SMALL + "\n".join(["[callback]", *(line.removeprefix("# ") for line in section)]))
    assert read_business(path).call_hours.hours == {"saturday": ("09:00-13:00", "16:00-20:00")}


def test_parts_of_the_day_are_the_usual_ones_until_the_owner_changes_them(path: Path) -> None:
    assert read_business(path).parts_of_day() == DEFAULT_DAY_PARTS
    save(path, SMALL + '[day_parts]\nmorning = "09:00 - 13:00"\nnight = "21:00-24:00"\n')
    parts = read_business(path).parts_of_day()
    assert (parts["morning"], parts["night"]) == (("09:00", "13:00"), ("21:00", "24:00"))
    assert parts["noon"] == DEFAULT_DAY_PARTS["noon"]


def test_the_example_names_every_part_of_the_day_with_its_usual_hours(path: Path) -> None:
    example = EXAMPLE.read_text(encoding="utf-8")
    section = example.split("[day_parts]\n")[1].split("\n\n")[0].splitlines()
    save(path, SMALL + "\n".join(["[day_parts]", *(line.removeprefix("# ") for line in section)]))
    business = read_business(path)
    assert set(business.day_parts) == set(DEFAULT_DAY_PARTS)
    assert business.parts_of_day() == DEFAULT_DAY_PARTS


def test_two_categories_of_one_key_are_refused(path: Path) -> None:
    twice = SMALL + '[[complaints.categories]]\nkey = "bouquet"\ntitle = "گل"\n'
    with pytest.raises(ConfigurationError, match="bouquet stands there twice"):
        read_business(save(path, twice))


def test_products_are_listed_in_the_order_of_the_file_and_none_at_first(path: Path) -> None:
    assert read_business(path).products == read_business(EXAMPLE).products == ()
    roses = '[[products]]\nkey = "rose"\ntitle = "رز هلندی"\nwords = ["رز", "گل سرخ"]\n'
    fern = '[[products]]\nkey = "fern"\ntitle = "سرخس"\n'
    found = read_business(save(path, SMALL + roses + fern)).products
    assert [(one.key, one.title, one.words) for one in found] == [
        ("rose", "رز هلندی", ("رز", "گل سرخ")),
        ("fern", "سرخس", ()),
    ]
    with pytest.raises(ConfigurationError, match="products: rose stands there twice"):
        read_business(save(path, SMALL + roses + roses))


def test_the_example_of_a_product_is_in_order(path: Path) -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").split("# [[products]]\n")[1].split("\n\n")[0].splitlines()
    save(path, SMALL + "\n".join(["[[products]]", *(line.removeprefix("# ") for line in lines)]))
    assert [product.key for product in read_business(path).products] == ["espresso_maker"]


def test_a_new_copy_gets_a_file_of_its_own_and_an_edited_one_is_left_alone(path: Path) -> None:
    assert not lay_out_business_file(path)
    assert read_business(path).name == "گل‌فروشی نیلوفر"
    new = path.parent / "new" / "business.toml"
    assert lay_out_business_file(new)
    assert isinstance(read_business(new), Business)
