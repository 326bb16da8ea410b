"""Icons, times, durations, numbers and sizes as people read them."""

import datetime

import pytest
from django.template import Context, Template
from django.utils import timezone

from launchpad.access import open_scope


def render(text, **values):
    """The template's text."""
    return Template("{% load launchpad %}" + text).render(Context(values))


def test_icons_and_glyphs_point_into_the_sprite():
    assert 'href="/static/img/icons.svg#i-plus"' in render('{% icon "plus" %}')
    assert 'href="/static/img/icons.svg#s-RUNNING"' in render("{% icon status %}", status="RUNNING")
    assert "&lt;b&gt;" in render("{% icon name %}", name="<b>")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (12, "12 s"),
        (59.6, "1 min 00 s"),
        (372, "6 min 12 s"),
        (3599.7, "1 h 00 min"),
        (3840, "1 h 04 min"),
        (49 * 3600, "2 d 1 h"),
        (datetime.timedelta(minutes=2), "2 min 00 s"),
        (-3, "0.0 s"),
        (None, '<span class="meta">–</span>'),
    ],
)
def test_durations(value, shown):
    assert render("{{ value|duration }}", value=value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (1234567, "1,234,567"), (0.93456, "0.935"), (None, '<span class="meta">–</span>')],
)
def test_numbers(value, shown):
    assert render("{{ value|number }}", value=value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1_468_006, "1.4 MiB"), (5 * 2**40, "5.0 TiB")],
)
def test_sizes(value, shown):
    assert render("{{ value|size }}", value=value) == shown


def test_moments_are_short_and_keep_the_whole_in_the_title():
    now = timezone.now()
    assert render("{{ value|when }}", value=now).endswith(f">{now:%H:%M}</time>")
    old = datetime.datetime(2020, 6, 17, 16, 5, 9, tzinfo=datetime.UTC)
    assert render("{{ value|when }}", value=old) == (
        '<time datetime="2020-06-17T16:05:09Z" title="2020-06-17 16:05:09 UTC">17 Jun 2020</time>'
    )


def test_small_ones():
    assert (
        render('{{ "ec4e592e024c22e3"|short }} {{ "ml-editor"|initials }} {{ "bo"|initials }}')
        == "ec4e592e ME BO"
    )
    assert render('{{ ""|dash }}{{ 0|dash }}') == '<span class="meta">–</span>0'


def test_addresses_are_completed_with_the_place(editor, red, rf):
    request = rf.get("/w/north/", {"q": "a", "page": "2"})
    request.scope = open_scope(editor, "north", "red")
    template = Template(
        "{% load launchpad %}{% url_in 'resource_groups.enter' %} {% url_with page='' q='b' %}"
    )
    context = Context({})
    context.request = request
    assert template.render(context) == "/w/north/g/red/ ?q=b"
