"""What the list of features calls proof is there."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FEATURES = ROOT / "docs" / "features.md"
PROOF = re.compile(r"`(tests/[\w/.-]+)((?:::\w+)*)`")


def test_every_proof_exists():
    missing, found = [], 0
    for line in FEATURES.read_text().splitlines():
        if not line.startswith("| ") or line.startswith("| key ") or line.startswith("| what "):
            continue
        proofs = PROOF.findall(line)
        found += len(proofs)
        if not proofs:
            missing.append(f"no proof: {line[:60]}")
        for path, names in proofs:
            if not (ROOT / path).exists():
                missing.append(path)
                continue
            text = (ROOT / path).read_text() if names else ""
            missing += [
                f"{path}{names}"
                for name in names.split("::")[1:]
                if not re.search(rf"\b(def|class) {name}\b", text)
            ]
    assert missing == []
    assert found > 80
