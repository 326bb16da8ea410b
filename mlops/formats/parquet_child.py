"""Reads the beginning of a Parquet file in a process of its own, which asks its parent for bytes.

It writes `R <start> <length>` lines and gets exactly so many bytes; at last it writes its answer as one line
of JSON after `A `. A file that is broken or too large ends the process, which is what it is for.
"""

import json
import resource
import sys

import arro3.io

MEMORY_BYTES = 1024 * 1024 * 1024
CPU_SECONDS = 10
FOOTER_LIMIT = 16 * 1024 * 1024
COLUMNS_LIMIT, COLUMNS_TOLD_LIMIT, CELL_LIMIT = 100, 2_000, 200
_STRUCT, _LIST, _SET, _MAP = 12, 9, 10, 11


class Remote:
    """A file whose bytes the parent has; as much of a file as the library asks for."""

    def __init__(self, size):
        self.size = size
        self.at = 0

    def read(self, count=-1):
        """The next bytes."""
        length = self.size - self.at if count is None or count < 0 else min(count, self.size - self.at)
        if length <= 0:
            return b""
        sys.stdout.buffer.write(b"R %d %d\n" % (self.at, length))
        sys.stdout.buffer.flush()
        found = sys.stdin.buffer.read(length)
        self.at += len(found)
        return found

    def seek(self, offset, whence=0):
        """Go there."""
        self.at = offset + (0, self.at, self.size)[whence]
        return self.at

    def tell(self):
        """Where it is."""
        return self.at

    def seekable(self):
        """Always."""
        return True

    def readable(self):
        """Always."""
        return True


class Footer:
    """The metadata at the end of a file, in Thrift's compact encoding, as far as to its number of rows."""

    def __init__(self, data):
        self.data = data
        self.at = 0

    def row_count(self):
        """The third field of FileMetaData."""
        number = 0
        while kind := self.byte():
            number = number + (kind >> 4) if kind >> 4 else self.zigzag()
            if number == 3:
                return self.zigzag()
            self.skip(kind & 15, 0)
        raise ValueError("no number of rows")

    def byte(self):
        """The next byte."""
        self.at += 1
        return self.data[self.at - 1]

    def varint(self):
        """The next unsigned number."""
        value = shift = 0
        while shift < 70:
            byte = self.byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
        raise ValueError("a number without end")

    def zigzag(self):
        """The next signed number."""
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

    def skip(self, kind, depth):
        """Go past a value."""
        if depth > 32:
            raise ValueError("nested too deeply")
        if kind == 3:
            self.at += 1
        elif kind in (4, 5, 6):
            self.varint()
        elif kind == 7:
            self.at += 8
        elif kind == 8:
            length = self.varint()
            self.at += length
        elif kind in (_LIST, _SET):
            head = self.byte()
            count = head >> 4 if head >> 4 < 15 else self.varint()
            for _ in range(count):
                # In a list a truth value is a byte; as a field it is in the type.
                self.skip(3 if head & 15 in (1, 2) else head & 15, depth + 1)
        elif kind == _STRUCT:
            while field := self.byte():
                if not field >> 4:
                    self.varint()
                self.skip(field & 15, depth + 1)
        elif kind not in (1, 2):
            raise ValueError(f"unexpected type {kind}")


def row_count(file):
    """How many rows the file's footer tells of."""
    file.seek(-8, 2)
    tail = file.read(8)
    length = int.from_bytes(tail[:4], "little")
    if tail[4:] != b"PAR1" or not 0 < length <= min(FOOTER_LIMIT, file.size - 12):
        raise ValueError("no footer")
    file.seek(-8 - length, 2)
    return Footer(file.read(length)).row_count()


def cell(value):
    """A value as a text that a table can show."""
    if value is None:
        return ""
    text = value.hex() if isinstance(value, bytes) else str(value)
    return text[:CELL_LIMIT].encode(errors="replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def kind(field):
    """A column's type by Arrow's own name, such as `Int64`."""
    return str(field.type).removeprefix("arro3.core.DataType<").strip().removesuffix(">")[:CELL_LIMIT]


def main(size, rows):
    """Answer with the number of rows, the columns and the first rows."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    file = Remote(size)
    count = row_count(file)
    file.seek(0)
    reader = arro3.io.read_parquet(file, batch_size=rows)
    fields = list(reader.schema)
    head = []
    if rows:
        batch = next(iter(reader), None)
        columns = [batch.column(at) for at in range(min(len(fields), COLUMNS_LIMIT))] if batch else []
        head = list(zip(*([cell(one.as_py()) for one in column] for column in columns), strict=True))
    told = [(cell(one.name), kind(one)) for one in fields[:COLUMNS_TOLD_LIMIT]]
    answer = {"rows": count, "columns": told, "head": head[:rows]}
    sys.stdout.buffer.write(b"A " + json.dumps(answer).encode() + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
