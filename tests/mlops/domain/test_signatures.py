"""Signatures of outputs: stored, checked where that can be done, and told to later runs."""

import hashlib
import json

import pytest

from launchpad.errors import Invalid
from mlops.domain import signatures
from mlops.models import Artifact
from tests.mlops import factories
from tests.mlops.carrying import carry_out, sh, submit, text

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

SIGNED = """\
outputs:
  artifacts: [{name: m, path: /out/m, globalName: the-model, archive: {none: {}}}]
  parameters: [{name: AICORE_ARTIFACT_SIGNATURES, valueFrom: {path: /tmp/signatures.json}}]
"""
RIGHT = hashlib.sha256(b"weights\n").hexdigest()


def make(group, signature: str):
    command = f'echo weights > /out/m\necho \'{{"the-model": "{signature}"}}\' > /tmp/signatures.json'
    return carry_out(submit(group, text("entrypoint: make", sh("make", command, SIGNED))))


@pytest.mark.parametrize("signature", [RIGHT, f"sha256:{RIGHT.upper()}", "minisign:RWQf6"])
def test_a_signature_is_kept_and_told_to_runs_that_use_the_artifact(signature):
    group = factories.place()
    done = make(group, signature)
    made = Artifact.unscoped.get(execution=done.execution)
    assert made.signature == signature
    use = sh(
        "use", "echo $AICORE_ARTIFACT_SIGNATURES", "inputs: {artifacts: [{name: given, path: /in/given}]}"
    )
    row = submit(group, text("entrypoint: use", use), inputs={"given": made})
    assert json.loads(carry_out(row).log("use")) == {"given": signature}


def test_what_is_not_what_was_signed_is_not_registered():
    done = make(factories.place(), "0" * 64)
    assert done.status == "DEAD"
    assert "it changed after it was signed" in done.message
    assert not Artifact.unscoped.filter(execution=done.execution).exists()


@pytest.mark.parametrize("given", ["", "[]", "{", '{"a": 1}', '{"a": "' + "x" * 1025 + '"}', "[" * 100_000])
def test_what_is_no_object_of_texts_is_refused(given):
    with pytest.raises(Invalid, match="must be a JSON object"):
        signatures.read([given])


def test_later_steps_overrule_earlier_ones():
    assert signatures.read(['{"a": "1", "b": "2"}', '{"b": "3"}']) == {"a": "1", "b": "3"}
