"""`python -m tests.architecture.sizes`: reports file, view, task and template sizes against their budgets."""

from __future__ import annotations

import ast
import statistics
import subprocess
from pathlib import Path

FILE_MEDIAN, FILE_CAP, VIEW_CAP, TASK_CAP, TEMPLATE_CAP = 90, 400, 30, 15, 150


def tracked(*patterns: str) -> list[Path]:
    """Files of the project that match, generated ones left out."""
    found = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        capture_output=True,
        text=True,
        check=True,
    )
    return [
        path for name in found.stdout.split() if "/migrations/" not in name and (path := Path(name)).exists()
    ]


def functions(path: Path) -> list[tuple[str, int]]:
    """Top-level functions with their number of lines."""
    tree = ast.parse(path.read_text())
    return [
        (f"{path}:{node.name}", (node.end_lineno or 0) - node.lineno + 1)
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
    ]


def report() -> list[str]:
    """One line a budget, then one line for each thing over it."""
    files = [(str(path), len(path.read_text().splitlines())) for path in tracked("*.py")]
    product = [size for name, size in files if not name.startswith("tests/") and size]
    templates = [(str(path), len(path.read_text().splitlines())) for path in tracked("templates/*.html")]
    views = [item for path in tracked("mlops/views/*.py", "launchpad/*/views.py") for item in functions(path)]
    tasks = [item for path in tracked("mlops/tasks.py") for item in functions(path)]
    lines = [f"Python files: median {statistics.median(product):.0f} lines (aim {FILE_MEDIAN})"]
    for what, items, cap in (
        ("Python files", files, FILE_CAP),
        ("views", views, VIEW_CAP),
        ("tasks", tasks, TASK_CAP),
        ("templates", templates, TEMPLATE_CAP),
    ):
        over = [item for item in items if item[1] > cap]
        lines.append(f"{what}: {len(items)}, longest {max(size for _, size in items)} (cap {cap})")
        lines += [f"  over: {name} has {size} lines" for name, size in over]
    return lines


if __name__ == "__main__":
    print("\n".join(report()))
