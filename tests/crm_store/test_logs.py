from __future__ import annotations

import pytest

from crm_store.logs import redact


@pytest.mark.parametrize(
    "text",
    [
        "GET https://api.telegram.org/bot123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/getMe",
        "token 123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw refused",
    ],
)
def test_a_bot_token_is_masked_wherever_it_stands(text: str) -> None:
    assert "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw" not in redact(text)


@pytest.mark.parametrize("phone", ["09123456789", "+989123456789", "00989123456789"])
def test_a_phone_number_is_masked(phone: str) -> None:
    assert redact(f"call {phone} now") == "call [phone] now"


def test_ordinary_numbers_stay() -> None:
    assert redact("inbox_id=12345678 port=45123 took 0912 ms") == "inbox_id=12345678 port=45123 took 0912 ms"
