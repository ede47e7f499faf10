"""Token buckets."""

from __future__ import annotations

import asyncio

from bot.gateway.pacing import Pacer, TokenBucket
from bot.gateway.waiting import Recovery, growing_pauses


async def test_a_burst_passes_at_once_and_the_rest_waits() -> None:
    bucket = TokenBucket(per_second=0.001, burst=3)
    waiting = [asyncio.ensure_future(bucket.acquire()) for _ in range(5)]
    await asyncio.sleep(0.05)
    assert [task.done() for task in waiting] == [True, True, True, False, False]
    for task in waiting:
        task.cancel()


async def test_the_urgent_pass_before_those_who_came_first() -> None:
    bucket = TokenBucket(per_second=50, burst=1)
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


async def test_a_group_gets_one_message_and_then_waits_for_seconds() -> None:
    pacer = Pacer(per_second=100, chat_burst=5, chat_per_second=100)
    await pacer.wait("-100", 0)
    second = asyncio.ensure_future(pacer.wait("-100", 0))
    await asyncio.wait_for(pacer.wait("7", 0), 1)
    await asyncio.sleep(0.05)
    assert not second.done()
    second.cancel()


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
