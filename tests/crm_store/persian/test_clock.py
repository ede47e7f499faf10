"""Times are read as people write them; an hour that may be before noon or after it is left open."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_store.persian import to_persian_digits
from crm_store.persian.clock import find_times

TEHRAN = ZoneInfo("Asia/Tehran")
NOW = datetime(2026, 12, 1, 11, 20, tzinfo=TEHRAN)


def value(text: str) -> object:
    """``17:00`` or ``16:00-18:00`` as a value."""
    begin, dash, end = text.partition("-")
    return {"from": begin, "to": end} if dash else begin


def read(text: str, now: datetime = NOW) -> list[object]:
    """Values, and lists of candidates."""
    return [found.value or list(found.candidates) for found in find_times(text, now=now)]


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("ساعت ۱۷", "17:00"),
        ("ساعت ٢٢", "22:00"),
        ("۱۷:۳۰", "17:30"),
        ("08:30", "08:30"),
        ("ساعت ۱۲:۱۵", "12:15"),
        ("ساعت ۲۴", "00:00"),
        ("ساعت ۰:۳۰", "00:30"),
        ("ساعت هفده و سی دقیقه", "17:30"),
        ("ساعت ۱۷/۳۰", "17:30"),
        ("ساعت ۵ عصر", "17:00"),
        ("ساعت۵عصر", "17:00"),
        ("۵ ی عصر", "17:00"),
        ("۱۰ صبح", "10:00"),
        ("ده صبح", "10:00"),
        ("پنج و نیم بعدازظهر", "17:30"),
        ("هشت و نیم صبح", "08:30"),
        ("۸ونیم صبح", "08:30"),
        ("هشت‌ونیم شب", "20:30"),
        ("یه ربع به ۶ عصر", "17:45"),
        ("ربع به شش عصر", "17:45"),
        ("یک ربع مونده به ۶ عصر", "17:45"),
        ("شش و ربع صبح", "06:15"),
        ("ده دقیقه به ۸ شب", "19:50"),
        ("ساعت ۸ و ۲۰ دقیقه شب", "20:20"),
        ("ساعت هشت و بیست صبح", "08:20"),
        ("ساعت ده و ده دقیقه صبح", "10:10"),
        ("۱۲ ظهر", "12:00"),
        ("۱۲ شب", "00:00"),
        ("دوازده و نیم شب", "00:30"),
        ("ساعت ۱۲ و نیم ظهر", "12:30"),
        ("نصف شب", "00:00"),
        ("نصفه شب", "00:00"),
        ("۲ نصف شب", "02:00"),
        ("۱۱ شب", "23:00"),
        ("۲ شب", "02:00"),
        ("۳ بامداد", "03:00"),
        ("ظهر ساعت ۱", "13:00"),
        ("ساعت ۱ ظهر", "13:00"),
        ("۳ ظهر", "15:00"),
        ("۱۱ ظهر", "11:00"),
        ("۵ بعد از ظهر", "17:00"),
        ("ساعت ۵ ب.ظ", "17:00"),
        ("۱۰ ق.ظ", "10:00"),
        ("7 pm", "19:00"),
        ("فردا صبح ساعت ۱۰", "10:00"),
        ("ساعت ۱۰ فردا صبح", "10:00"),
        ("امشب ساعت ۸", "20:00"),
        ("دیشب حدود ساعت ۱۰ زنگ زدم", "22:00"),
        ("عصر پنجشنبه ساعت ۵", "17:00"),
        ("شنبه صبح، ساعت ۹", "09:00"),
        ("صبح میام ساعت ۱۰", "10:00"),
        ("سر ساعت ۵ عصر", "17:00"),
        ("طرفای ۵ عصر", "17:00"),
        ("فردا ۹ صبحه", "09:00"),
        ("فردا ساعت۱۰صبح", "10:00"),
        ("شبا بعد هشت", "20:00-24:00"),
        ("تا آخر وقت", "00:00-17:00"),
        ("تا نصف شب", "00:00-24:00"),
        ("عصر بیاد", "16:00-20:00"),
        ("صبح", "08:00-12:00"),
        ("صبح‌ها", "08:00-12:00"),
        ("ظهر", "12:00-14:00"),
        ("سر ظهر", "12:00-14:00"),
        ("لنگ ظهر", "12:00-14:00"),
        ("بعدازظهر", "14:00-17:00"),
        ("بعد از ظهر", "14:00-17:00"),
        ("عصری", "16:00-20:00"),
        ("دم غروب", "17:00-20:00"),
        ("فردا شب", "20:00-24:00"),
        ("امشب", "20:00-24:00"),
        ("صبح زود", "06:00-08:00"),
        ("اول وقت", "08:00-10:00"),
        ("آخر وقت", "15:00-17:00"),
        ("قبل از ظهر", "08:00-12:00"),
        ("ق.ظ", "08:00-12:00"),
        ("بین ۴ تا ۶ عصر", "16:00-18:00"),
        ("بین ۴ و ۶ عصر", "16:00-18:00"),
        ("ساعت ۵ تا ۷ عصر", "17:00-19:00"),
        ("۱۰ تا ۱۲ صبح", "10:00-12:00"),
        ("۱۰ الی ۱۲ صبح", "10:00-12:00"),
        ("ساعت ۱۰-۱۲ صبح", "10:00-12:00"),
        ("۱۰ صبح تا ۲ بعدازظهر", "10:00-14:00"),
        ("از ۸ صبح تا ۱۲ شب", "08:00-24:00"),
        ("۱۱ تا ۲ بعدازظهر", "11:00-14:00"),
        ("از ۸ صبح تا ۵", "08:00-17:00"),
        ("از ۹ تا ۱۷", "09:00-17:00"),
        ("از ۱۷:۳۰ تا ۱۹", "17:30-19:00"),
        ("۸ تا ۱۲ شب", "20:00-24:00"),
        ("صبح از ۹ تا ۱۱", "09:00-11:00"),
        ("فردا عصر بین ۵ تا ۷", "17:00-19:00"),
        ("ساعت ۵ تا ۷ فردا عصر", "17:00-19:00"),
        ("۱۰ صبح تا ظهر", "10:00-12:00"),
        ("صبح تا ظهر", "08:00-12:00"),
        ("بعد از ۵ عصر", "17:00-24:00"),
        ("امروز عصر بعد از ساعت ۶", "18:00-24:00"),
        ("۸ شب به بعد", "20:00-24:00"),
        ("از ۴ بعدازظهر به بعد", "16:00-24:00"),
        ("تا ۱۰ صبح", "00:00-10:00"),
        ("قبل از ۱۰ صبح", "00:00-10:00"),
        ("تا ظهر", "00:00-12:00"),
        ("نیم ساعت دیگه", "11:50"),
        ("یه ربع دیگه", "11:35"),
        ("۱۰ دقیقه دیگه", "11:30"),
        ("یک ساعت و نیم دیگه", "12:50"),
        ("یه ساعت و ۲۰ دقیقه دیگه", "12:40"),
        ("دو ساعت پیش", "09:20"),
        ("دو ساعت قبل", "09:20"),
        ("saat 5 asr", "17:00"),
        ("8 o nim sobh", "08:30"),
        ("ye rob be 6 asr", "17:45"),
        ("emshab saat 8", "20:00"),
        ("az 10 ta 12 sobh", "10:00-12:00"),
        ("bad az zohr", "14:00-17:00"),
        ("nim saat dige", "11:50"),
    ],
)
def test_a_time_is_read_however_it_is_written(text: str, time: str) -> None:
    assert read(text) == [value(time)]


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("ساعت ۵", "17:00 05:00"),
        ("ساعت پنج و نیم", "17:30 05:30"),
        ("ساعت ۸", "08:00 20:00"),
        ("ساعت ۱۰", "10:00 22:00"),
        ("ساعت ۱۲", "12:00 00:00"),
        ("۸:۳۰", "08:30 20:30"),
        ("۸ونیم", "08:30 20:30"),
        ("یه ربع به شش", "17:45 05:45"),
        ("فردا ۵ میام", "17:00 05:00"),
        ("از ۱۰ تا ۱۲", "10:00-12:00 22:00-24:00"),
        ("بین ده تا دوازده", "10:00-12:00 22:00-24:00"),
        ("ساعت ۹-۱۲", "09:00-12:00 21:00-24:00"),
        ("ساعت ۱۱ تا ۱", "11:00-13:00 23:00-01:00"),
        ("بعد از ساعت ۵", "17:00-24:00 05:00-24:00"),
        ("از ۵ به بعد", "17:00-24:00 05:00-24:00"),
        ("تا ساعت ۵", "00:00-17:00 00:00-05:00"),
        ("تا عصر", "00:00-16:00 00:00-20:00"),
        ("دو سه ساعت دیگه", "13:20 14:20"),
    ],
)
def test_what_may_be_two_times_is_left_open(text: str, times: str) -> None:
    assert read(text) == [[value(time) for time in times.split()]]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "سلام",
        "صبح بخیر",
        "صبحتون بخیر",
        "سلام صبح شما بخیر",
        "صبح همگی به خیر",
        "عصر بخیر",
        "عصرتون بخیر",
        "شب خوش",
        "شبتون بخیر",
        "شب شما هم بخیر",
        "روزتون بخیر",
        "وقت بخیر",
        "عصر خوبی داشته باشید",
        "sobh bekheir",
        "shab bekheyr",
        "ساعت کاری شما چیه",
        "ساعت مچی خریدم",
        "تا ساعت چند هستید",
        "چند ساعت باز هستید",
        "یه ساعته منتظرم",
        "نیم ساعته منتظرم",
        "۲ ساعت منتظر موندم",
        "۲۰ دقیقه پشت خط بودم",
        "دو ساعت قبل از تحویل",
        "۲۴ ساعته",
        "هر دو ساعت",
        "هر شب",
        "دو شب هتل",
        "سه شب پیش",
        "شب یلدا",
        "شب اول صدا میومد",
        "دو شبه منتظرم",
        "شماره شبا",
        "good night",
        "شب عید",
        "کرم شب",
        "خیابان ولی عصر",
        "میدان ولی‌عصر",
        "۵ تا ۷ روز کاری",
        "بین ۲ تا ۳ هفته",
        "از ۱۰ تا ۲۰ آبان",
        "از ۱ تا ۵ چه نمره‌ای میدی",
        "۱۰ تا ۱۲ نفر",
        "دو تا پیراهن خریدم",
        "دو و نیم میلیون",
        "۸ از ۱۰",
        "ساعت ۲۵",
        "ساعت ۱۰:۷۵",
        "نه ممنون",
        "۰۹۱۲۳۴۵۶۷۸۹",
        "قبل از عید",
        "بعد از ناهار",
    ],
)
def test_what_tells_no_hour_is_no_time(text: str) -> None:
    assert read(text) == []


@pytest.mark.parametrize("place", ["پلاک ۸", "واحد ۶", "کوچه ۴", "pelak 8"])
def test_the_number_of_a_house_is_no_hour(place: str) -> None:
    assert [time.value for time in find_times(f"{place}، فردا صبح", now=NOW)] == [
        {"from": "08:00", "to": "12:00"}
    ]


def test_several_times_keep_their_own_parts_of_the_day() -> None:
    assert read("صبح ساعت ۹ و عصر ساعت ۵") == ["09:00", "17:00"]
    assert read("ساعت ۵ یا ۶ عصر") == ["17:00", "18:00"]
    assert read("فردا صبح یا عصر") == [value("08:00-12:00"), value("16:00-20:00")]
    assert read("صبح زنگ میزنم، شب بخیر") == [value("08:00-12:00")]


def test_parts_of_the_day_are_those_of_the_business() -> None:
    parts = {"morning": ("09:00", "13:00")}
    found = find_times("صبح یا عصر", now=NOW, day_parts=parts)
    assert [one.value for one in found] == [value("09:00-13:00"), value("16:00-20:00")]


def test_now_is_that_of_tehran() -> None:
    now = datetime(2026, 12, 1, 20, 15, tzinfo=ZoneInfo("UTC"))
    assert read("نیم ساعت دیگه", now) == ["00:15"]


def test_offsets_lead_into_the_text_as_it_was_typed() -> None:
    text = "لطفاً  ساعتِ ۵ عصر  زنگ بزنید"
    found = find_times(text, now=NOW)[0]
    assert text[found.start : found.end] == "ساعتِ ۵ عصر"


@given(st.times(), st.sampled_from(["{0:02}:{1:02}", "ساعت {0:02}:{1:02}", "فردا ساعت {0:02}:{1:02} میام"]))
def test_an_hour_of_two_figures_and_its_minutes_are_exact(time: object, form: str) -> None:
    hour, minute = time.hour, time.minute  # type: ignore[attr-defined]
    text = form.format(hour, minute)
    for written in (text, to_persian_digits(text)):
        assert read(written) == [f"{hour:02}:{minute:02}"]


@given(st.integers(1, 11), st.sampled_from(["صبح", "عصر"]), st.sampled_from(["{} {}", "ساعت {} {}"]))
def test_a_part_of_the_day_tells_which_hour_is_meant(hour: int, part: str, form: str) -> None:
    expected = hour + 12 if part == "عصر" else hour
    assert read(to_persian_digits(form.format(hour, part))) == [f"{expected:02}:00"]


@given(st.integers(2, 59))
def test_distances_are_counted_from_now(minutes: int) -> None:
    assert read(f"{minutes} دقیقه دیگه") == [f"{NOW + timedelta(minutes=minutes):%H:%M}"]
    assert read(f"{minutes} دقیقه پیش") == [f"{NOW - timedelta(minutes=minutes):%H:%M}"]


@given(st.text(max_size=60))
def test_no_text_breaks_the_reading(text: str) -> None:
    for found in find_times(text, now=NOW):
        assert 0 <= found.start < found.end <= len(text)
        assert (found.value is None) == (len(found.candidates) > 1)
