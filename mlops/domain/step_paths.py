"""Where the declared paths of a step really lie, and what it left there."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from mlops.engine.spec import Mount
from mlops.manifests.spec import OutputParameter, Template

PARAMETER_BYTES = 256 * 1024
_NO_PARENT = frozenset(map(PurePosixPath, ("/", "/home", "/opt", "/mnt", "/srv", "/root", "/var")))
_TMP = PurePosixPath("/tmp")


class Refused(Exception):
    """What a step left cannot be taken; the sentence says what and why."""


@dataclass
class Paths:
    """The paths of one attempt of a step. folder: its private one; volumes: what it mounts, by path.

    mounts: what it is shown at declared paths, made by `prepare`; renamed: see RunSpec.
    """

    folder: Path
    volumes: dict[str, Mount] = field(default_factory=dict)
    mounts: dict[str, Mount] = field(default_factory=dict)
    renamed: dict[str, Path] = field(default_factory=dict)
    _made: dict[Path, int] = field(default_factory=dict)

    def prepare(self, template: Template) -> None:
        """Make the folders that are to hold the outputs; the outputs themselves are the command's to make."""
        self.mounts |= self.volumes
        for output in template.outputs:
            self._show(output.path, is_file=False)
        for parameter in template.output_parameters:
            if parameter.path is not None:
                self._show(parameter.path, is_file=True)

    def _show(self, path: str, *, is_file: bool) -> None:
        real, parent = self.real(path), PurePosixPath(path).parent
        if self._volume(path) is not None:
            return
        if PurePosixPath(path).is_relative_to(_TMP):
            self.renamed[path] = real
            real.parent.mkdir(parents=True, exist_ok=True)
            return
        if parent not in _NO_PARENT:
            real.parent.mkdir(parents=True, exist_ok=True)
            self._mount(str(parent), real.parent)
        elif is_file:
            # The parent cannot be shown, so that the file has to be there before the command writes it.
            real.parent.mkdir(parents=True, exist_ok=True)
            real.touch()
            self._made[real] = real.stat().st_mtime_ns
            self._mount(path, real)
        else:
            real.mkdir(parents=True, exist_ok=True)
            self._mount(path, real)

    def _mount(self, path: str, real: Path) -> None:
        self.mounts.setdefault(path, Mount(path, real, read_only=False))

    def _volume(self, path: str) -> Mount | None:
        """The innermost volume that a path lies in."""
        found = [mount for at, mount in self.volumes.items() if PurePosixPath(path).is_relative_to(at)]
        return max(found, key=lambda mount: len(mount.path), default=None)

    def real(self, path: str) -> Path:
        """Where the step's file at a declared path lies."""
        if (mount := self._volume(path)) is not None:
            return mount.real / PurePosixPath(path).relative_to(mount.path)
        if PurePosixPath(path).is_relative_to(_TMP):
            return self.folder / "tmp" / PurePosixPath(path).relative_to(_TMP)
        return self.folder / "outputs" / PurePosixPath(path).relative_to("/")

    def _kept(self, path: str, what: str) -> Path:
        """The real place of an output, which may lie behind links that stay in the step's own folders.

        We may read what the step may not: a link of its making must not make us follow it elsewhere.
        """
        real = Path(os.path.realpath(self.real(path)))
        allowed = [self.folder, *(mount.real for mount in self.volumes.values())]
        if not any(real.is_relative_to(os.path.realpath(each)) for each in allowed):
            raise Refused(f"Its output {what} at {path} is a link that leads out of the step.")
        return real

    def artifacts(self, template: Template) -> Iterator[tuple[str, Path]]:
        """Name and place of each output artifact that was left. Raises Refused for one that is missing."""
        for output in template.outputs:
            real = self._kept(output.path, output.name)
            if real.exists():
                yield output.name, real
            elif not output.optional:
                raise Refused(
                    f"The command ended well, but its output {output.name} is missing at {output.path}."
                )

    def parameters(self, template: Template) -> dict[str, str]:
        """The output parameters. Raises Refused for one that is missing, too long or no file."""
        return {
            each.name: self._text(each, each.path)
            for each in template.output_parameters
            if each.path is not None
        }

    def _text(self, parameter: OutputParameter, path: str) -> str:
        real = self._kept(path, parameter.name)
        try:
            number = _open(real)
        except FileNotFoundError:
            return self._absent(parameter, path)
        except OSError as error:
            raise Refused(
                f"Its output {parameter.name} at {path} cannot be read: {error.strerror}."
            ) from error
        found = os.fstat(number)
        if not stat.S_ISREG(found.st_mode):
            os.close(number)
            raise Refused(f"Its output {parameter.name} at {path} is no file.")
        with os.fdopen(number, "rb") as file:
            if found.st_size == 0 and self._made.get(real) == found.st_mtime_ns:
                return self._absent(parameter, path)
            content = file.read(PARAMETER_BYTES + 1)
        if len(content) > PARAMETER_BYTES:
            limit = PARAMETER_BYTES // 1024
            raise Refused(f"Its output {parameter.name} at {path} is longer than {limit} KiB.")
        return content.decode(errors="replace").replace("\x00", "\ufffd").removesuffix("\n")

    @staticmethod
    def _absent(parameter: OutputParameter, path: str) -> str:
        if parameter.default is None:
            raise Refused(f"The command ended well, but its output {parameter.name} is missing at {path}.")
        return parameter.default


def _open(real: Path) -> int:
    """Open a file without following any link: other steps may change a shared folder at this moment."""
    at = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in real.parts[1:-1]:
            above, at = at, os.open(part, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
            os.close(above)
        # A pipe would otherwise be waited for.
        return os.open(real.name, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW, dir_fd=at)
    finally:
        os.close(at)
