"""Garbage collection in a web process: short pauses, seldom."""

import gc

# Objects made before the youngest are looked through; a list page makes about a hundred thousand.
_YOUNG = 10_000


def settle() -> None:
    """Call once when everything is imported: what is there by now is not looked through again.

    Modules and models are two hundred thousand objects that live as long as the process does; walking over
    them takes longer than making a page, and would happen in the middle of one.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])
