"""The pages and endpoints of the URLconf, and their addresses in red with samples as arguments."""

from django.urls import reverse

from launchpad.checks import routes
from launchpad.http import policies

PLACE = ("workspace", "resource_group")
PAGES = [
    (route, name, methods, policy)
    for route, name, pattern in routes()
    for methods, policy in policies(pattern.callback)
    if policy.kind != "endpoint"
]
ENDPOINTS = [
    (route, name, methods, policy)
    for route, name, pattern in routes()
    for methods, policy in policies(pattern.callback)
    if policy.kind == "endpoint"
]


def arguments(route):
    """Names of the values in an address, outer ones included."""
    return [part.split(">")[0].split(":")[-1] for part in route.split("<")[1:]]


def sample(samples, name, argument):
    """The sample of an argument of a route; its noun may have one of its own."""
    noun = name.split(":")[-1].split(".")[0]
    found = samples.get(f"{noun}.{argument}", samples.get(argument))
    assert found is not None, f"{name} needs a sample of {argument!r}: add it to tests/samples.py"
    return found


def address(name, route, samples, foreign=""):
    """The address of a route in red, with the argument `foreign` naming something of another place."""
    values = {"workspace": "north", "resource_group": "red"}
    values = {argument: values[argument] for argument in arguments(route) if argument in PLACE}
    for argument in set(arguments(route)) - set(PLACE):
        one = sample(samples, name, argument)
        values[argument] = one.foreign if argument == foreign else one.own
    return reverse(name, kwargs=values)
