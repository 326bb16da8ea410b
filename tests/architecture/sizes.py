"""`python -m tests.architecture.sizes`: how large things are, against their budgets."""

import ast
import statistics
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def functions(path: Path) -> dict[str, int]:
    """Functions of a file and their lines, docstring and decorators left out."""
    found = {}
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef):
            documented = node.body and ast.get_docstring(node) is not None
            first = node.body[1 if documented and len(node.body) > 1 else 0].lineno
            found[f"{path.relative_to(ROOT)}:{node.name}"] = node.end_lineno - first + 1
    return found


def report(name: str, sizes: dict[str, int], limit: int) -> bool:
    """Print one line and whatever is over the limit; True when nothing is."""
    over = {key: lines for key, lines in sizes.items() if lines > limit}
    if sizes:
        median, largest = statistics.median(sizes.values()), max(sizes.values())
        print(f"{name:<12} {len(sizes):>4}  median {median:>5.0f}  largest {largest:>4}  limit {limit}")
    for key, lines in sorted(over.items()):
        print(f"  over: {key} ({lines})")
    return not over


def main() -> int:
    """0 when every budget is kept."""
    code = [
        path
        for folder in ("launchpad", "mlops")
        for path in (ROOT / folder).rglob("*.py")
        if "migrations" not in path.parts
    ]
    lines = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in code}
    views = {key: size for path in code if "views" in str(path) for key, size in functions(path).items()}
    tasks = {key: size for path in code if path.name == "tasks.py" for key, size in functions(path).items()}
    pages = (ROOT / "templates").rglob("*.html")
    templates = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in pages}
    kept = [
        report("files", {key: size for key, size in lines.items() if size}, 400),
        report("views", views, 30),
        report("tasks", tasks, 15),
        report("templates", templates, 150),
    ]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    raise SystemExit(main())
