"""Loads modules of the text scenario; those tested here need the standard library only."""

import importlib.util
from pathlib import Path

import pytest

TREE = Path(__file__).parents[4] / "mlops" / "examples" / "text-clf"


@pytest.fixture
def tree():
    return TREE


@pytest.fixture
def load():
    """Load one module of the tree by its name, outside sys.modules."""

    def load(name):
        spec = importlib.util.spec_from_file_location(f"text_clf_{name}", TREE / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load
