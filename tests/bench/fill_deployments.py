"""Fills a database with deployments as years of use would leave them, by SQL; most of them were put away."""

from __future__ import annotations

import json

import psycopg

from mlops import manifests
from tests.mlops.serving_template import text

ACTIVE = 20
EXECUTABLE = """
INSERT INTO mlops_executable (
    id, workspace_id, scenario_id, slug, kind, name, description, labels, created_at, modified_at)
SELECT gen_random_uuid(), workspace_id, scenario_id, 'bench-serve', 'serving', 'Serve', '', '[]', now(), now()
FROM mlops_executable WHERE workspace_id = 'local' ORDER BY slug LIMIT 1
"""
VERSION = """
INSERT INTO mlops_executableversion (
    id, executable_id, number, label, digest, source_id, source_tree_id, file, "commit", spec, template,
    notices, created_at)
SELECT gen_random_uuid(), served.id, 1, '1', 'bench', likewise.source_id, likewise.source_tree_id,
       'bench.yaml', '', %s::jsonb, '', '[]', now()
FROM mlops_executable served, (SELECT * FROM mlops_executableversion ORDER BY created_at LIMIT 1) likewise
WHERE served.slug = 'bench-serve'
"""
CONFIGURATIONS = """
INSERT INTO mlops_configuration (
    id, resource_group_id, name, executable_version_id, executable_id, created_by_id, created_at)
SELECT md5('served' || place.id || n)::uuid, place.id, 'served ' || n, version.id, version.executable_id,
       person.id, now() - interval '3 years'
FROM generate_series(1, 10) n, resource_groups_resourcegroup place, auth_user person,
     mlops_executableversion version
JOIN mlops_executable served ON served.id = version.executable_id AND served.slug = 'bench-serve'
WHERE person.username = 'editor' AND (place.slug = 'tutorial' OR place.slug LIKE 'other-%')
"""
PARAMETERS = """
INSERT INTO mlops_parameterbinding (configuration_id, key, value)
SELECT one.id, parameter.key, parameter.value
FROM mlops_configuration one, (VALUES ('servers', '1'), ('plan', 'starter')) parameter (key, value)
WHERE one.name LIKE 'served %'
"""
# One every 15 minutes, the last one now. One of ten is another group's; nine of ten were put away.
DEPLOYMENTS = """
INSERT INTO mlops_deployment (
    id, resource_group_id, configuration_id, executable_version_id, executable_id, status, target_status,
    status_message, created_by_id, created_at, modified_at, submitted_at, started_at, completed_at, duration,
    ttl, last_operation, latest_running_configuration_id, newest, serving, keeps_predictions,
    prediction_share, prediction_days, archived_at)
SELECT 'd' || substr(md5('served' || n), 1, 15), place.id, bound.id, bound.executable_version_id,
       bound.executable_id, kind.status, CASE WHEN kind.status = 'STOPPED' THEN 'STOPPED' ELSE 'RUNNING' END,
       '', bound.created_by_id, made.at, made.at, made.at, made.at, kind.ended_at, kind.ended_at - made.at,
       '5h', 'CREATE', bound.id, 1, CASE WHEN kind.status = 'RUNNING' THEN 1 END, false, 100, 30,
       CASE WHEN n %% 10 <> 3 THEN kind.ended_at END
FROM generate_series(1, %(total)s::int) n
CROSS JOIN LATERAL (SELECT now() - interval '15 min' * (%(total)s - n) AS at) made
CROSS JOIN LATERAL (
    SELECT CASE WHEN n > %(total)s - %(active)s THEN 'RUNNING' WHEN n %% 3 = 0 THEN 'DEAD' ELSE 'STOPPED' END
           AS status, CASE WHEN n <= %(total)s - %(active)s THEN made.at + interval '5 h' END AS ended_at
) kind
JOIN resource_groups_resourcegroup place
  ON place.slug = CASE WHEN n %% 10 = 0 THEN 'other-' || 1 + (n / 10) %% %(groups)s ELSE 'tutorial' END
JOIN mlops_configuration bound ON bound.id = md5('served' || place.id || 1 + n %% 10)::uuid
"""
REVISIONS = """
INSERT INTO mlops_revision (
    deployment_id, number, configuration_id, executable_version_id, status, reason, message, replicas, most,
    created_by_id, created_at, ready_at, ended_at)
SELECT id, 1, configuration_id, executable_version_id, status, '', '', 1, 3, created_by_id, created_at,
       created_at, completed_at
FROM mlops_deployment WHERE executable_version_id = (
    SELECT version.id FROM mlops_executableversion version WHERE version.digest = 'bench')
"""
REPLICAS = """
INSERT INTO mlops_replica (
    deployment_id, revision_id, index, status, message, address, is_ready, not_before, restarts, notices,
    created_at, modified_at, attempt, user_code_started)
SELECT deployment_id, id, 0, status, '', '', status = 'RUNNING', created_at, 0, '[]', created_at, created_at,
       1, true
FROM mlops_revision
"""


def fill(database: str, total: int, groups: int) -> None:
    """Add this many deployments, nine of ten of them to the group `tutorial`.

    The places are there already, with so many other groups.
    """
    spec = manifests.read(text(executable="bench-serve", label="1"), file="bench.yaml").templates[0].to_json()
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off")
        connection.execute("SET session_replication_role = replica")
        connection.execute(EXECUTABLE)
        connection.execute(VERSION, [json.dumps(spec)])
        connection.execute(CONFIGURATIONS)
        connection.execute(PARAMETERS)
        connection.execute(DEPLOYMENTS, {"total": total, "active": ACTIVE, "groups": groups})
        connection.execute(REVISIONS)
        connection.execute(REPLICAS)
        for table in ("deployment", "revision", "replica"):
            connection.execute(f"VACUUM (ANALYZE) mlops_{table}")
        connection.execute("ANALYZE")
