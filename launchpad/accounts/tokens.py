"""The token endpoint of API clients: client credentials in a form body or as HTTP Basic."""

from django.http import HttpRequest, HttpResponse
from oauth2_provider.views import TokenView

from launchpad.http import WRITE, public

_view = TokenView.as_view()


@public("the client's credentials are in the request", methods=WRITE)
def issue(request: HttpRequest) -> HttpResponse:
    """An access token as RFC 6749 says, or its error."""
    return _view(request)


issue.csrf_exempt = True  # type: ignore[attr-defined]
