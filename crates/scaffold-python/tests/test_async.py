"""Answers in programs of asyncio."""

from __future__ import annotations

import asyncio
import time

import pytest

from scaffold_llm import LLM, AsyncLLM, TooLargeError, UsageError


@pytest.fixture
def model(llm: LLM) -> AsyncLLM:
    return AsyncLLM(llm)


def test_an_answer_is_that_of_a_thread(model: AsyncLLM, llm: LLM) -> None:
    async def run() -> None:
        answer = await model.generate("x", seed=1, max_new_tokens=20)
        assert answer.ids == llm.generate("x", seed=1, max_new_tokens=20).ids
        chat = await model.chat("x", seed=1, max_new_tokens=20)
        assert chat.text == answer.text
        assert await model.generate_response("x", seed=1, max_new_tokens=20) == answer.text
        many = await model.generate(["a", "b"], seed=1, max_new_tokens=4)
        assert [one.ids for one in many] == [llm.generate(p, seed=1, max_new_tokens=4).ids for p in "ab"]

    asyncio.run(run())


def test_a_stream_comes_piece_by_piece(model: AsyncLLM, llm: LLM) -> None:
    async def run() -> None:
        whole = llm.generate("tell", seed=2, max_new_tokens=40)
        stream = model.generate_stream("tell", seed=2, max_new_tokens=40)
        with pytest.raises(UsageError, match="not begun"):
            stream.answer
        assert "".join([text async for text in stream]) == whole.text
        assert stream.answer.ids == whole.ids
        pieces = [piece async for piece in model.chat_stream("tell", seed=2, max_new_tokens=40).pieces()]
        assert "".join(piece.text for piece in pieces) == whole.text

    asyncio.run(run())


def test_many_tasks_share_the_model_while_the_loop_goes_on(model: AsyncLLM) -> None:
    async def run() -> int:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.001)
                ticks += 1

        ticking = asyncio.create_task(tick())
        answers = await asyncio.gather(*(model.generate(f"{n}", max_new_tokens=30, ignore_eos=True) for n in range(300)))
        ticking.cancel()
        assert all(answer.usage.completion_tokens == 30 for answer in answers)
        return ticks

    assert asyncio.run(run()) > 20


def test_a_task_that_is_cancelled_cancels_its_request_and_frees_its_memory(model: AsyncLLM, llm: LLM) -> None:
    async def run() -> None:
        before = llm.metrics["cancelled"]
        whole = asyncio.create_task(model.generate("x", ignore_eos=True, max_new_tokens=1800))

        async def read() -> None:
            async for _ in model.generate_stream("y", ignore_eos=True, max_new_tokens=1800):
                pass

        pieces = asyncio.create_task(read())
        await asyncio.sleep(0.1)
        for task in (whole, pieces):
            assert task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        await free(llm)
        assert llm.metrics["cancelled"] == before + 2

    asyncio.run(run())


async def free(llm: LLM) -> None:
    """Waits until no request holds memory; the next step of the model sees that one was cancelled."""
    end = time.monotonic() + 10
    while llm.metrics["blocks"]["held"] or llm.metrics["running"]:
        assert time.monotonic() < end, llm.metrics
        await asyncio.sleep(0.01)


def test_a_stream_that_is_left_or_forgotten_ends_its_request(model: AsyncLLM, llm: LLM) -> None:
    async def run() -> None:
        async with model.generate_stream("x", ignore_eos=True, max_new_tokens=1800) as stream:
            assert await stream.next_piece()
        assert (await stream.next_piece()) is None
        forgotten = model.generate_stream("x", ignore_eos=True, max_new_tokens=1800)
        assert await forgotten.next_piece()
        del forgotten
        await free(llm)

    asyncio.run(run())


def test_a_time_limit_of_asyncio_ends_a_request(model: AsyncLLM, llm: LLM) -> None:
    async def run() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(model.generate("x", ignore_eos=True, max_new_tokens=1900), 0.05)
        await free(llm)

    asyncio.run(run())


def test_further_tasks_wait_for_their_turn(llm: LLM) -> None:
    async def run() -> None:
        model = AsyncLLM(llm, max_concurrent=2)
        tasks = [asyncio.create_task(model.generate("x", ignore_eos=True, max_new_tokens=1500)) for _ in range(5)]
        await asyncio.sleep(0.1)
        metrics = llm.metrics
        assert metrics["running"] + metrics["waiting"] <= 2
        # Places that cancelled tasks had are free again.
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        answers = await asyncio.wait_for(asyncio.gather(*(model.generate("x", max_new_tokens=1) for _ in range(5))), 20)
        assert len(answers) == 5

    asyncio.run(run())


def test_failures_are_raised_where_they_are_waited_for(model: AsyncLLM) -> None:
    async def run() -> None:
        with pytest.raises(TooLargeError):
            await model.generate("long " * 2000)
        with pytest.raises(UsageError, match="temperature"):
            async for _ in model.chat_stream("x", temprature=1):  # type: ignore[call-arg]
                pass
        with pytest.raises(TooLargeError):
            await model.generate(["x", "long " * 2000], max_new_tokens=2)

    asyncio.run(run())


def test_one_model_serves_loops_one_after_the_other(model: AsyncLLM) -> None:
    async def run() -> int:
        return (await model.generate("x", ignore_eos=True, max_new_tokens=2)).usage.completion_tokens

    assert [asyncio.run(run()) for _ in range(3)] == [2, 2, 2]


def test_a_model_is_opened_while_the_loop_goes_on(models) -> None:
    async def run() -> None:
        async with await AsyncLLM.open(models / "chat", threads=1) as model:
            assert (await model.chat("x", max_new_tokens=1)).ids
        with pytest.raises(UsageError, match="closed"):
            await model.chat("x")

    asyncio.run(run())


def test_what_it_cannot_be_made_of_is_refused(llm: LLM) -> None:
    with pytest.raises(UsageError, match="1 or more"):
        AsyncLLM(llm, max_concurrent=0)
    with pytest.raises(UsageError, match="loaded already"):
        AsyncLLM(llm, threads=2)
