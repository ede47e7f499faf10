"""Spoken, written and inflected forms of a word share a stem."""

from __future__ import annotations

import pytest

from bot.nlu.spoken import stem, written
from crm_store.persian import fold


@pytest.mark.parametrize(
    "forms",
    [
        "می‌خواهم میخوام نمیخوام بخوام خواستم میخام",
        "نمیتونم نمی‌توانم میتونید",
        "می‌شود میشه نمیشه شد نشد",
        "بگید بگویید گفتم نمیگه",
        "بفرستید فرستادین نمی‌فرستید",
        "گوشیم گوشیتون گوشیمو گوشی",
        "شکایتم شکایتمو شکایت شکایت‌هام",
        "امتیازام امتیازم امتیازهایم امتیاز",
        "واسه برای برا",
        "چجوری چگونه چطوری",
        "اونا آن‌ها اونها",
        "رو را",
    ],
)
def test_forms_of_one_word_have_one_stem(forms: str) -> None:
    assert len({stem(fold(form)) for form in forms.split()}) == 1


def test_different_words_keep_different_stems() -> None:
    words = "شکایت سفارش امتیاز نظر تعمیر نصب پول پیک خواستن گفتن"
    assert len({stem(fold(word)) for word in words.split()}) == len(words.split())


def test_a_written_word_is_its_own_written_form() -> None:
    assert written("کتاب") == "کتاب"
    assert written("واسه") == "برای"
