"""The asyncio twin: nothing that waits holds the loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

import mpguard
import mpguard.aio
import pytest
from conftest import CREDITS, ENTITLEMENTS, Shop


def play(scene: Coroutine[Any, Any, None]) -> None:
    """Run a scene to its end, in debug mode and within a time."""

    async def within() -> None:
        await asyncio.wait_for(scene, 30)

    asyncio.run(within(), debug=True)


def test_a_product_lives_in_a_loop(shop: Shop) -> None:
    shop.sell("Basic")

    async def scene() -> None:
        async with await mpguard.aio.init(**shop.config("usage+contract")) as guard:
            assert guard.verdict() == guard.license().verdict == "licensed"
            guard.require()
            assert guard.has("Basic")
            assert repr(guard) == "<mpguard.aio.Guard: licensed>"
            guard.meter("requests").add(3)
            async with await guard.check_out("Seats") as seat:
                assert (seat.entitlement, seat.count, seat.held) == ("Seats", 1, True)
                assert seat.expires_ms > 0
                assert seat.number > 0
            assert not seat.held
            [requests, *_] = await guard.account()
            assert requests.added == 3
            assert (await guard.flush(timedelta(seconds=5))).recorded == 0
            assert guard.stats().calls > 0
            assert (await guard.shutdown(timedelta(seconds=5))).recorded == 3
            with pytest.raises(mpguard.ShutDownError):
                await guard.shutdown()

    play(scene())


def test_leaving_the_block_shuts_down(shop: Shop) -> None:
    async def scene() -> None:
        with pytest.raises(ZeroDivisionError):
            async with await mpguard.aio.init(**shop.config("usage")) as guard:
                guard.meter("requests").add(3)
                1 / 0  # noqa: B018

    play(scene())
    assert shop.sandbox.bill()["totals"]["3xmpl"]["requests"] == "3"


def test_errors_are_the_same(offline_config: dict[str, Any]) -> None:
    async def scene() -> None:
        with pytest.raises(mpguard.InvalidConfigError):
            await mpguard.aio.init_from_json("{")
        with pytest.raises(mpguard.InvalidConfigError):
            await mpguard.aio.init(**{**offline_config, "colour": "red"})

    play(scene())


def test_every_iterator_hears_the_state_and_ends_with_the_guard(shop: Shop) -> None:
    async def scene() -> None:
        guard = await mpguard.aio.init(**shop.config("hourly"))

        async def hear() -> list[str]:
            return [event.license.verdict async for event in guard.events()]

        listeners = [asyncio.create_task(hear()) for _ in range(2)]
        await asyncio.sleep(0.2)
        await guard.shutdown()
        for heard in await asyncio.gather(*listeners):
            assert "licensed" in heard
        assert [event async for event in guard.events()] == []

    play(scene())


def test_an_iterator_that_is_left_hears_no_more(shop: Shop) -> None:
    async def scene() -> None:
        async with await mpguard.aio.init(**shop.config("hourly")) as guard:
            events = guard.events()
            async for event in events:
                assert event.kind == "verdict_changed"
                break
            await events.aclose()  # type: ignore[attr-defined]
            assert guard.sync._callbacks._callbacks == {}

    play(scene())


def test_the_loop_runs_while_a_guard_starts(offline_config: dict[str, Any]) -> None:
    async def scene() -> None:
        config = {**offline_config, "startup_timeout_ms": 300}
        start = asyncio.create_task(mpguard.aio.init(**config))
        ticks = 0
        while not start.done():
            await asyncio.sleep(0.005)
            ticks += 1
        assert ticks > 10
        await start.result().shutdown(timedelta(0))

    play(scene())


def test_a_loop_that_is_gone_breaks_nothing(shop: Shop) -> None:
    guard = mpguard.aio.Guard(shop.init("hourly"))
    events = guard.events()
    loop = asyncio.new_event_loop()
    assert loop.run_until_complete(anext(events)).kind == "verdict_changed"
    loop.close()  # with the iterator still open, as a product does that stops in a hurry
    guard.sync.shutdown()
    assert guard.stats().listener_failures == 0


def credits(account: list[mpguard.Account]) -> mpguard.Account:
    [found] = [each for each in account if each.dimension == "Credits"]
    return found


def test_a_cancelled_wait_takes_no_seat(shop: Shop) -> None:
    shop.sell("Basic", seats=1)

    async def scene() -> None:
        async with await mpguard.aio.init(**shop.config("contract", seat_linger_ms=0)) as guard:
            held = await guard.check_out("Seats")
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(guard.check_out("Seats", timeout=timedelta(minutes=5)), 0.2)
            before = len(shop.sandbox.get("requests?operation=CheckoutLicense")["requests"])
            await asyncio.to_thread(shop.sandbox.advance, timedelta(minutes=2), step=timedelta(seconds=5))
            after = len(shop.sandbox.get("requests?operation=CheckoutLicense")["requests"])
            assert after == before  # nobody asks for who waits no more
            await held.check_in()
            assert shop.seats_in_use() == 0
            seat = await guard.check_out("Seats", timeout=timedelta(seconds=5))
            assert seat.held

    play(scene())


def test_a_seat_that_comes_after_the_cancelling_goes_back(shop: Shop) -> None:
    shop.sell("Basic", seats=1)

    async def scene() -> None:
        async with await mpguard.aio.init(**shop.config("contract", seat_linger_ms=0)) as guard:
            delay(shop)
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(guard.check_out("Seats"), 0.1)
            seat = await guard.check_out("Seats", timeout=timedelta(seconds=10))
            assert shop.seats_in_use() == 1
            await seat.check_in()
            assert shop.seats_in_use() == 0

    play(scene())


def test_a_cancelled_draw_books_nothing_and_its_units_serve_the_next(shop: Shop) -> None:
    """T54."""
    shop.sell("Basic", credits=100)

    async def scene() -> None:
        config = shop.config("contract", entitlements=[*ENTITLEMENTS, CREDITS])
        async with await mpguard.aio.init(**config) as guard:
            delay(shop)
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(guard.draw_down("Credits", 5), 0.1)
            assert credits(await guard.account()).delivered == 0
            await guard.draw_down("Credits", 5)
            account = credits(await guard.account())
            assert (account.added, account.open, account.delivered) == (5, 0, 5)
            assert shop.credits_drawn() == 5

    play(scene())


def test_a_draw_that_is_cancelled_when_its_answer_is_there_is_taken_back(shop: Shop) -> None:
    """T54: the task never came to its work, so another one may."""
    shop.sell("Basic", credits=100)

    async def scene() -> None:
        config = shop.config("contract", entitlements=[*ENTITLEMENTS, CREDITS])
        async with await mpguard.aio.init(**config) as guard:
            task = asyncio.create_task(guard.draw_down("Credits", 5))
            await asyncio.sleep(0)
            while credits(guard.sync.account()).delivered == 0:  # the loop stands: the task cannot hear of it
                time.sleep(0.01)
            time.sleep(0.1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            account = credits(await guard.account())
            assert (account.added, account.open, account.delivered) == (5, 5, 0)
            await guard.draw_down("Credits", 5)
            assert shop.credits_drawn() == 5

    play(scene())


def test_customers_who_wait_hold_neither_the_loop_nor_its_executor(shop: Shop) -> None:
    shop.sell("Basic", seats=1)

    async def scene() -> None:
        async with await mpguard.aio.init(**shop.config("contract")) as guard:
            seat = await guard.check_out("Seats")
            waiting = [asyncio.create_task(guard.check_out("Seats")) for _ in range(64)]
            start, ticks = time.monotonic(), 0
            while time.monotonic() - start < 0.5:
                await asyncio.sleep(0.005)
                ticks += 1
            assert ticks >= 3
            await asyncio.wait_for(asyncio.to_thread(time.time), 5)
            for task in waiting:
                task.cancel()
            assert all(
                isinstance(each, asyncio.CancelledError)
                for each in await asyncio.gather(*waiting, return_exceptions=True)
            )
            await seat.check_in()

    play(scene())


def delay(shop: Shop) -> None:
    shop.sandbox.post("faults", {"operation": "CheckoutLicense", "kind": "delay", "delay_ms": 600})
