"""Token buckets."""

from __future__ import annotations

import asyncio

import pytest

from bot.gateway.pacing import Pacer, TokenBucket, group_pace
from bot.gateway.waiting import Recovery, growing_pauses


async def test_a_burst_passes_at_once_and_the_rest_waits() -> None:
    bucket = TokenBucket(per_second=0.001, burst=3)
    waiting = [asyncio.ensure_future(bucket.acquire()) for _ in range(5)]
    await asyncio.sleep(0.05)
    assert [task.done() for task in waiting] == [True, True, True, False, False]
    for task in waiting:
        task.cancel()


async def test_the_urgent_pass_before_those_who_came_first() -> None:
    bucket = TokenBucket(per_second=5, burst=1)
    await bucket.acquire()
    passed: list[str] = []

    async def wait(name: str, priority: int) -> None:
        await bucket.acquire(priority)
        passed.append(name)

    await asyncio.gather(wait("bulk 1", 10), wait("bulk 2", 10), wait("answer", 0))
    assert passed == ["answer", "bulk 1", "bulk 2"]


async def test_who_gave_up_takes_no_token() -> None:
    bucket = TokenBucket(per_second=20, burst=1)
    await bucket.acquire()
    gave_up = asyncio.ensure_future(bucket.acquire())
    await asyncio.sleep(0)
    gave_up.cancel()
    await asyncio.wait_for(bucket.acquire(), 2)


async def test_a_group_gets_a_few_messages_and_then_waits_for_seconds_whatever_the_topic() -> None:
    pacer = Pacer(per_second=100, chat_burst=5, chat_per_second=100)
    for number in range(4):
        await asyncio.wait_for(pacer.wait(f"-100#{number}", 0), 1)
    next_one = asyncio.ensure_future(pacer.wait("-100#77", 0))
    await asyncio.wait_for(pacer.wait("7", 0), 1)
    await asyncio.sleep(0.05)
    assert not next_one.done()
    next_one.cancel()


def test_a_fifth_of_what_a_group_takes_leaves_at_once_and_one_is_kept_to_spare() -> None:
    assert group_pace(Pacer.USUAL_GROUP_PACE) == (4.0, 4.0)
    for per_minute in range(3, 200):
        burst, seconds = group_pace(per_minute)
        assert burst + 60 / seconds == pytest.approx(per_minute - 1)
    assert group_pace(1) == group_pace(2) == (1.0, 120.0)


async def test_the_owner_sets_the_pace_of_the_staffs_group_whatever_its_messenger() -> None:
    pacer = Pacer(per_second=100, chat_burst=50, chat_per_second=100, group_per_minute=10)
    pacer.add_group("5123")
    for chat in ("-100", "5123"):
        for _ in range(2):
            await asyncio.wait_for(pacer.wait(chat, 0), 1)
        next_one = asyncio.ensure_future(pacer.wait(chat, 0))
        await asyncio.sleep(0.05)
        assert not next_one.done()
        next_one.cancel()
    for _ in range(50):
        await asyncio.wait_for(pacer.wait("7", 0), 1)


async def test_a_group_that_was_told_too_much_gets_nothing_for_a_while_in_none_of_its_topics() -> None:
    pacer = Pacer(per_second=100, chat_burst=5, chat_per_second=100)
    pacer.hold("-100#1", 30)
    pacer.hold("7", 30)
    waits = asyncio.ensure_future(pacer.wait("-100#2", 0))
    await asyncio.wait_for(pacer.wait("7", 0), 1)
    await asyncio.sleep(0.05)
    assert not waits.done()
    waits.cancel()


async def test_idle_chats_are_forgotten() -> None:
    pacer = Pacer(per_second=10_000, chat_burst=5, chat_per_second=10_000)
    for chat in range(2 * Pacer.FORGET_ABOVE):
        await pacer.wait(str(chat), 0)
    assert len(pacer._chats) <= Pacer.FORGET_ABOVE + 1


def test_pauses_grow_up_to_the_longest() -> None:
    pauses = growing_pauses(1, 5)
    assert [next(pauses) for _ in range(5)] == [1, 2, 4, 5, 5]


async def test_all_who_wait_are_woken_when_it_is_back() -> None:
    recovery = Recovery()
    waiting = [asyncio.ensure_future(recovery.pause(60)) for _ in range(3)]
    await asyncio.wait_for(recovery.someone_waits(), 1)
    recovery.announce()
    await asyncio.wait_for(asyncio.gather(*waiting), 1)
    assert not recovery.has_waiting
