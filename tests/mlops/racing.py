"""Two who act at the same moment, on connections of their own."""

import threading

from django.db import connection, transaction


def beside(first, second):
    """What `second` raises, begun on a connection of its own before what `first` did is committed."""
    asked, raised = threading.Event(), []

    def watched(execute, sql, params, many, context):
        asked.set()
        return execute(sql, params, many, context)

    def work():
        try:
            with connection.execute_wrapper(watched):
                second()
        except Exception as error:  # noqa: BLE001 (a thread's error would be lost; the test looks at it)
            raised.append(error)
        finally:
            connection.close()

    other = threading.Thread(target=work)
    with transaction.atomic():
        first()
        other.start()
        asked.wait(10)
        # Long enough for an unlocked read to see the rows as they were.
        other.join(0.3)
    other.join(120)
    assert not other.is_alive()
    return raised
