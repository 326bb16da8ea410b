"""Plain mode: no sandbox, so declared paths are replaced by the real ones wherever they are written."""

import re
from collections.abc import Mapping
from pathlib import Path

from mlops.engine import places
from mlops.engine.interpreters import bases, search_path
from mlops.engine.launch import Launch
from mlops.engine.spec import RunSpec

# What may not stand before or after a path for it to be a path of its own: `/my/app/data`, `$X/app/data`,
# `${X}/app/data` and `/app/data.csv` are not `/app/data`; `--in=/app/data` and `file:///app/data` are.
_BEFORE = r"(?:(?<![\w.\-~/})*?+@%])|(?<=://))"
_AFTER = r"(?![\w\-+@%~]|\.\w)"


def rewrite(text: str, real: Mapping[str, str]) -> str:
    """Replace every declared path in the text by its real one: whole components, longest path first."""
    if not real:
        return text
    paths = "|".join(re.escape(path) for path in sorted(real, key=len, reverse=True))
    return re.sub(f"{_BEFORE}(?:{paths}){_AFTER}", lambda found: real[found[0]], text)


def launch(spec: RunSpec, script: Path | None) -> Launch:
    """What to run, where, and with which environment, on this host as it is."""
    real = {places.normal(mount.path): str(mount.real) for mount in spec.mounts}
    real |= {path: str(place) for path, place in spec.renamed.items()}
    if script is not None and spec.script is not None:
        script.write_text(rewrite(spec.script, real), encoding="utf-8")
    home = spec.folder / "home"
    start = spec.source or home
    env = {
        "PATH": rewrite(search_path(spec), real),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TMPDIR": str(spec.folder / "tmp"),
        **{name: rewrite(value, real) for name, value in spec.env.items() if name != "PATH"},
        "LAUNCHPAD_STEP": spec.id,
    }
    argv = [rewrite(word, real) for word in spec.argv]
    return Launch(
        prefix=[],
        argv=argv if script is None else [*argv, str(script)],
        env=env,
        cwd=str(start / rewrite(spec.working_dir, real)) if spec.working_dir else str(start),
    )


def check_reach(spec: RunSpec, owner: tuple[int, int]) -> None:
    """Raise ValueError when the user that the command will run as cannot get to its files."""
    # Secrets become the user's own, the folder itself too.
    handed = {mount.real for mount in spec.mounts if mount.files == "secret"}
    needed = [spec.folder, *(mount.real for mount in spec.mounts)]
    needed += [spec.source] if spec.source else []
    needed += [spec.python_env, *bases(spec.python_env)] if spec.python_env else []
    for path in needed:
        # What is needed of a folder lies inside it, so it has to be passable itself.
        if folder := places.closed_to(
            path / "inside" if path.is_dir() and path not in handed else path, owner
        ):
            raise ValueError(
                f"Without a sandbox this step runs as user {owner[0]}, who cannot get to {path}, because "
                f"{folder} is closed to other users. Open it (chmod o+x), or install bubblewrap."
            )
