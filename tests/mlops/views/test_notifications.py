"""Pages of notifications: rules, the form of both channels, secrets shown once, the delivery log."""

import re
from datetime import timedelta

import pytest

from launchpad.access import system_scope
from mlops.domain import schedules
from mlops.domain.timings import Timing
from mlops.models import Notice, NotificationRule
from mlops.views import notification_form
from tests.mlops import factories
from tests.mlops.noticing import URL, rule, told, tried
from tests.mlops.views.pages import body, queries

pytestmark = pytest.mark.django_db

HOME = "/w/north/g/red/notifications/"
WORDS = {"name": "On call", "about": "executions", "events": ["failed", "late"], "grace": "10"}


@pytest.fixture
def browser(client, editor):
    client.force_login(editor)
    return client


@pytest.fixture
def reader(client, viewer):
    client.force_login(viewer)
    return client


def secret_in(text):
    return re.search(r"whsec_[A-Za-z0-9+/=]+", text)[0]


class TestRules:
    def test_an_empty_group_says_what_a_rule_is_for(self, browser):
        text = body(browser.get(HOME))
        assert "Nobody is told yet" in text
        assert f'href="{HOME}create"' in text

    def test_a_viewer_is_told_who_can_make_one(self, reader):
        text = body(reader.get(HOME))
        assert "Editors of this resource group can create one." in text
        assert f"{HOME}create" not in text

    def test_a_webhook_is_made_and_its_secret_shown_once(self, browser, red):
        response = browser.post(f"{HOME}create?channel=webhook", WORDS | {"url": URL})
        secret = secret_in(body(response))
        assert response["Cache-Control"] == "no-store"
        (made,) = NotificationRule.unscoped.filter(resource_group=red)
        assert made.secret == {"new": secret}
        assert (made.url, made.target, made.host) == (URL, "https://93.184.215.14/…", "93.184.215.14")
        assert (made.events, made.grace) == (["failed", "late"], timedelta(minutes=10))
        for page in (HOME, f"{HOME}log", f"{HOME}{made.pk}/edit"):
            assert secret not in body(browser.get(page))

    def test_e_mail_is_made_with_several_addresses(self, browser, red, settings):
        settings.EMAIL_HOST = "mail.example"
        given = WORDS | {"addresses": "ada@example.com\r\n bob@example.com,ada@example.com"}
        response = browser.post(f"{HOME}create?channel=email", given, follow=True)
        assert "Notification rule On call was created." in body(response)
        (made,) = NotificationRule.unscoped.filter(resource_group=red)
        assert (made.channel, made.addresses) == ("email", ["ada@example.com", "bob@example.com"])
        assert (made.url, made.secret) == (None, None)

    def test_without_a_mail_server_the_form_says_so(self, browser):
        assert "E-mail is not set up on this Launchpad." in body(browser.get(f"{HOME}create?channel=email"))
        given = WORDS | {"addresses": "ada@example.com"}
        text = body(browser.post(f"{HOME}create?channel=email", given), 422)
        assert "An administrator sets EMAIL_HOST." in text
        assert not NotificationRule.unscoped.exists()

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"name": ""}, "Give it a name."),
            ({"name": "a\x00b"}, "Null characters are not allowed."),
            ({"events": []}, "Choose at least one event."),
            ({"events": ["skipped"]}, "Only schedules skip runs."),
            ({"grace": "0"}, "Ensure this value is greater than or equal to 1."),
            ({"url": ""}, "Give the URL, which begins with https://"),
            ({"url": "http://hooks.example.com/"}, "Webhooks go by https alone."),
            ({"url": "https://10.0.0.1/"}, "not a public address on the internet"),
            ({"url": "https://localhost/"}, "not a public address on the internet"),
            ({"url": "https://a:b@hooks.example.com/"}, "Leave name and password out"),
        ],
    )
    def test_what_is_wrong_is_said_and_kept(self, browser, changes, sentence):
        response = browser.post(f"{HOME}create?channel=webhook", WORDS | {"url": URL} | changes)
        text = body(response, 422)
        assert sentence in text
        assert not NotificationRule.unscoped.exists()

    @pytest.mark.parametrize(
        "bad",
        [
            "",
            "ada",
            "ä@example.com",
            "ada@example.com\x0bBcc: eve@example.com",
            "Ada <ada@example.com>",
            '"a\\\r\nBcc: eve"@example.com',
            "\n".join(f"ada{n}@example.com" for n in range(11)),
        ],
    )
    def test_bad_addresses_are_refused(self, browser, settings, bad):
        settings.EMAIL_HOST = "mail.example"
        body(browser.post(f"{HOME}create?channel=email", WORDS | {"addresses": bad}), 422)
        assert not NotificationRule.unscoped.exists()

    def test_it_begins_with_the_schedule_one_comes_from(self, browser, red):
        mine = made_schedule(red)
        assert f"{HOME}create?schedule={mine.pk}" in body(browser.get(f"/w/north/g/red/schedules/{mine.pk}/"))
        text = body(browser.get(f"{HOME}create?schedule={mine.pk}"))
        assert f'<option value="{mine.pk}" selected>nightly</option>' in text
        assert f"?channel=email&amp;schedule={mine.pk}" in text
        given = WORDS | {"about": "schedules", "schedule": str(mine.pk), "url": URL}
        body(browser.post(f"{HOME}create", given))
        assert NotificationRule.unscoped.get().schedule == mine
        assert ">nightly</a>" in body(browser.get(HOME))

    def test_a_schedule_of_another_group_is_none(self, browser, blue):
        other = made_schedule(blue)
        given = WORDS | {"about": "schedules", "schedule": str(other.pk), "url": URL}
        body(browser.post(f"{HOME}create", given), 422)
        assert not NotificationRule.unscoped.exists()

    def test_a_rule_of_a_schedule_that_is_not_offered_can_be_edited(self, browser, red, monkeypatch):
        mine, other = made_schedule(red), made_schedule(red, "hourly")
        made = rule(red, about="schedules", schedule=str(mine.pk))
        monkeypatch.setattr(notification_form, "_OFFERED", 1)
        text = body(browser.get(f"{HOME}{made.pk}/edit"))
        assert str(other.pk) in text and f'<option value="{mine.pk}" selected>' in text
        given = WORDS | {"about": "schedules", "schedule": str(mine.pk), "url": URL}
        assert "was changed" in body(browser.post(f"{HOME}{made.pk}/edit", given, follow=True))

    def test_viewers_see_no_more_of_a_url_than_its_host(self, reader, red):
        tried(red, state="failed", next_try_at=None, answer="500 answer 500")
        for page in (HOME, f"{HOME}log"):
            text = body(reader.get(page))
            assert "https://93.184.215.14/…" in text
            assert "secret-path" not in text and "secret-token" not in text
            assert "Send again" not in text and "Send test" not in text

    def test_editing_keeps_the_secret_and_notices_a_second_editor(self, browser, red):
        made = rule(red)
        text = body(browser.get(f"{HOME}{made.pk}/edit"))
        assert URL.replace("&", "&amp;") in text
        version = re.search(r'name="version" value="([^"]+)"', text)[1]
        given = WORDS | {"url": "https://93.184.215.15/other", "version": version}
        response = browser.post(f"{HOME}{made.pk}/edit", given, follow=True)
        assert "Notification rule On call was changed." in body(response)
        changed = NotificationRule.unscoped.get(pk=made.pk)
        assert (changed.target, changed.secret) == ("https://93.184.215.15/…", made.secret)
        text = body(browser.post(f"{HOME}{made.pk}/edit", given | {"name": "Late"}), 422)
        assert "Somebody else changed On call meanwhile." in text

    def test_a_rule_becomes_e_mail_and_what_waits_is_not_sent_there(self, browser, red, settings):
        settings.EMAIL_HOST = "mail.example"
        made = tried(red).rule
        given = WORDS | {"addresses": "ada@example.com"}
        browser.post(f"{HOME}{made.pk}/edit?channel=email", given)
        made.refresh_from_db()
        assert (made.channel, made.url, made.secret) == ("email", None, None)
        assert told(red)[0].state == "failed"
        secret = secret_in(body(browser.post(f"{HOME}{made.pk}/edit?channel=webhook", WORDS | {"url": URL})))
        made.refresh_from_db()
        assert made.secret == {"new": secret}

    def test_pause_resume_rotate_and_delete(self, browser, red):
        made = rule(red)
        where = f"{HOME}{made.pk}/"
        text = body(browser.post(f"{where}pause", follow=True))
        assert "Paused by editor." in text and ">Resume<" in text
        assert browser.post(f"{where}send-test").status_code == 409
        assert "is active again" in body(browser.post(f"{where}resume", follow=True))
        assert "For 24 hours webhooks are signed with the old one too" in body(browser.get(f"{where}rotate"))
        secret = secret_in(body(browser.post(f"{where}rotate")))
        kept = NotificationRule.unscoped.get(pk=made.pk).secret
        assert (kept["new"], kept["old"][0][0]) == (secret, made.secret["new"])
        assert "cannot be taken back" in body(browser.get(f"{where}delete"))
        assert "was deleted" in body(browser.post(f"{where}delete", follow=True))
        assert not NotificationRule.unscoped.exists()

    def test_rows_cost_no_queries_each(self, browser, red):
        tried(red)
        one = queries(browser, HOME)
        tried(red)
        tried(red)
        assert queries(browser, HOME) == one <= 8


class TestLog:
    def test_an_empty_log_says_what_comes_here(self, browser):
        assert "Nothing was told yet" in body(browser.get(f"{HOME}log"))

    def test_a_test_appears_and_is_followed_until_it_ended(self, browser, red):
        made = rule(red)
        text = body(browser.post(f"{HOME}{made.pk}/send-test", follow=True))
        assert "A test of tell us is on its way." in text
        assert "Test of tell us" in text and 'hx-trigger="every 3s"' in text
        Notice.unscoped.update(state="sent", next_try_at=None, answer="204")
        assert "every 3s" not in body(browser.get(f"{HOME}log"))

    def test_what_was_not_delivered_is_sent_again(self, browser, red):
        notice = tried(red, state="failed", next_try_at=None, tries=8, answer="500 Oh no")
        text = body(browser.get(f"{HOME}log"))
        assert "Not delivered" in text and "500 Oh no" in text and "Send again" in text
        response = browser.post(
            f"{HOME}log/{notice.pk}/send-again", headers={"HX-Request": "true", "HX-Target": "notice-table"}
        )
        assert "Waiting" in body(response)
        notice.refresh_from_db()
        assert (notice.state, notice.tries) == ("waiting", 0)
        assert browser.post(f"{HOME}log/{notice.pk}/send-again").status_code == 409

    def test_filters_by_rule_and_state(self, browser, red):
        sent = tried(red, state="sent", next_try_at=None)
        waits = tried(red)
        for address, shown, hidden in (
            (f"?rule={sent.rule_id}", sent, waits),
            ("?state=waiting", waits, sent),
            (f"?rule={waits.rule_id}&state=waiting", waits, sent),
        ):
            text = body(browser.get(f"{HOME}log{address}"))
            assert f"n-{shown.pk}" in text and f"n-{hidden.pk}" not in text
        assert "that is not here" in body(browser.get(f"{HOME}log?rule=none"))
        assert "Nothing matches" in body(browser.get(f"{HOME}log?state=failed"))

    def test_a_neighbours_rule_is_none(self, browser, blue):
        other = tried(blue)
        text = body(browser.get(f"{HOME}log?rule={other.rule_id}"))
        assert "that is not here" in text and f"n-{other.pk}" not in text

    def test_pages_of_fifty(self, browser, red):
        notice = tried(red)
        fields = {name: getattr(notice, name) for name in ("resource_group", "rule", "event", "payload")}
        Notice.unscoped.bulk_create(
            Notice(**fields, subject=str(n), state="sent", created_at=notice.created_at - timedelta(n + 1))
            for n in range(60)
        )
        text = body(browser.get(f"{HOME}log"))
        assert text.count('<tr id="n-') == 50
        older = re.search(r'rel="next" href="(\?[^"]+)"', text)[1].replace("&amp;", "&")
        assert body(browser.get(f"{HOME}log{older}")).count('<tr id="n-') == 11
        assert queries(browser, f"{HOME}log") <= 8

    def test_hostile_names_are_text(self, browser, red):
        made = tried(red, state="failed", next_try_at=None, answer="<script>alert(1)</script>").rule
        NotificationRule.unscoped.filter(pk=made.pk).update(name="<b>x</b>")
        for page in (HOME, f"{HOME}log", f"{HOME}{made.pk}/edit", f"{HOME}{made.pk}/delete"):
            text = body(browser.get(page))
            assert "<script>alert" not in text and "<b>x</b>" not in text


def made_schedule(group, name="nightly"):
    bound = factories.configuration(group, name=name)
    return schedules.create(
        system_scope(group), name=name, configuration=bound.pk, timing=Timing("0 6 * * *")
    )
