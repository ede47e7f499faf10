"""What tells who somebody is becomes a stand-in of the same kind."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_store.persian import find_phones, find_tracking_codes, new_tracking_code
from crm_store.persian.masking import CODE, PHONE, mask_particulars


@pytest.mark.parametrize(
    ("typed", "masked"),
    [
        ("شماره‌م ۰۹۳۵ ۱۲۳ ۷۷۶۶ هست زنگ بزنید", "شماره‌م ۰۹۱۲۰۰۰۰۰۰۰ هست زنگ بزنید"),
        ("+98 935 123 7766 is my number", "09120000000 is my number"),
        ("به ali.r@gmail.com بفرستید", "به name@example.com بفرستید"),
        ("آیدیم @ali_r هست", "آیدیم @name هست"),
        ("تو digikala.com/p/123 دیدم", "تو https://example.com دیدم"),
        ("سفارش ORD-77123 نیومده", "سفارش ORD-12345 نیومده"),
        ("۲۵۰ هزار تومن اضافه گرفتید", "۱۲۳ هزار تومن اضافه گرفتید"),
        ("٢٥٠,٠٠٠ تومان", "۱۲۳,۱۲۳ تومان"),
        ("کارتم 6037-9911-2233-4455", "کارتم 1234-1234-1234-1234"),
        ("متولد ۱۳۶۹/۰۱/۰۲", "متولد ۱۴۰۰/۰۱/۰۱"),
        ("0912 123 456 رو گرفتم", "1234 123 123 رو گرفتم"),
        ("از ۵ امتیاز ۴ میدم", "از ۵ امتیاز ۴ میدم"),
        ("تا ساعت ۱۰:۳۰ باز هستید؟", "تا ساعت ۱۰:۳۰ باز هستید؟"),
        ("۲ تا پیتزا، ۳۰ دقیقه دیر", "۲ تا پیتزا، ۳۰ دقیقه دیر"),
    ],
)
def test_particulars_go_and_what_was_meant_stays(typed: str, masked: str) -> None:
    assert mask_particulars(typed) == masked


def test_stand_ins_are_of_the_kind_that_they_stand_for() -> None:
    text = mask_particulars(f"کد {new_tracking_code()} شماره 09351237766")
    assert text == f"کد {CODE} شماره {PHONE}"
    assert len(find_phones(text)) == 1
    assert len(find_tracking_codes(text)) == 1


@given(st.text(alphabet=st.sampled_from("۰۱۲۳۹۱09+- ./@aآبت‌هزارتومن"), max_size=40))
def test_masking_again_changes_nothing(text: str) -> None:
    masked = mask_particulars(text)
    assert mask_particulars(masked) == masked
