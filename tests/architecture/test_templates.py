"""Templates: no inline code, no foreign assets, named fragments, described components."""

import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.template.loader import get_template

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
OURS = [path for path in TEMPLATES if "admin" not in path.parts]
COMPONENTS = [path for path in OURS if path.parent.name == "components"]
TEXTS = {path.relative_to(ROOT / "templates").as_posix(): path.read_text() for path in TEMPLATES}
# Of them only one each a page, in the layout that every page extends.
SHELL = {"failure", "switcher", "account", "navigation", "palette", "shortcuts"}
SPRITE = (ROOT / "static/img/icons.svg").read_text()


@pytest.mark.parametrize("name", TEXTS)
def test_each_template_compiles_and_keeps_its_length(name):
    assert get_template(name).template.name == name
    assert len(TEXTS[name].splitlines()) <= 150
    assert not Path(name).name.startswith("_")


@pytest.mark.parametrize("name", TEXTS)
def test_nothing_inline_and_nothing_from_elsewhere(name):
    text = TEXTS[name]
    assert re.findall(r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")[^>]*>", text) == []
    assert re.findall(r"<style\b|\sstyle=|\son[a-z]+=[\"']|hx-on|javascript:", text) == []
    assert re.findall(r"(?:src|href)=\"(?:https?:)?//", text) == []


@pytest.mark.parametrize("path", COMPONENTS, ids=lambda path: path.stem)
def test_each_component_says_its_variables_and_is_in_the_style_guide(path):
    assert path.read_text().startswith("{# Variables:")
    assert path.stem in SHELL or f'"components/{path.name}"' in TEXTS["styleguide.html"]


@pytest.mark.parametrize("name", TEXTS)
def test_components_get_what_they_name_and_no_more(name):
    loose = [
        tag
        for tag in re.findall(r"{% include \"components/[^%]*%}", TEXTS[name])
        if not tag.rstrip("%} ").endswith(" only")
    ]
    assert loose == []


@pytest.mark.parametrize("name", TEXTS)
def test_a_fragment_is_named_as_the_element_it_is(name):
    for fragment, body in re.findall(
        r"{% partialdef ([\w-]+)[^%]*%}(.*?){% endpartialdef", TEXTS[name], re.DOTALL
    ):
        first = re.search(r"<[a-z][^>]*>", body)
        assert first is not None
        assert f'id="{fragment}"' in first[0]


@pytest.mark.parametrize("name", TEXTS)
def test_every_icon_is_in_the_sprite(name):
    named = set(re.findall(r"{% icon [\"']([\w-]+)[\"']", TEXTS[name]))
    named |= set(re.findall(r"\bicon=[\"']([\w-]+)[\"']", TEXTS[name]))
    assert {one for one in named if f'id="{"s" if one.isupper() else "i"}-{one}"' not in SPRITE} == set()


@pytest.mark.parametrize("name", TEXTS)
def test_every_static_file_exists(name):
    asked = re.findall(r"{% static [\"']([^\"']+)[\"']", TEXTS[name])
    assert [one for one in asked if finders.find(one) is None] == []


def test_no_template_or_page_of_documentation_bears_the_marks_of_a_conflict():
    marks = ("<<<<<<< ", ">>>>>>> ")
    found = [
        f"{path.relative_to(ROOT)}: {line}"
        for path in (*TEMPLATES, ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
        for line in path.read_text().splitlines()
        if line.startswith(marks)
    ]
    assert found == []
