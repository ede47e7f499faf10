"""The stand-in for Rasa keeps the gateway to the interface."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.fakes.rasa_turns import SECRET, FakeRasa


@pytest.fixture
async def rasa() -> AsyncIterator[FakeRasa]:
    """A running stand-in."""
    fake = FakeRasa()
    await fake.start()
    yield fake
    await fake.stop()


def turn(**changes: Any) -> dict[str, Any]:
    """A well-formed turn with a text, changed as wanted."""
    body: dict[str, Any] = {
        "sender": "12",
        "message_id": "345",
        "channel": "telegram",
        "text": "سلام",
        "payload": None,
        "attachments": [],
        "contact": None,
        "metadata": {"correlation_id": "c-1", "audience": "customer", "edited": False, "expected": None},
    }
    return body | changes


async def ask(
    rasa: FakeRasa, body: dict[str, Any], secret: str = SECRET, timeout: float | httpx.Timeout = 5
) -> httpx.Response:
    """Send one turn as the gateway does."""
    async with httpx.AsyncClient(base_url=rasa.base_url, trust_env=False) as client:
        return await client.post(
            "/webhooks/gateway/turn", json=body, headers={"X-Peyvand-Secret": secret}, timeout=timeout
        )


async def test_a_turn_is_answered_by_the_tests_handler(rasa: FakeRasa) -> None:
    rasa.on_turn = lambda body: [{"text": body["text"], "buttons": [{"title": "بله", "payload": "/affirm"}]}]
    answer = (await ask(rasa, turn())).json()
    assert answer["messages"] == [{"text": "سلام", "buttons": [{"title": "بله", "payload": "/affirm"}]}]
    assert answer["replayed"] is False
    assert rasa.turns_of("12") == [turn()]


async def test_a_repeated_message_gets_the_first_answer_without_a_new_turn(rasa: FakeRasa) -> None:
    first = (await ask(rasa, turn())).json()
    again = (await ask(rasa, turn())).json()
    assert again == first | {"replayed": True}
    assert (len(rasa.turns), len(rasa.handled), rasa.violations) == (2, 1, [])


async def test_a_repeated_message_with_another_content_is_a_violation(rasa: FakeRasa) -> None:
    await ask(rasa, turn())
    await ask(rasa, turn(text="خداحافظ"))
    assert len(rasa.violations) == 1


async def test_a_wrong_secret_is_refused(rasa: FakeRasa) -> None:
    assert (await ask(rasa, turn(), secret="wrong")).status_code == 401
    assert rasa.turns == []


@pytest.mark.parametrize(
    "changes",
    [
        {"text": None},
        {"payload": "/affirm"},
        {"text": None, "payload": "affirm"},
        {"contact": "+989120000000"},
        {"text": None, "contact": "0912"},
        {"text": ""},
        {"sender": 12},
        {"channel": "sms"},
        {"attachments": [{"id": "3", "kind": "photo"}]},
        {"metadata": {"correlation_id": "c-1"}},
        {"extra": 1},
    ],
)
async def test_a_malformed_turn_is_refused_and_noted(rasa: FakeRasa, changes: dict[str, Any]) -> None:
    assert (await ask(rasa, turn(**changes))).status_code == 400
    assert len(rasa.violations) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"attachments": [{"id": 3, "kind": "photo"}]},
        {"text": None, "attachments": [{"id": 3, "kind": "photo"}]},
        {"text": None, "contact": "+989120000000"},
        {"text": None, "payload": '/choose_category{"category": "delivery"}'},
    ],
)
async def test_every_allowed_content_is_accepted(rasa: FakeRasa, changes: dict[str, Any]) -> None:
    assert (await ask(rasa, turn(**changes))).status_code == 200
    assert rasa.violations == []


async def test_failures_come_as_often_as_asked_and_are_not_remembered(rasa: FakeRasa) -> None:
    rasa.fail_next(status=503)
    rasa.fail_next(status=500)
    rasa.empty_next()
    answers = [await ask(rasa, turn()) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [503, 500, 200, 200]
    assert [answer.json()["messages"] for answer in answers[2:]] == [[], [{"text": "echo 345"}]]
    assert len(rasa.handled) == 1


async def test_an_error_in_the_handler_is_a_failed_turn(rasa: FakeRasa) -> None:
    def broken(body: dict[str, Any]) -> list[dict[str, Any]]:
        raise RuntimeError("no store")

    rasa.on_turn = broken
    answer = await ask(rasa, turn())
    assert (answer.status_code, answer.json()["error"]) == (500, "failed")


async def test_a_turn_may_be_done_although_its_answer_never_came(rasa: FakeRasa) -> None:
    rasa.drop_next()
    with pytest.raises(httpx.TransportError):
        await ask(rasa, turn())
    assert (await ask(rasa, turn())).json()["replayed"] is True
    assert len(rasa.handled) == 1


async def test_two_turns_of_one_conversation_at_once_are_a_violation(rasa: FakeRasa) -> None:
    rasa.slow_next(1.0, times=3)
    await asyncio.gather(
        ask(rasa, turn(sender="1", message_id="1")),
        ask(rasa, turn(sender="2", message_id="2")),
        ask(rasa, turn(sender="1", message_id="3")),
    )
    assert rasa.violations == ["two turns of conversation 1 at the same time"]


async def test_a_client_that_gave_up_on_a_slow_turn_may_ask_again(rasa: FakeRasa) -> None:
    rasa.slow_next(30)
    with pytest.raises(httpx.ReadTimeout):
        await ask(rasa, turn(), timeout=httpx.Timeout(5, read=0.5))
    assert (await ask(rasa, turn())).json()["replayed"] is True
    assert (len(rasa.handled), rasa.violations) == (1, [])


async def test_it_can_be_down_and_come_back_at_the_same_address(rasa: FakeRasa) -> None:
    await ask(rasa, turn())
    await rasa.stop()
    with pytest.raises(httpx.ConnectError):
        await ask(rasa, turn())
    await rasa.start()
    assert (await ask(rasa, turn())).json()["replayed"] is True


async def test_readiness_is_what_the_test_says(rasa: FakeRasa) -> None:
    async with httpx.AsyncClient(base_url=rasa.base_url, trust_env=False) as client:
        ready = await client.get("/webhooks/gateway/ready")
        rasa.is_ready = False
        unready = await client.get("/webhooks/gateway/ready")
    assert (ready.status_code, unready.status_code) == (200, 503)
