"""Fills a database with executions as years of use would leave them, by SQL."""

from __future__ import annotations

import psycopg

# Per thousand; the rest is COMPLETED. Those that are active are a handful, however many rows there are.
DEAD, STOPPED = 80, 20
ACTIVE = {"PENDING": 4, "RUNNING": 2, "STOPPING": 1}
OTHER_GROUPS = 3
# The newest part of a table that is in use has not been vacuumed yet.
FRESH = 0.01

PLACES = """
INSERT INTO resource_groups_resourcegroup (id, workspace_id, slug, description, labels, created_at)
SELECT gen_random_uuid(), 'local', 'other-' || n, '', '[]', now() FROM generate_series(1, %(groups)s) n
"""
CONFIGURATIONS = """
INSERT INTO mlops_configuration (
    id, resource_group_id, name, executable_version_id, executable_id, created_by_id, created_at)
SELECT gen_random_uuid(), place.id, 'sweep ' || n || ', learning rate ' || n * 0.001, version.id,
       version.executable_id, person.id,
       now() - interval '3 years'
FROM generate_series(1, 50) n, resource_groups_resourcegroup place, auth_user person,
     (SELECT id, executable_id FROM mlops_executableversion ORDER BY id LIMIT 1) version
WHERE person.username = 'editor'
"""
# One execution every 90 seconds, in the order of their creation, the last one now. One of ten is another
# group's. Chance comes from a hash of the number, so that every run has the same rows.
EXECUTIONS = """
INSERT INTO mlops_execution (
    id, resource_group_id, configuration_id, executable_version_id, executable_id, status, target_status,
    status_message, attempt, user_code_started, created_by_id, created_at, modified_at, submitted_at,
    started_at, completed_at, notices)
SELECT 'e' || substr(md5('key' || n), 1, 15), bound.place, bound.keys[1 + n %% 50], bound.version,
       bound.executable, kind.status, CASE WHEN kind.status = 'STOPPED' THEN 'STOPPED' ELSE 'COMPLETED' END,
       '', 1, true, bound.person, made.at, made.at, made.at, made.at + interval '1 s',
       made.at + interval '1 s' * (2 + n %% 600), '[]'
FROM generate_series(%(first)s::int, %(last)s::int) n
CROSS JOIN LATERAL (SELECT now() - interval '90 s' * (%(total)s - n) AS at) made
CROSS JOIN LATERAL (SELECT ('x' || substr(md5('mix' || n), 1, 7))::bit(28)::int AS chance) dice
CROSS JOIN LATERAL (SELECT CASE WHEN chance %% 1000 < %(dead)s THEN 'DEAD'
                                WHEN chance %% 1000 < %(dead)s + %(stopped)s THEN 'STOPPED'
                                ELSE 'COMPLETED' END AS status) kind
JOIN (SELECT configuration.resource_group_id AS place, array_agg(configuration.id) AS keys,
             min(executable_version_id::text)::uuid AS version,
             min(executable_id::text)::uuid AS executable, min(created_by_id) AS person,
             row_number() OVER (ORDER BY min(place.slug)) - 1 AS number
      FROM mlops_configuration configuration
      JOIN resource_groups_resourcegroup place ON place.id = configuration.resource_group_id
      WHERE place.slug LIKE 'other-%%'
      GROUP BY 1
      UNION ALL
      SELECT configuration.resource_group_id, array_agg(configuration.id),
             min(executable_version_id::text)::uuid, min(executable_id::text)::uuid, min(created_by_id), -1
      FROM mlops_configuration configuration
      JOIN resource_groups_resourcegroup place ON place.id = configuration.resource_group_id
      WHERE place.slug = 'tutorial'
      GROUP BY 1) bound
  ON bound.number = CASE WHEN n %% 10 = 0 THEN (n / 10) %% %(groups)s ELSE -1 END
"""
# The newest rows of the group that is looked at are still on their way.
ACTIVATE = """
UPDATE mlops_execution SET status = %(status)s::text, completed_at = NULL,
       started_at = CASE WHEN %(status)s::text = 'PENDING' THEN NULL ELSE started_at END,
       target_status = CASE WHEN %(status)s::text = 'STOPPING' THEN 'STOPPED' ELSE 'COMPLETED' END
WHERE id IN (
    SELECT run.id FROM mlops_execution run
    JOIN resource_groups_resourcegroup place ON place.id = run.resource_group_id AND place.slug = 'tutorial'
    WHERE run.completed_at IS NOT NULL ORDER BY run.created_at DESC LIMIT %(count)s)
"""
# A third of the completed runs leave a model.
OUTPUTS = """
INSERT INTO mlops_artifact (
    id, resource_group_id, kind, name, version, url, description, labels, size_bytes, file_count, digest,
    scenario_id, execution_id, created_by_id, created_at, modified_at)
SELECT gen_random_uuid(), run.resource_group_id, 'model', 'text-model',
       row_number() OVER (PARTITION BY run.resource_group_id ORDER BY run.created_at),
       'ai://default/' || run.id || '/text-model', '', '[]', 1, 1, '', scenario.id, run.id,
       run.created_by_id, run.completed_at, run.completed_at
FROM mlops_execution run, (SELECT id FROM mlops_scenario ORDER BY id LIMIT 1) scenario
WHERE run.status = 'COMPLETED' AND run.id < 'e5555'
"""


def fill(database: str, total: int) -> None:
    """Add this many executions, nine of ten of them to the group `tutorial`, and let the planner see them."""
    fresh = total - int(total * FRESH)
    mix = {"total": total, "dead": DEAD, "stopped": STOPPED, "groups": OTHER_GROUPS}
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off")
        connection.execute(PLACES, {"groups": OTHER_GROUPS})
        connection.execute(CONFIGURATIONS)
        connection.execute(EXECUTIONS, {**mix, "first": 1, "last": fresh})
        connection.execute("VACUUM (ANALYZE) mlops_execution")
        connection.execute(EXECUTIONS, {**mix, "first": fresh + 1, "last": total})
        for status, count in ACTIVE.items():
            connection.execute(ACTIVATE, {"status": status, "count": count})
        connection.execute(OUTPUTS)
        connection.execute("ANALYZE")
