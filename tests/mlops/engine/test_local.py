"""What a step says, how it ends, and what it sees of its surroundings."""

import os
import stat
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mlops.engine.local import LocalRunner
from mlops.engine.orphans import marked
from mlops.engine.spec import Limits, Mount


def test_exit_codes_and_streams(bench):
    before = datetime.now(UTC)
    step = bench.start("sh", "-c", "echo out; echo err >&2; exit 3")
    seen, lines = bench.finish(step)
    assert (seen.running, seen.started, seen.exit_code, seen.signal, seen.cause) == (
        False,
        True,
        3,
        None,
        "exit",
    )
    assert seen.message == "The command ended with exit code 3."
    assert seen.pids_left == 0
    assert before <= seen.started_at <= seen.ended_at <= datetime.now(UTC)
    assert {(line.stream, line.text) for line in lines} == {("stdout", "out"), ("stderr", "err")}
    assert all(before <= line.at <= datetime.now(UTC) for line in lines)


def test_output_may_be_opened_by_its_name(bench):
    seen, said = bench.run("sh", "-c", "echo out > /dev/stdout; echo err > /dev/stderr")
    assert (seen.exit_code, sorted(said)) == (0, ["err", "out"])


def test_success_is_completed(bench):
    seen, lines = bench.run("true")
    assert (seen.exit_code, seen.cause, lines) == (0, "completed", [])


def test_exit_code_137_is_not_taken_for_a_signal(bench):
    seen, _ = bench.run("sh", "-c", "exit 137")
    assert (seen.exit_code, seen.signal, seen.cause) == (137, None, "exit")
    seen, _ = bench.run("sh", "-c", "kill -SEGV $$")
    assert (seen.exit_code, seen.signal, seen.cause) == (None, 11, "exit")
    assert "SIGSEGV" in seen.message


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["trainn"], "No such command: trainn"),
        (["/etc/passwd"], "/etc/passwd cannot be executed: Permission denied"),
        (["/usr"], "/usr cannot be executed"),
    ],
)
def test_a_command_that_cannot_be_executed_has_not_started(bench, argv, words):
    seen, _ = bench.run(*argv)
    assert (seen.running, seen.started, seen.started_at, seen.cause) == (False, False, None, "not_started")
    assert words in seen.message


def test_words_are_passed_on_as_they_are(bench):
    class Marked(str):
        """A word that remembers where it stood, as the reader of templates may make them."""

    words = ["größer", "a b", "", "$HOME", "'", Marked("marked")]
    _, lines = bench.run("printf", "%s|", *words, env={"X": Marked("y")})
    assert lines == ["|".join(words) + "|"]


@pytest.mark.parametrize("word", ["a\0b", "\ud800"])
def test_words_that_no_process_can_be_given_are_refused(bench, word):
    for more in ({"env": {"X": word}}, {"env": {word: "x"}}, {"script": word}):
        with pytest.raises(ValueError, match="NUL or half a character"):
            bench.start("sh", **more)
    with pytest.raises(ValueError, match="NUL or half a character"):
        bench.start("echo", word)
    with pytest.raises(ValueError, match="not a name"):
        bench.start("true", env={"A=B": "x"})
    with pytest.raises(ValueError, match="no command"):
        bench.runner.start(bench.spec())


def test_a_missing_working_directory_is_named(bench):
    seen, _ = bench.run("true", working_dir="/no/such/place")
    assert (seen.cause, "/no/such/place" in seen.message) == ("not_started", True)


def test_the_environment_is_clean(bench, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "swordfish")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    seen, lines = bench.run("env", env={"EPOCHS": "3", "TEXT": "two\nlines"})
    names = {line.partition("=")[0] for line in lines} - {"lines"}
    assert names == {"PATH", "HOME", "LANG", "TMPDIR", "LAUNCHPAD_STEP", "EPOCHS", "TEXT"}
    assert "swordfish" not in " ".join(lines)
    assert seen.cause == "completed"


def test_nothing_of_the_server_is_left_open(bench, place):
    with (place / "open").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        _, lines = bench.run("sh", "-c", "ls -l /proc/self/fd | sed 's/.*[0-9] -> /> /'")
    kept = [line for line in lines if line.startswith("> ") and "pipe:" not in line]
    assert sorted(kept)[:1] == ["> /dev/null"]
    assert len(kept) == 2  # the folder that ls itself reads is the other
    assert not any("memfd" in line or "/open" in line for line in lines)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can hand steps to another user")
def test_root_hands_its_steps_to_another_user(bench):
    _, lines = bench.run("sh", "-c", "id -u; id -G; grep -E 'NoNewPrivs|CapEff' /proc/self/status")
    assert lines == ["65534", "65534", "CapEff:\t0000000000000000", "NoNewPrivs:\t1"]


def test_home_and_temporary_folder_are_the_steps_own(bench):
    step = bench.start("sh", "-c", "echo a > $HOME/a; echo b > $TMPDIR/b; umask")
    seen, lines = bench.finish(step)
    assert (seen.cause, [line.text for line in lines]) == ("completed", ["0022"])
    assert (step.spec.folder / "home" / "a").read_text() == "a\n"
    assert (step.spec.folder / "tmp" / "b").read_text() == "b\n"


def test_multiprocessing_works(bench):
    code = "import multiprocessing as m; print(m.get_context('fork').Pool(2).map(abs, [-1, -2]))"
    seen, lines = bench.run("python3", "-c", code)
    assert (seen.cause, lines) == ("completed", ["[1, 2]"])


def test_mounts(bench, place):
    data, model = place / "data", place / "model"
    data.mkdir()
    (data / "x.csv").write_text("1,2\n")
    (data / "x.csv").chmod(0o600)
    if bench.runner.mode == "sandbox":
        data.chmod(0o777)  # so that it is the sandbox that refuses
    model.mkdir()
    mounts = (Mount("/app/data", data, True), Mount("/app/out/model/", model, False))
    seen, lines = bench.run(
        "sh", "-c", "cat /app/data/x.csv; cp /app/data/x.csv $OUT/m; touch /app/data/y || echo refused",
        env={"OUT": "/app/out/model"}, mounts=mounts,
    )  # fmt: skip
    assert seen.cause == "completed"
    assert lines[0] == "1,2"
    assert (model / "m").read_text() == "1,2\n"
    # In plain mode a worker that is not root can only trust its steps.
    refused = bench.runner.mode == "sandbox" or os.geteuid() == 0
    assert ("refused" in lines, (data / "y").exists()) == (refused, not refused)


def test_a_mount_inside_a_mount_and_a_single_file(bench, place):
    outer, inner = place / "outer", place / "inner.txt"
    outer.mkdir()
    inner.write_text("inner\n")
    mounts = (Mount("/app", outer, False), Mount("/app/inner.txt", inner, True))
    seen, lines = bench.run("sh", "-c", "cat /app/inner.txt; echo made > /app/made", mounts=mounts)
    assert (seen.cause, lines) == ("completed", ["inner"])
    assert (outer / "made").read_text() == "made\n"


@pytest.mark.parametrize(
    "path", ["/", "/usr/data", "/etc", "/proc/x", "/dev", "//lib/x", "data", "/app/../etc", "/tmp", "/bin"]
)
def test_paths_of_the_system_are_refused_before_anything_starts(bench, place, path):
    with pytest.raises(ValueError, match=r"/app/data|/tmp/data"):
        bench.start("true", mounts=(Mount(path, place, True),))


def test_twice_declared_linked_missing_and_hidden_paths_are_refused(bench, place):
    (place / "data").mkdir()
    (place / "link").symlink_to("/etc")
    with pytest.raises(ValueError, match="twice"):
        bench.start("true", mounts=(Mount("/a", place, True), Mount("/a/", place, True)))
    for real in (place / "link", place / "nothing"):
        with pytest.raises(ValueError, match="missing, or is a link"):
            bench.start("true", mounts=(Mount("/app/data", real, True),))
    with pytest.raises(ValueError, match="never see"):
        bench.start("true", mounts=(Mount("/app/data", place, True),), hidden=(place / "data",))


def test_the_source_is_the_working_directory_and_read_only(bench, place):
    source = place / "source"
    (source / "sub").mkdir(parents=True)
    (source / "train.py").write_text("print('training')\n")
    (source / "sub" / "x").write_text("x\n")
    seen, lines = bench.run(
        "sh", "-c", "python3 train.py; touch new 2>/dev/null || echo refused", source=source
    )
    assert (seen.cause, lines[0]) == ("completed", "training")
    assert (lines[-1], (source / "new").exists()) in {("refused", False), ("training", True)}
    assert (lines[-1] == "refused") or os.geteuid() != 0
    _, lines = bench.run("cat", "x", source=source, working_dir="sub")
    assert lines == ["x"]


def test_a_script_is_run_from_a_file(bench, place):
    data = place / "data"
    data.mkdir()
    (data / "x").write_text("from the mount\n")
    script = "print(open('/app/data/x').read(), end='')\nprint('größer')\n"
    seen, lines = bench.run("python3", script=script, mounts=(Mount("/app/data", data, True),))
    assert (seen.cause, lines) == ("completed", ["from the mount", "größer"])


def test_the_environment_comes_first_on_path(bench, place):
    environment = place / "environment"
    (environment / "bin").mkdir(parents=True)
    (environment / "pyvenv.cfg").write_text("home = /usr/bin\n")
    (environment / "bin" / "python").symlink_to("/usr/bin/env")
    (environment / "bin" / "train").write_text("#!/bin/sh\necho mine\n")
    (environment / "bin" / "train").chmod(0o755)
    assert bench.run("train", python_env=environment)[1] == ["mine"]
    assert bench.run("train", python_env=environment, env={"PATH": "/bin"})[1] == ["mine"]
    assert bench.run("sh", "-c", "echo $PATH", env={"PATH": "/bin"})[1] == ["/bin"]


def test_limits_of_files_and_processes(bench):
    seen, _ = bench.run(
        "sh", "-c", "head -c 2000000 /dev/zero > $HOME/big", limits=Limits(file_bytes=1_000_000)
    )
    assert seen.cause == "exit"
    many = "import os, time\ntry:\n    for _ in range(50): os.fork() or time.sleep(9)\n"
    many += "except OSError: print('no more')"
    seen, lines = bench.run("python3", "-c", many, limits=Limits(processes=20))
    assert lines == ["no more"]
    seen, lines = bench.run("nproc", limits=Limits(cpu=1))
    assert lines == ["1"]


def test_twenty_steps_at_once(bench):
    results = []

    def one(number: int) -> None:
        seen, lines = bench.run("sh", "-c", f"echo {number}; exit {number}")
        results.append((number, seen.exit_code, lines))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(20)]
    before = len(os.listdir("/proc/self/fd"))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sorted(results) == [(number, number, [str(number)]) for number in range(20)]
    assert len(os.listdir("/proc/self/fd")) <= before


def test_variables_may_have_names_that_no_shell_could_set(bench):
    _, lines = bench.run("env", env={"AI-RESOURCE-GROUP": "red", "AI-MAIN-TENANT": "lab"})
    assert {"AI-RESOURCE-GROUP=red", "AI-MAIN-TENANT=lab"} <= set(lines)


def test_secret_files_belong_to_the_step_and_to_nobody_else(bench, place):
    secret = place / "secret"
    secret.mkdir(mode=0o700)
    (secret / "key").write_text("hush")
    (secret / "key").chmod(0o400)
    mounts = (Mount("/run-secrets", secret, True, "secret"),)
    seen, lines = bench.run(
        "sh", "-c", "cat /run-secrets/key; echo; stat -c %a /run-secrets/key", mounts=mounts
    )
    assert (seen.exit_code, lines) == (0, ["hush", "400"])
    assert stat.S_IMODE((secret / "key").stat().st_mode) == 0o400


def test_a_shared_folder_is_handed_over_without_what_others_keep_in_it(bench, place):
    shared = place / "shared"
    shared.mkdir()
    (shared / "theirs").write_text("x")
    owner = (shared / "theirs").stat().st_uid
    mounts = (Mount("/shared", shared, False, "shared"),)
    seen, lines = bench.run(
        "sh", "-c", "echo y > /shared/mine; cat /shared/mine /shared/theirs", mounts=mounts
    )
    assert (seen.exit_code, lines) == (0, ["y", "x"])
    assert (shared / "theirs").stat().st_uid == owner


def test_paths_below_tmp_are_found_in_both_modes(bench):
    spec = bench.spec("sh", "-c", "echo y > /tmp/score.txt")
    step = bench.runner.start(replace(spec, renamed={"/tmp/score.txt": spec.folder / "tmp" / "score.txt"}))
    bench.steps.append(step)
    assert bench.finish(step)[0].exit_code == 0
    assert (spec.folder / "tmp" / "score.txt").read_text() == "y\n"


def test_close_ends_a_running_step(bench):
    step = bench.start("sleep", "60")
    while not bench.runner.wait(step, 0.5).started:
        assert step.poll().running
    bench.runner.close(step)
    assert (step.poll().running, step.poll().cause) == (False, "worker_lost")
    assert marked(step.spec.id) == []
    bench.runner.close(step)


def test_plain_mode_tells_the_difference():
    runner = LocalRunner("plain")
    assert runner.mode == "plain"
    assert "without a sandbox" in runner.notices[0]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs steps as another user")
def test_plain_mode_says_which_folder_is_closed(unconfined, place):
    closed = place / "closed"
    (closed / "data").mkdir(parents=True)
    closed.chmod(0o700)
    with pytest.raises(ValueError, match=f"{closed} is closed to other users"):
        unconfined.start("true", mounts=(Mount("/app/data", closed / "data", True),))


def test_the_scripts_of_the_engine_stay_readable_for_steps():
    for name in ("keeper.py", "enter.py"):
        path = Path(LocalRunner.__init__.__code__.co_filename).with_name(name)
        assert stat.S_IMODE(path.stat().st_mode) & 0o004
