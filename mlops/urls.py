"""Addresses of ML operations: pages of a workspace, pages of a resource group, and the JSON APIs."""

from django.urls import URLPattern, URLResolver, include, path

from mlops.administration_urls import administration_patterns
from mlops.views import (
    aliases,
    artifact_bin,
    artifacts,
    audit_events,
    boards,
    comments,
    compare,
    configurations,
    deployment_bulk,
    deployment_logs,
    deployment_predictions,
    deployments,
    executables,
    execution_bulk,
    execution_edits,
    executions,
    exports,
    flags,
    notices,
    notification_rules,
    overview,
    saved_views,
    scenarios,
    schedule_backfills,
    schedule_edits,
    schedules,
    search,
    streams,
    sweeps,
    templates,
    trials,
    variations,
    workspaces,
)
from mlops.views.nouns import NOUNS

member_patterns: list[URLPattern | URLResolver] = [
    path("search", search.anywhere, name="search.index"),
    path("workspaces/", workspaces.index, name="workspaces.index"),
    path("workspaces/create", workspaces.create, name="workspaces.create"),
    path("workspaces/<str:workspace>/", workspaces.detail, name="workspaces.detail"),
    path("workspaces/<str:workspace>/change", workspaces.change, name="workspaces.change"),
]
_catalog: list[URLPattern | URLResolver] = [
    path("search", search.index, name="search.index"),
    path("history/<str:kind>/<str:key>/", audit_events.show, name="audit_events.show"),
    path("scenarios/", scenarios.index, name="scenarios.index"),
    path("scenarios/export", exports.scenarios, name="scenarios.export"),
    path("scenarios/<str:scenario>/", scenarios.detail, name="scenarios.detail"),
    path("scenarios/check-a-template", templates.check, name="templates.check"),
    path("executables/<str:executable>/", executables.detail, name="executables.detail"),
    path("executables/<str:executable>/differences", executables.differences, name="executables.differences"),
]
workspace_patterns: list[URLPattern | URLResolver] = [
    path("", overview.index, name="overview.index"),
    *_catalog,
    *administration_patterns,
]
resource_group_patterns: list[URLPattern | URLResolver] = [
    *_catalog,
    path("overview/", overview.index, name="overview.index"),
    path("scenarios/<str:scenario>/use-case", scenarios.use_case, name="scenarios.use_case"),
    path("executions/", executions.index, name="executions.index"),
    path("executions/create", executions.create, name="executions.create"),
    path("executions/<slug:execution_id>/", executions.detail, name="executions.detail"),
    path("executions/<slug:execution_id>/restart", executions.restart, name="executions.restart"),
    path("executions/<slug:execution_id>/stop", executions.stop, name="executions.stop"),
    path("executions/<slug:execution_id>/delete", executions.delete, name="executions.delete"),
    path("executions/<slug:execution_id>/stream", streams.stream, name="executions.stream"),
    path("executions/<slug:execution_id>/metrics.csv", executions.points, name="executions.points"),
    path("executions/<slug:execution_id>/log/seek", executions.seek, name="executions.seek"),
    path("executions/<slug:execution_id>/log", streams.log_text, name="executions.log"),
]
_deployment = "deployments/<slug:deployment_id>/"
resource_group_patterns += [
    path(_deployment, deployments.detail, name="deployments.detail"),
    path("deployments/", deployments.index, name="deployments.index"),
    path("deployments/create", deployments.create, name="deployments.create"),
    path("deployments/discard", deployments.discard, name="deployments.discard"),
    path("deployments/export", exports.deployments, name="deployments.export"),
    path("deployments/bulk", deployment_bulk.bulk, name="deployments.bulk"),
    path(f"{_deployment}update", deployments.update, name="deployments.update"),
    path(f"{_deployment}roll-back", deployments.roll_back, name="deployments.roll_back"),
    path(f"{_deployment}extend", deployments.extend, name="deployments.extend"),
    path(f"{_deployment}stop", deployments.stop, name="deployments.stop"),
    path(f"{_deployment}restart", deployments.restart, name="deployments.restart"),
    path(f"{_deployment}delete", deployments.delete, name="deployments.delete"),
    path(f"{_deployment}stream", deployment_logs.stream, name="deployments.stream"),
    path(f"{_deployment}log", deployment_logs.log_text, name="deployments.log"),
    path(f"{_deployment}log/seek", deployment_logs.seek, name="deployments.seek"),
    path(
        f"{_deployment}predictions.csv",
        deployment_predictions.predictions_file,
        name="deployments.predictions",
    ),
    path(
        f"{_deployment}keep-predictions",
        deployment_predictions.keep_predictions,
        name="deployments.keep_predictions",
    ),
    path(f"{_deployment}trials/send", trials.send, name="trials.send"),
]
resource_group_patterns += [
    path("executions/export", exports.executions, name="executions.export"),
    path("configurations/export", exports.configurations, name="configurations.export"),
    path("executions/bulk", execution_bulk.bulk, name="executions.bulk"),
    path("views/", saved_views.index, name="saved_views.index"),
    path("views/create", saved_views.create, name="saved_views.create"),
    path("views/rename", saved_views.rename, name="saved_views.rename"),
    path("views/delete", saved_views.delete, name="saved_views.delete"),
    path("executions/<slug:execution_id>/edit", execution_edits.edit, name="executions.edit"),
    path("executions/<slug:execution_id>/archive", execution_edits.archive, name="executions.archive"),
    path("executions/<slug:execution_id>/restore", execution_edits.restore, name="executions.restore"),
    path("variations/create", variations.create, name="variations.create"),
    path("sweeps/create", sweeps.create, name="sweeps.create"),
    path("sweeps/<uuid:sweep_id>/", sweeps.detail, name="sweeps.detail"),
    path("compare/executions", compare.executions, name="compare.executions"),
    path("compare/models", compare.models, name="compare.models"),
    path("compare/executions.csv", compare.executions_file, name="compare.executions_file"),
    path("compare/models.csv", compare.models_file, name="compare.models_file"),
    path("boards/", boards.index, name="boards.index"),
    path("boards/create", boards.create, name="boards.create"),
    path("boards/rename", boards.rename, name="boards.rename"),
    path("boards/arrange", boards.arrange, name="boards.arrange"),
    path("boards/share", boards.share, name="boards.share"),
    path("boards/delete", boards.delete, name="boards.delete"),
    path("boards/<uuid:board_id>/", boards.detail, name="boards.detail"),
]
resource_group_patterns += [
    path("configurations/", configurations.index, name="configurations.index"),
    path("configurations/create", configurations.create, name="configurations.create"),
    path("configurations/discard", configurations.discard, name="configurations.discard"),
    path("configurations/<uuid:configuration_id>/", configurations.detail, name="configurations.detail"),
    path(
        "configurations/<uuid:configuration_id>/archive",
        configurations.archive,
        name="configurations.archive",
    ),
    path(
        "configurations/<uuid:configuration_id>/restore",
        configurations.restore,
        name="configurations.restore",
    ),
    path(
        "configurations/<uuid:configuration_id>/delete", configurations.delete, name="configurations.delete"
    ),
    path(
        "configurations/<uuid:configuration_id>/duplicate",
        configurations.duplicate,
        name="configurations.duplicate",
    ),
]
resource_group_patterns += [
    path("artifacts/<uuid:artifact_id>/files/<path:path>", streams.download, name="artifacts.download"),
    path("artifacts/<uuid:artifact_id>/pictures/<path:path>", streams.picture, name="artifacts.picture"),
    path("artifacts/<uuid:artifact_id>/describe", artifacts.describe, name="artifacts.describe"),
    path("artifacts/<uuid:artifact_id>/delete", artifacts.delete, name="artifacts.delete"),
    path("artifacts/<uuid:artifact_id>/restore", artifact_bin.restore, name="artifacts.restore"),
    path("artifacts/<uuid:artifact_id>/check", artifact_bin.check, name="artifacts.check"),
    path("bin/", artifact_bin.index, name="bin.index"),
    path("artifacts/<uuid:artifact_id>/difference", artifacts.difference, name="artifacts.difference"),
    path("artifacts/<uuid:artifact_id>/aliases/move", aliases.move, name="aliases.move"),
    path("artifacts/<uuid:artifact_id>/aliases/remove", aliases.remove, name="aliases.remove"),
]
_rule = "notifications/<uuid:rule_id>/"
resource_group_patterns += [
    path("notifications/", notification_rules.index, name="notification_rules.index"),
    path("notifications/create", notification_rules.create, name="notification_rules.create"),
    path(f"{_rule}edit", notification_rules.edit, name="notification_rules.edit"),
    path(f"{_rule}rotate", notification_rules.rotate, name="notification_rules.rotate"),
    path(f"{_rule}delete", notification_rules.delete, name="notification_rules.delete"),
    path(f"{_rule}pause", notification_rules.pause, name="notification_rules.pause"),
    path(f"{_rule}resume", notification_rules.resume, name="notification_rules.resume"),
    path(f"{_rule}send-test", notification_rules.send_test, name="notification_rules.send_test"),
    path("notifications/log", notices.index, name="notices.index"),
    path("notifications/log/<uuid:notice_id>/send-again", notices.send_again, name="notices.send_again"),
]
_schedule = "schedules/<uuid:schedule_id>/"
resource_group_patterns += [
    path("schedules/", schedules.index, name="schedules.index"),
    path(_schedule, schedules.detail, name="schedules.detail"),
    path("schedules/create", schedule_edits.create, name="schedules.create"),
    path("schedules/discard", schedule_edits.discard, name="schedules.discard"),
    path("schedules/preview", schedule_edits.preview, name="schedules.preview"),
    path(f"{_schedule}edit", schedule_edits.edit, name="schedules.edit"),
    path(f"{_schedule}run-now", schedules.run_now, name="schedules.run_now"),
    path(f"{_schedule}pause", schedules.pause, name="schedules.pause"),
    path(f"{_schedule}resume", schedules.resume, name="schedules.resume"),
    path(f"{_schedule}delete", schedules.delete, name="schedules.delete"),
    path(f"{_schedule}backfill", schedule_backfills.backfill, name="schedules.backfill"),
    path(
        "schedules/backfills/<uuid:backfill_id>/",
        schedule_backfills.backfill_detail,
        name="schedules.backfill_detail",
    ),
    path(
        "schedules/backfills/<uuid:backfill_id>/stop",
        schedule_backfills.backfill_stop,
        name="schedules.backfill_stop",
    ),
]
_about = "<str:kind>/<str:key>"
resource_group_patterns += [
    path(f"comments/{_about}/", comments.index, name="comments.index"),
    path(f"comments/{_about}/add", comments.add, name="comments.add"),
    path("comments/<uuid:comment_id>/edit", comments.edit, name="comments.edit"),
    path("comments/<uuid:comment_id>/delete", comments.delete, name="comments.delete"),
    path("flags/", flags.index, name="flags.index"),
    path(f"flags/{_about}/create", flags.create, name="flags.create"),
    path("flags/<uuid:comment_id>/close", flags.close, name="flags.close"),
    path("flags/<uuid:comment_id>/reopen", flags.reopen, name="flags.reopen"),
]
for _noun in NOUNS:
    _names = {"noun": _noun}
    resource_group_patterns += [
        path(f"{_noun}/", artifacts.index, _names, name=f"{_noun}.index"),
        path(f"{_noun}/export", artifacts.export, _names, name=f"{_noun}.export"),
        path(f"{_noun}/register", artifacts.register, _names, name=f"{_noun}.register"),
        path(f"{_noun}/<uuid:artifact_id>/", artifacts.detail, _names, name=f"{_noun}.detail"),
    ]
api_patterns: list[URLPattern | URLResolver] = [path("", include("mlops.api.urls"))]
