"""Output of every kind becomes lines of plain text, and all of it arrives."""

import pytest

from mlops.engine import step as step_module
from mlops.engine.output import LINE_CHARACTERS, LineSplitter


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a\nb\n", ["a", "b"]),
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"a\n\nb", ["a", "", "b"]),
        (b"\r 10%\r 20%\r100%\n", ["100%"]),
        (b"\x1b[31mred\x1b[0m \x1b]0;title\x07x\x1b[2K", ["red x"]),
        (b"nul \x00 bell \x07 tab \t esc \x1b", ["nul \ufffd bell \ufffd tab \t esc \ufffd"]),
        (b"\xff\xfe\n\xc3\xbc\n", ["\ufffd\ufffd", "ü"]),
        (b"<b>text</b>\n", ["<b>text</b>"]),
        (b"", []),
    ],
)
def test_lines_whole_and_byte_by_byte(data, expected):
    assert LineSplitter().feed(data, final=True) == expected
    splitter = LineSplitter()
    lines = [line for byte in data for line in splitter.feed(bytes([byte]))]
    assert lines + splitter.feed(b"", final=True) == expected


def test_long_lines_are_split_and_nothing_is_lost():
    splitter = LineSplitter()
    lines = [line for _ in range(10) for line in splitter.feed(b"x" * 10_000)]
    lines += splitter.feed(b"\nend\n")
    assert "".join(lines) == "x" * 100_000 + "end"
    assert max(map(len, lines)) == LINE_CHARACTERS


def test_a_flushed_part_does_not_bring_an_empty_line():
    splitter = LineSplitter()
    assert splitter.feed(b"part") == []
    assert splitter.partial
    assert splitter.flush() == ["part"]
    assert not splitter.partial
    assert splitter.feed(b"\nnext\n\n") == ["next", ""]


def test_200_000_lines_arrive_in_order(bench):
    code = "import sys\nfor i in range(200_000): print(i)\nfor i in range(1000): print(i, file=sys.stderr)"
    seen, lines = bench.finish(bench.start("python3", "-c", code), 40)
    assert seen.cause == "completed"
    assert [line.text for line in lines if line.stream == "stdout"] == [str(i) for i in range(200_000)]
    assert [line.text for line in lines if line.stream == "stderr"] == [str(i) for i in range(1000)]


def test_binary_output_becomes_text(bench):
    seen, lines = bench.run("python3", "-c", "import sys; sys.stdout.buffer.write(bytes(range(256)) * 4000)")
    assert seen.cause == "completed"
    assert sum(line.count("A") for line in lines) == 4000
    assert all(character >= " " or character == "\t" for line in lines for character in line)


def test_a_partial_line_is_seen_while_the_step_runs(bench):
    step = bench.start("sh", "-c", "printf 'How many? '; sleep 60")
    bench.until_line(step, "How many? ")
    assert step.poll().running


def test_lines_whose_ends_come_with_the_next_write_stay_whole(bench):
    code = """if True:
        import sys, time
        for number in range(16):
            sys.stdout.write(f"b{number}\\na")
            sys.stdout.flush()
            time.sleep(0.05)"""
    _, lines = bench.run("python3", "-c", code)
    assert lines == ["b0", *(f"ab{number}" for number in range(1, 16)), "a"]


def test_the_end_of_standard_output_is_kept_as_it_was_written(bench):
    code = "import sys; print('x' * 300_000 + '\\0\\n  [1]'); print('other', file=sys.stderr)"
    step = bench.start("python3", "-c", code.replace("\\\\", "\\"))
    bench.finish(step)
    result = bench.runner.result(step)
    assert len(result) == 256 * 1024 - 1
    assert result.endswith("xx\ufffd\n  [1]")


def test_a_full_buffer_holds_the_step_back_and_loses_nothing(unconfined, monkeypatch):
    monkeypatch.setattr(step_module, "BUFFER_BYTES", 200_000)
    code = "import sys\nfor i in range(30_000): print(i)\nprint('done', file=sys.stderr)"
    step = unconfined.start("python3", "-c", code)
    for _ in range(10):
        assert unconfined.runner.wait(step, 0.1).running
    assert step._buffered < 2_000_000
    _, lines = unconfined.finish(step)
    assert [line.text for line in lines if line.stream == "stdout"] == [str(i) for i in range(30_000)]
    assert [line.text for line in lines if line.stream == "stderr"] == ["done"]
