"""What a step in the sandbox cannot see or reach."""

import os
from pathlib import Path

import pytest

from mlops.engine import sandbox
from mlops.engine.spec import Mount, RunSpec


def test_hidden_folders_are_not_there_but_bound_paths_are(sandboxed, place):
    data = place / "launchpad-data"
    (data / "work" / "input").mkdir(parents=True)
    (data / "secret").write_text("swordfish")
    (data / "work" / "input" / "x").write_text("for the step\n")
    folder = data / "work" / "step"
    folder.mkdir()
    spec = RunSpec(
        id="hidden",
        argv=(
            "sh",
            "-c",
            f"cat /app/in/x; ls {data} {data}/work; cat {data}/secret; ls {place}; ls ~ {folder}",
        ),
        folder=folder,
        mounts=(Mount("/app/in", data / "work" / "input", True),),
        hidden=(data,),
    )
    step = sandboxed.runner.start(spec)
    _, lines = sandboxed.finish(step)
    said = [line.text for line in lines if line.stream == "stdout"]
    assert said[0] == "for the step"
    assert "swordfish" not in said
    assert {"work", "step", "home", "tmp"} <= set(said)
    assert not {"secret", "input"} & set(said)


def test_a_hidden_folder_below_a_system_folder_is_covered(place):
    folder = place / "step"
    folder.mkdir()
    spec = RunSpec(id="covered", argv=("true",), folder=folder, hidden=(Path("/usr/local/share"),))
    words = sandbox.launch(spec, None).prefix
    assert words[words.index("/usr/local/share") - 1] == "--tmpfs"
    assert words.index("/usr/local/share") > words.index("/usr")


def test_the_host_is_out_of_sight(sandboxed, place):
    (place / "other").write_text("swordfish")
    look = f"ls -a / ; ls /home /var /opt /srv; cat {place}/other /etc/shadow; ps -e 2>/dev/null; ls /proc"
    _, lines = sandboxed.run("sh", "-c", look)
    assert "swordfish" not in lines
    assert not {"home", "var", "opt", "srv", "boot", "mnt"} & set(lines)
    assert len([line for line in lines if line.isdigit()]) <= 6


def test_links_do_not_lead_out(sandboxed, place):
    source = place / "source"
    source.mkdir()
    (place / "secret").write_text("swordfish\n")
    (source / "absolute").symlink_to(place / "secret")
    (source / "relative").symlink_to("../secret")
    (source / "shadow").symlink_to("/etc/shadow")
    _, lines = sandboxed.run("sh", "-c", "cat absolute relative shadow", source=source)
    assert len(lines) == 3
    assert not any("swordfish" in line or "root:" in line for line in lines)


def test_the_root_and_the_interpreter_cannot_be_written(sandboxed):
    code = "import os, sys\nfor p in ('/', '/usr', '/etc', sys.prefix, '/.launchpad', '/app'):\n"
    code += (
        "    try: open(os.path.join(p, 'x'), 'w'); print('wrote', p)\n    except OSError: print('refused')\n"
    )
    _, lines = sandboxed.run("python3", "-c", code)
    assert lines == ["refused"] * 6


def test_a_path_the_step_needs_for_itself_is_refused(sandboxed, place):
    source = place / "source"
    source.mkdir()
    with pytest.raises(ValueError, match="the step needs"):
        sandboxed.start("true", source=source, mounts=(Mount(str(place), source, True),))


def test_a_sandbox_that_cannot_be_set_up_is_no_exit_code_of_the_command(sandboxed, place):
    source = place / "source"
    source.mkdir()
    spec = sandboxed.spec("true", mounts=(Mount("/app", source, True), Mount("/app/data", source, True)))
    step = sandboxed.runner.start(spec)
    seen, lines = sandboxed.finish(step)
    assert (seen.started, seen.cause, seen.exit_code) == (False, "not_started", None)
    assert "bwrap" in seen.message
    assert lines == []


def test_files_of_a_step_can_be_read_and_removed_by_the_worker(sandboxed, place):
    out = place / "out"
    out.mkdir()
    sandboxed.run(
        "sh", "-c", "mkdir -m 700 /app/out/d; echo x > /app/out/d/f", mounts=(Mount("/app/out", out, False),)
    )
    assert (out / "d" / "f").read_text() == "x\n"
    if os.geteuid() == 0:
        assert (out / "d" / "f").stat().st_uid == 65534
    (out / "d" / "f").unlink()
    (out / "d").rmdir()
