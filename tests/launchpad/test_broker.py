"""The folder of messages under many writers and readers at once."""

import threading
from queue import Empty

import pytest
from kombu import Connection, Exchange, Queue

MESSAGES = 1000
TRANSPORT = "launchpad.broker:Transport"


@pytest.fixture
def connect(tmp_path):
    """`connect()`: a connection of its own to the broker in one folder, as each process has."""
    for name in ("queue", "control"):
        (tmp_path / name).mkdir()
    options = {
        "data_folder_in": str(tmp_path / "queue"),
        "data_folder_out": str(tmp_path / "queue"),
        "control_folder": str(tmp_path / "control"),
    }
    made = []

    def connection():
        made.append(Connection("filesystem://", transport=TRANSPORT, transport_options=options))
        return made[-1]

    yield connection
    for one in made:
        one.release()


def test_every_message_arrives_whole_and_once(connect):
    bells = Queue("bells", Exchange("bells"), routing_key="bells")
    bells(connect().channel()).declare()
    heard = []
    done = threading.Event()

    def listen():
        channel = connect().channel()
        while True:
            is_last_look = done.is_set()
            try:
                heard.append(channel._get("bells")["body"])
            except Empty:
                if is_last_look:
                    return

    def send(first):
        connection = connect()
        with connection.Producer() as producer:
            for number in range(first, MESSAGES, 2):
                producer.publish({"number": number}, exchange=bells.exchange, routing_key="bells")

    readers = [threading.Thread(target=listen) for _ in range(2)]
    writers = [threading.Thread(target=send, args=(first,)) for first in range(2)]
    for thread in (*readers, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    for thread in readers:
        thread.join()
    assert len(heard) == MESSAGES
    assert len(set(heard)) == MESSAGES
