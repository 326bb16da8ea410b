"""Files and folders: documents, their limits, and what is no template at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops.manifests import ExecutableTemplate, Reading, Retry, read, read_folder
from tests.mlops.manifests.documents import TRAINING, changed, good


def only_error(found: Reading) -> str:
    (error,) = found.errors
    assert found.templates == ()
    return str(error)


def test_the_training_example_reads() -> None:
    template = good(TRAINING)
    assert (template.executable_id, template.version, template.scenario_id) == (
        "petal-train",
        "1.2.0",
        "petal-sorting",
    )
    assert (template.name, template.scenario_name) == ("Train a petal classifier", "Petal sorting")
    depth, seed = template.parameters
    assert (depth.name, depth.default, depth.enum) == ("DEPTH", "4", ("2", "4", "8"))
    assert (seed.name, seed.default, seed.description) == ("SEED", None, "Random seed")
    (petals,) = template.inputs
    assert (petals.name, petals.kind, petals.optional) == ("petals", "dataset", False)
    (model,) = template.outputs
    assert (model.name, model.kind, model.registered_name) == ("petal-model", "model", "petal-model")
    assert [(label.key, label.value) for label in model.labels] == [("ext.ai.sap.com/task", "classification")]
    assert template.batch.deadline_seconds == 3600
    _, fit = template.batch.templates
    assert fit.command == ("python", "train.py")
    assert (fit.retry, fit.resource_plan) == (Retry(1, "OnError"), "starter")
    assert template.source == TRAINING


def test_a_file_may_hold_several_documents() -> None:
    second = changed((("metadata", "name"), "petal-test"))
    text = f"# both\n---\n{TRAINING}--- # the second\n{second}---\n---\n# nothing\n"
    found = read(text, file="both.yaml")
    assert [(each.executable_id, each.line) for each in found.templates] == [
        ("petal-train", 2),
        ("petal-test", 2 + 1 + TRAINING.count("\n")),
    ]
    assert "".join(each.source for each in found.templates) == text[7 : text.index("---\n---\n# nothing")]


def test_a_broken_document_leaves_the_others_readable() -> None:
    found = read(f"a: [\n---\n{TRAINING}", file="both.yaml")
    assert [each.executable_id for each in found.templates] == ["petal-train"]
    assert [each.line for each in found.errors] == [2]


def test_an_id_defined_twice_is_an_error_of_the_second_place() -> None:
    found = read(f"{TRAINING}---\n{TRAINING}", file="x.yaml")
    assert len(found.templates) == 1
    (error,) = found.errors
    assert (error.line, error.field) == (TRAINING.count("\n") + 1, "metadata.name")


def test_lines_count_from_the_top_of_the_file() -> None:
    second = changed((("metadata", "name"), "other"), (("spec", "oops"), 1)) + "kind: again\n"
    found = read(f"{TRAINING}---\n{second}", file="x.yaml")
    lines = f"{TRAINING}---\n{second}".splitlines()
    assert [(each.field, lines[each.line - 1]) for each in found.errors] == [
        ("spec.oops", "  oops: 1"),
        ("kind", "kind: again"),
    ]


def test_a_scenario_with_two_names_is_noted() -> None:
    other = changed(
        (("metadata", "name"), "other"), (("metadata", "annotations", "scenarios.ai.sap.com/name"), "B")
    )
    found = read(f"{TRAINING}---\n{other}", file="x.yaml")
    assert len(found.templates) == 2
    assert [str(each).partition(": ")[2] for each in found.notices][-1] == (
        "metadata.annotations: another template names or describes petal-sorting otherwise; the last counts"
    )


def test_a_yaml_directive_belongs_to_the_document_below_it() -> None:
    found = read(f"# about\n%YAML 1.2\n---\n{TRAINING}", file="x.yaml")
    assert [each.line for each in found.templates] == [1]


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 1, "holds no template"),
        ("# only words\n---\n...\n", 1, "holds no template"),
        (b"a: b\n\xff\xfe", 2, "is not UTF-8 text"),
        ("a: \ud800", 1, "is not UTF-8 text"),
        ("a: b\nc: \x00\n", 2, "the character U+0000 is not allowed"),
        ("a: b\nc: \x1b[0m\n", 2, "the character U+001B is not allowed"),
        ('a: b\nkind: "\\0"\n', 2, "the character U+0000 is not allowed"),
        ('a: b\nkind: "\\ud800"\n', 2, "the character U+D800 is not allowed"),
        ('a: b\nkind: "\\UFFFFFFFF"\n', 2, "not valid YAML: a number is out of range"),
        ("a: b\n\tc: d\n", 2, "not valid YAML: a tab is used where YAML wants blanks"),
        ("a: b\nc: [d\n", 3, "not valid YAML: while parsing a flow sequence"),
        ("a: b\n...\nc: d", 3, "not valid YAML"),
        ("[a, b]", 1, "is not a mapping of fields to values"),
        ("just words", 1, "is not a mapping of fields to values"),
        ("a: b\nkind: x\nkind: y\n", 3, "given twice"),
        ("a: b\n? [c]\n: d\n", 2, "a key is not a text"),
        ("a: b\n~: d\n", 2, "a key is not a text"),
        ("a: b\n<<: {c: d}\n", 2, "merge keys are not read; write the fields out"),
        (
            "a: b\nkind: !!python/object/apply:os.system [x]\n",
            2,
            "the YAML tag !!python/object/apply:os.system is not",
        ),
        ("a: b\nkind: !mine x\n", 2, "the YAML tag !mine is not read"),
        ("a: b\nkind: *nowhere\n", 2, "not valid YAML: found undefined alias 'nowhere'"),
        ("a: &a {b: *a}\n", 1, "nested more than 50 deep, or an alias inside its own anchor"),
        ("a:\n" + "[" * 900, 2, "nested more than 50 deep"),
        ("a:\n" + "- " * 1000, 2, "nested more than 50 deep"),
        ("a: [" + "x, " * 30_000 + "]", 1, "more than 20,000 values"),
        ("a: " + "x" * 1024 * 1024, 1, "is 1,048,579 bytes long; at most 1,048,576 are allowed"),
        ("---\na: b\n" * 101, 201, "more than 100 documents; the rest is left out"),
    ],
)
def test_what_is_no_template_says_why_and_where(text: str | bytes, line: int, reason: str) -> None:
    found = read(text, file="bad.yaml")
    assert found.templates == ()
    said = [(error.line, error.reason) for error in found.errors]
    assert any(at == line and why.startswith(reason) for at, why in said), said


def test_aliases_are_counted_each_time_they_are_used() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    found = read("\n".join(lines), file="bomb.yaml")
    assert "aliases counted each time they are used" in only_error(found)


def test_an_alias_is_as_good_as_its_text() -> None:
    text = TRAINING.replace("name: Petal sorting", "name: &words Petal sorting").replace(
        "name: Train a petal classifier", "name: *words"
    )
    assert good(text).name == "Petal sorting"


def test_windows_line_ends_and_a_byte_order_mark_are_fine() -> None:
    text = "\ufeff" + TRAINING.replace("\n", "\r\n")
    assert good(text).digest == good(TRAINING).digest


def test_to_json_round_trips() -> None:
    template = good(TRAINING)
    assert ExecutableTemplate.from_json(template.to_json()) == template


@pytest.mark.parametrize(
    ("key", "value"),
    [("version", 1), ("kind", "cron"), ("inputs", {}), ("inputs", [{"name": "x"}]), ("surprise", "x")],
)
def test_from_json_refuses_what_it_did_not_write(key: str, value: object) -> None:
    data = good(TRAINING).to_json()
    with pytest.raises(ValueError, match="ExecutableTemplate"):
        ExecutableTemplate.from_json({**data, key: value})


def test_the_digest_follows_the_meaning_only() -> None:
    template = good(TRAINING)
    moved = read(
        "# a comment\n" + TRAINING.replace("name: fit, template: fit", "template: fit, name: fit"), file="y"
    )
    assert moved.templates[0].digest == template.digest
    later = read(f"a: b\n---\n{TRAINING}", file="x").templates[0]
    assert (later.line, later.digest) == (2, template.digest)
    for old, new in (
        ("train.py", "train2.py"),
        ("1.2.0", "1.2.1"),
        ('limit: "1"', 'limit: "2"'),
        ("Random seed", "The seed"),
        ("kind: dataset", "kind: other"),
        ("3600", "3601"),
    ):
        assert good(TRAINING.replace(old, new)).digest != template.digest


def test_a_folder_is_read_in_order(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / ".git").mkdir()
    (tmp_path / "b.yml").write_text(TRAINING)
    (tmp_path / "sub" / "a.yaml").write_text(changed((("metadata", "name"), "deep")))
    (tmp_path / ".git" / "c.yaml").write_text("not: read")
    (tmp_path / ".hidden.yaml").write_text("not: read")
    (tmp_path / "notes.txt").write_text("not: read")
    found = read_folder(tmp_path)
    assert found.errors == ()
    assert [(each.file, each.executable_id) for each in found.templates] == [
        ("b.yml", "petal-train"),
        ("sub/a.yaml", "deep"),
    ]


def test_links_that_leave_the_folder_are_errors(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "folder"
    outside.mkdir()
    folder.mkdir()
    (outside / "secret.yaml").write_text(TRAINING)
    (folder / "a.yaml").symlink_to(outside / "secret.yaml")
    (folder / "b.yaml").symlink_to(folder / "b.yaml")
    (folder / "c.yaml").symlink_to(folder / "missing.yaml")
    (folder / "d").symlink_to(outside)
    (folder / "e.yaml").write_text(changed((("metadata", "name"), "real")))
    os.mkfifo(folder / "f.yaml")
    found = read_folder(folder)
    assert [each.executable_id for each in found.templates] == ["real"]
    said = {each.file: each.reason for each in found.errors}
    assert said["a.yaml"] == said["d"] == "is a link that leaves the folder"
    assert said["b.yaml"].startswith("cannot be read")
    assert said["c.yaml"] == "cannot be read: No such file or directory"
    assert said["f.yaml"] == "is not a file"


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    assert only_error(read_folder(tmp_path / "no")) == ".:1: file: cannot be read: No such file or directory"


def test_the_same_id_in_two_files_is_an_error_of_the_second(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(TRAINING)
    found = read_folder(tmp_path)
    assert [each.file for each in found.templates] == ["a.yaml"]
    assert [str(each) for each in found.errors] == [
        "b.yaml:1: metadata.name: petal-train is defined in a.yaml, line 1, already"
    ]


@given(st.binary(max_size=300) | st.text(max_size=300))
@settings(max_examples=150, deadline=None)
def test_reading_never_raises(text: bytes | str) -> None:
    found = read(text, file="fuzz.yaml")
    assert found.errors
    assert all(each.line >= 1 and each.field and each.reason for each in found.findings)


@given(
    st.integers(0, len(TRAINING)), st.integers(0, 40), st.text("[]{}:-\"'#&*!|>%@`,? \n\tab1{{}}", max_size=6)
)
@settings(max_examples=300, deadline=None)
def test_a_damaged_template_reads_or_says_what_is_wrong(at: int, length: int, put: str) -> None:
    text = TRAINING[:at] + put + TRAINING[at + length :]
    found = read(text, file="fuzz.yaml")
    assert found.errors or found.templates
    for template in found.templates:
        assert ExecutableTemplate.from_json(template.to_json()) == template
