"""Signing in and out, and personal preferences."""

from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from launchpad.accounts import throttle
from launchpad.accounts.forms import SignInForm
from launchpad.http import FORM, WRITE, member, public, render
from launchpad.shell import THEMES

YEAR = 365 * 24 * 3600


@public("the door itself", methods=FORM)
def sign_in(request: HttpRequest) -> HttpResponse:
    """Ask for username and password; then go where the person wanted to go."""
    target = _local(request, request.POST.get("next") or request.GET.get("next") or "")
    if request.method != "POST":
        if request.user.is_authenticated:
            return HttpResponseRedirect(target)
        return render(request, "accounts/sign_in.html", {"form": SignInForm(request), "next": target})
    who = (request.POST.get("username", ""), request.META.get("REMOTE_ADDR", ""))
    if throttle.wait_seconds(*who):
        # An unbound form: not even the password is looked at.
        context = {"form": SignInForm(request, initial={"username": who[0]}), "next": target, "waits": True}
        return render(request, "accounts/sign_in.html", context, status=429)
    form = SignInForm(request, data=request.POST)
    if not form.is_valid():
        throttle.failed(*who)
        return render(request, "accounts/sign_in.html", {"form": form, "next": target}, status=422)
    throttle.succeeded(*who)
    login(request, form.get_user())
    if not form.cleaned_data["remember"]:
        request.session.set_expiry(0)
    return HttpResponseRedirect(target)


@member
def admin_sign_in(request: HttpRequest) -> HttpResponse:
    """In place of the admin site's own sign-in, where passwords could be guessed at any speed.

    Who comes here without a session is asked to sign in like everywhere else; of the others, staff go on.
    """
    wanted = request.GET.get("next") or reverse("admin:index")
    return HttpResponseRedirect(_local(request, wanted if request.user.is_staff else ""))


@public("signing out twice does no harm", methods=WRITE)
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    logout(request)
    return HttpResponseRedirect(reverse("accounts.sign_in"))


@public("the theme is kept in a cookie, for the sign-in page too", methods=WRITE)
def theme(request: HttpRequest) -> HttpResponse:
    """Remember the theme for a year and go back."""
    chosen = request.POST.get("theme", "")
    response = HttpResponseRedirect(_local(request, request.POST.get("next", "")))
    response.set_cookie(
        "theme",
        chosen if chosen in THEMES else "system",
        max_age=YEAR,
        samesite="Lax",
        httponly=True,
        secure=request.is_secure(),
    )
    return response


@public("whether single keys do something is kept in a cookie, as the theme is", methods=WRITE)
def shortcuts(request: HttpRequest) -> HttpResponse:
    """Turn single-key shortcuts on or off for a year and go back."""
    response = HttpResponseRedirect(_local(request, request.POST.get("next", "")))
    chosen = "off" if request.POST.get("keys") == "off" else "on"
    response.set_cookie(
        "keys", chosen, max_age=YEAR, samesite="Lax", httponly=True, secure=request.is_secure()
    )
    return response


def _local(request: HttpRequest, url: str) -> str:
    """The address if it is one of ours, else the first page."""
    if url_has_allowed_host_and_scheme(
        url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return url
    return resolve_url("home")
