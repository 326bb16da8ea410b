"""Sample values for the arguments of addresses: one's own and a neighbour's; the URL walk needs each."""

from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from launchpad.access import system_scope
from launchpad.accounts import service_keys
from launchpad.resource_groups import access_requests
from launchpad.resource_groups.models import ResourceGroup
from launchpad.workspaces.models import Workspace
from mlops.domain import backfills, comments
from mlops.lifecycle import Status
from mlops.models import Artifact, Board, Configuration, Execution, Sweep
from tests.mlops import deploying, factories, noticing


@dataclass(frozen=True)
class Sample:
    """A value of a URL argument: `own` names something in red or its workspace, `foreign` one elsewhere.

    foreign is None where the argument names nothing that belongs to anyone.
    """

    own: object
    foreign: object | None


KINDS = {
    "datasets": Artifact.Kind.DATASET,
    "models": Artifact.Kind.MODEL,
    "resultsets": Artifact.Kind.RESULTSET,
    "others": Artifact.Kind.OTHER,
}


def _keys(*places: ResourceGroup | Workspace) -> list[object]:
    return [service_keys.create(system_scope(place), name="sample").key.pk for place in places]


def _comment(run: Execution) -> object:
    return comments.add(system_scope(run), kind="executions", key=run.pk, text="Sample.").pk


def _board(group: ResourceGroup) -> object:
    """A board that everyone in the group sees."""
    return Board.unscoped.create(resource_group=group, name="ours", kind="executions", is_shared=True).pk


def _backfill(bound: Configuration) -> object:
    """One of a schedule of its own, which goes on."""
    end = timezone.now()
    made = backfills.create(
        system_scope(bound),
        factories.schedule(bound).pk,
        begin=end - timedelta(days=2),
        end=end,
        which="missing",
    )
    return made.pk


def _notice(group: ResourceGroup) -> object:
    """A notice that was not delivered."""
    return noticing.tried(group, state="failed", next_try_at=None).pk


def _request(group: ResourceGroup) -> object:
    person = User.objects.create_user(f"asks-for-{group.slug}")
    made = access_requests.create(system_scope(group), user=person, message="")
    assert made is not None
    return made.pk


def build(red: ResourceGroup, blue: ResourceGroup, green: ResourceGroup) -> dict[str, Sample]:
    """URL argument to sample, for every argument but the place itself.

    An argument that means another object under another noun is named `<noun>.<argument>`; the foreign
    object is a neighbour's in the same workspace, or of another workspace where a workspace owns it.
    """
    ours = [factories.configuration(group) for group in (red, blue)]
    runs = [factories.execution(one, status=Status.COMPLETED) for one in ours]
    versions = [
        ours[0].executable_version,
        factories.catalog_version(green, scenario="tulips-tutorial", executable="tulips-train"),
    ]
    samples = {
        "configuration_id": Sample(*(one.pk for one in ours)),
        "execution_id": Sample(*(one.pk for one in runs)),
        "executable": Sample(*(one.executable.slug for one in versions)),
        "scenario": Sample(*(one.executable.scenario.slug for one in versions)),
        "executable_id": Sample(*(one.executable.slug for one in versions)),
        "scenario_id": Sample(*(one.executable.scenario.slug for one in versions)),
        "secret_name": Sample("never-made", None),
        "dataset_files.path": Sample("default/data.csv", None),
        "object_store_name": Sample("never-made", None),
        "docker_registry_name": Sample("never-made", None),
        "repository_name": Sample("never-made", None),
        "application_name": Sample("never-made", None),
        "resource_group_id": Sample("never-made", None),
        "deployment_id": Sample(*(deploying.deployment(group).pk for group in (red, blue))),
        "schedule_id": Sample(*(factories.schedule(one).pk for one in ours)),
        "rule_id": Sample(*(noticing.rule(group).pk for group in (red, blue))),
        "notice_id": Sample(*(_notice(group) for group in (red, blue))),
        "backfill_id": Sample(*(_backfill(one) for one in ours)),
        "kind": Sample("executions", None),
        "key": Sample(*(one.pk for one in runs)),
        "audit_events.kind": Sample("scenarios", None),
        "audit_events.key": Sample(*(one.executable.scenario.slug for one in versions)),
        "comment_id": Sample(*(_comment(one) for one in runs)),
        "path": Sample("data.csv", None),
        "artifacts.path": Sample("pixel.png", None),
        "rest": Sample("anything/else", None),
        "service_name": Sample("none", None),
        "token": Sample("no-such-token", None),
        "key_id": Sample(*_keys(red, blue)),
        "sweep_id": Sample(
            *(Sweep.unscoped.create(resource_group=group, name="grid").pk for group in (red, blue))
        ),
        "board_id": Sample(*(_board(group) for group in (red, blue))),
        "administrators_key_id": Sample(*_keys(red.workspace, green.workspace)),
    }
    repositories = [factories.repository(group.workspace) for group in (red, green)]
    samples |= {
        "repository": Sample(*(one.name for one in repositories)),
        "application": Sample(*(factories.application(one).name for one in repositories)),
        "group": Sample("red", "green"),
        "request_id": Sample(*(_request(group) for group in (red, green))),
        "store": Sample(*(factories.object_store(group, name=group.slug).name for group in (red, blue))),
        "place": Sample("shared", None),
        "secret": Sample(*(factories.secret(group, name=group.slug).name for group in (red, green))),
        "docker_secret": Sample(*(factories.docker_secret(group.workspace).name for group in (red, green))),
    }
    for noun, kind in KINDS.items():
        files = {"data.csv": b"length,kind\n1,a\n", "pixel.png": b"\x89PNG\r\n\x1a\n"}
        made = [factories.artifact(group, kind=kind, name=noun, files=files) for group in (red, blue)]
        samples[f"{noun}.artifact_id"] = Sample(*(one.pk for one in made))
    return samples | {"artifact_id": samples["datasets.artifact_id"]}
