"""Streams of one person share the question whether they may go on."""

import asyncio

from launchpad.streams import Permits


class Door:
    """Counts how often it was asked, and says what it is told to say."""

    def __init__(self):
        self.asked = 0
        self.is_open = True

    async def ask(self):
        self.asked += 1
        await asyncio.sleep(0)
        return self.is_open


def test_all_streams_of_a_key_are_answered_by_one_question_a_beat():
    async def told():
        permits, mine, theirs = Permits(0.01), Door(), Door()
        for key in ("mine", "mine", "theirs"):
            permits.enter(key)
        assert await permits.holds("mine", mine.ask)
        mine.is_open = False
        while all(await asyncio.gather(*(permits.holds("mine", mine.ask) for _ in range(50)))):
            assert await permits.holds("theirs", theirs.ask)
        return mine.asked

    # A beat may end while the fifty are on their way.
    assert asyncio.run(told()) in (1, 2)


def test_who_comes_after_all_have_left_is_asked_for_anew():
    async def told():
        permits, door = Permits(3600), Door()
        permits.enter("key")
        door.is_open = False
        known = await permits.holds("key", door.ask)
        permits.leave("key")
        return known, await permits.holds("key", door.ask), door.asked

    assert asyncio.run(told()) == (True, False, 1)


def test_one_who_hangs_up_leaves_the_answer_to_the_others():
    async def told():
        permits, gate = Permits(3600), asyncio.Event()

        async def ask():
            await gate.wait()
            return True

        first = asyncio.ensure_future(permits.holds("key", ask))
        second = asyncio.ensure_future(permits.holds("key", ask))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        gate.set()
        return await second

    assert asyncio.run(told())
