"""Groups that are given up: what runs is stopped, all of it goes, neighbours keep theirs."""

import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings as django_settings
from django.db import connection, models
from django.utils import timezone

from launchpad.access import system_scope
from launchpad.accounts import service_keys
from launchpad.accounts.models import ServiceKey
from launchpad.resource_groups import resource_groups
from launchpad.resource_groups.models import AccessRequest, ResourceGroup, ResourceGroupUserPermission
from mlops import storage
from mlops.domain import (
    aliases,
    artifact_checks,
    backfills,
    clock,
    comments,
    enactments,
    group_purge,
    metrics,
    notification_rules,
    run_environments,
    schedules,
)
from mlops.domain.deployment_purge import OF_DEPLOYMENTS
from mlops.domain.metric_limits import Point
from mlops.domain.timings import Timing
from mlops.lifecycle import Outcome, Status
from mlops.models import (
    Artifact,
    Board,
    ConfigurationDraft,
    Deployment,
    DeploymentDraft,
    Execution,
    LogChunk,
    ObjectStoreSecret,
    ResourceGroupSecret,
    SavedView,
    ScheduleDraft,
    StepRun,
    Sweep,
    Tick,
)
from tests.mlops import factories, standing
from tests.waiting import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

INSIDE = [
    model for model in apps.get_models() if getattr(model, "SCOPE", "").split("__")[-1] == "resource_group"
]


def fill(group, user) -> Execution:
    """One of everything in the group, from a run that has ended."""
    scope = system_scope(group)
    bound = factories.configuration(group)
    run = factories.execution(bound, status=Status.COMPLETED)
    enactments.opened(run, actor="tests", reason="Submitted.")
    StepRun.unscoped.create(execution=run, attempt=1, index=0, name="train", status=Status.COMPLETED)
    metrics.record(
        scope,
        run.pk,
        metrics=[Point("loss", 0.5, 1, timezone.now(), ())],
        tags=[("kind", "test")],
        custom_info=[("info", "{}")],
    )
    LogChunk.unscoped.create(
        execution=run, attempt=1, step=0, seq=0, first_line=1, line_count=1, at=timezone.now(), text="a"
    )
    Artifact.unscoped.filter(resource_group=group).update(execution=run)
    aliases.move(scope, Artifact.unscoped.filter(resource_group=group).first().pk, alias="champion", why="")
    ConfigurationDraft.unscoped.create(resource_group=group, author=user)
    Board.unscoped.create(resource_group=group, author=user, name="ours", kind="executions")
    SavedView.unscoped.create(resource_group=group, owner=user, name="ours", noun="executions")
    together = Sweep.unscoped.create(resource_group=group, name="grid")
    factories.execution(bound, status=Status.COMPLETED, sweep=together, origin=run)
    run_environments.record(scope, run, 1, python_env=None, mode="plain")
    ObjectStoreSecret.unscoped.create(resource_group=group, name="lake", kind="s3", data={})
    ResourceGroupSecret.unscoped.create(resource_group=group, name="word", data={})
    comments.add(scope, kind="executions", key=run.pk, text="One.")
    artifact = Artifact.unscoped.filter(resource_group=group).first()
    comments.add(scope, kind="artifacts", key=str(artifact.pk), text="Two.")
    artifact_checks.ask(scope, artifact.pk)
    service_keys.create(scope, name="mine")
    DeploymentDraft.unscoped.create(resource_group=group, author=user)
    standing.along(standing.deployment(group, Status.DEAD), user)
    AccessRequest.unscoped.create(user=user, resource_group=group)
    recur(scope, bound, user)
    return run


def recur(scope, bound, user) -> None:
    """A schedule of the configuration with a row of its ledger, a backfill, a draft and a rule of notices."""
    schedule = schedules.create(scope, name="hourly", configuration=bound.pk, timing=Timing("0 * * * *"))
    hour = schedule.next_run_at - timedelta(hours=2)
    backfills.create(scope, schedule.pk, begin=hour, end=hour, which="all")
    tick = {"outcome": Outcome.SKIPPED, "decided_at": hour}
    Tick.unscoped.create(schedule=schedule, fire_at=hour, **tick)
    ScheduleDraft.unscoped.create(resource_group=scope.group, author=user)
    wanted = notification_rules.Wanted(
        "tell us", "schedules", "webhook", ["failed"], str(schedule.pk), url="https://93.184.215.14/hook"
    )
    rule, _ = notification_rules.create(scope, wanted)
    notification_rules.send_test(scope, rule.pk)


def counts(group) -> dict[str, int]:
    """How many rows of each model are in the group."""
    return {model.__name__: model.unscoped.filter(**{model.SCOPE: group}).count() for model in INSIDE}


def give_up(group) -> None:
    """Begin its deletion."""
    resource_groups.delete(system_scope(group.workspace), group.slug)


def folder(group) -> Path:
    """Where its bytes are."""
    return Path(django_settings.LAUNCHPAD_DATA, "stores", group.workspace_id, group.slug)


def test_every_kind_of_row_in_a_group_is_removed_with_it():
    removed = {Execution, *(model for model, _ in group_purge.OF_EXECUTIONS), *group_purge.AFTER_EXECUTIONS}
    removed |= {Deployment, *OF_DEPLOYMENTS}

    def goes(model: type[models.Model]) -> bool:
        """Whether it is named, or one of the few that go along with what is removed in small batches."""
        along = [
            field.related_model
            for field in model._meta.get_fields()
            if isinstance(field, models.ForeignKey) and field.remote_field.on_delete is models.CASCADE
        ]
        return model in removed or bool(set(group_purge.AFTER_EXECUTIONS).intersection(along))

    assert [model.__name__ for model in INSIDE if not goes(model)] == []


def test_all_of_a_group_goes_and_its_neighbour_stays(red, blue, editor, neighbour):
    fill(red, editor)
    fill(blue, neighbour)
    before = counts(blue)
    assert all(counts(red).values()), counts(red)
    assert folder(red).is_dir()
    give_up(red)
    assert group_purge.purge_groups(seconds=60) == 1
    assert not any(counts(red).values())
    assert not folder(red).exists()
    assert not ResourceGroup.unscoped.filter(slug="red").exists()
    assert not ResourceGroupUserPermission._default_manager.filter(content_object=red.pk).exists()
    assert not ServiceKey.unscoped.filter(resource_group=red.pk).exists()
    assert counts(blue) == before
    assert storage.open_store(blue).top()
    assert group_purge.purge_groups(seconds=60) == 0
    made = resource_groups.create(system_scope(blue.workspace), slug="red")
    assert storage.open_store(made).top() == []


def test_what_runs_is_stopped_and_waited_for(red, editor):
    bound = factories.configuration(red)
    waiting, running = factories.execution(bound), factories.execution(bound, status=Status.RUNNING)
    give_up(red)
    assert group_purge.purge_groups(seconds=60) == 0
    waiting.refresh_from_db()
    running.refresh_from_db()
    assert (waiting.status, running.status) == (Status.STOPPED, Status.STOPPING)
    assert group_purge.purge_groups(seconds=60) == 0
    enactments.transition(running.pk, Status.STOPPED, actor="tests", reason="Gone.")
    assert group_purge.purge_groups(seconds=60) == 1
    assert not Execution.unscoped.exists()


def test_the_sweep_does_it(red, editor, settings):
    settings.SWEEP_SECONDS = 60
    fill(red, editor)
    give_up(red)
    clock.sweep()
    assert not ResourceGroup.unscoped.filter(slug="red").exists()


def test_it_ends_in_time_and_goes_on(red, editor, monkeypatch):
    fill(red, editor)
    give_up(red)
    assert group_purge.purge_groups(seconds=0) == 0
    assert all(counts(red).values())
    monkeypatch.setattr(group_purge, "_ROWS", 1)
    monkeypatch.setattr(group_purge, "_EXECUTIONS", 1)
    until(lambda: group_purge.purge_groups(seconds=0.05))
    assert not ResourceGroup.unscoped.filter(slug="red").exists()


def test_folders_are_removed_a_little_at_a_time(red):
    store = storage.open_store(red)
    for number in range(5):
        store.write(f"a/b/{number}", [b"x"])
    link = folder(red) / "default" / "link"
    link.symlink_to("/etc")
    assert storage.remove_folders(red, until=time.monotonic() - 1) is False
    assert len(store.files("a/b")) == 5
    assert storage.remove_folders(red, until=time.monotonic() + 60) is True
    assert not folder(red).exists()
    assert Path("/etc/passwd").exists()
    assert storage.remove_folders(red, until=time.monotonic() + 60) is True


def test_several_at_once_do_no_harm(red, editor):
    fill(red, editor)
    give_up(red)
    gone: list[int] = []
    gate = threading.Barrier(3)

    def work() -> None:
        gate.wait()
        gone.append(group_purge.purge_groups(seconds=60))
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(gone) == 3
    assert sum(gone) + group_purge.purge_groups(seconds=60) == 1
    assert not ResourceGroup.unscoped.filter(slug="red").exists()


def test_a_group_that_nobody_gave_up_is_left_alone(red, editor):
    fill(red, editor)
    assert group_purge.purge_groups(seconds=60) == 0
    assert all(counts(red).values())


def test_what_serves_is_stopped_and_waited_for(red):
    made = standing.deployment(red, Status.RUNNING)
    give_up(red)
    assert group_purge.purge_groups(seconds=30) == 0
    made.refresh_from_db()
    assert made.status == Status.STOPPING
    standing.end(made)
    assert group_purge.purge_groups(seconds=30) == 1
    assert not Deployment.unscoped.exists()
