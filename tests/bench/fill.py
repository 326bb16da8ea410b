"""Fills a database with executions as years of use would leave them, by SQL."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

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
FROM generate_series(1, 50) n
JOIN (SELECT id, executable_id, row_number() OVER (ORDER BY id) AS number, count(*) OVER () AS many
      FROM mlops_executableversion) version ON version.number = 1 + n % version.many,
     resource_groups_resourcegroup place, auth_user person
WHERE person.username = 'editor'
"""
# One execution every 90 seconds, in the order of their creation, the last one now. One of ten is another
# group's. Chance comes from a hash of the number, so that every run has the same rows.
EXECUTIONS = """
INSERT INTO mlops_execution (
    id, resource_group_id, configuration_id, executable_version_id, executable_id, status, target_status,
    status_message, attempt, user_code_started, created_by_id, created_at, modified_at, submitted_at,
    started_at, completed_at, duration, notices, name, notes, labels, search_text)
SELECT 'e' || substr(md5('key' || n), 1, 15), bound.place, bound.keys[1 + n %% 50],
       bound.versions[1 + n %% 50], bound.executables[1 + n %% 50], kind.status,
       CASE WHEN kind.status = 'STOPPED' THEN 'STOPPED' ELSE 'COMPLETED' END,
       '', 1, true, bound.person, made.at, made.at, made.at, made.at + interval '1 s',
       made.at + interval '1 s' * (2 + n %% 600), interval '1 s' * (1 + n %% 600), '[]', said.name, '', '[]',
       said.name
FROM generate_series(%(first)s::int, %(last)s::int) n
CROSS JOIN LATERAL (SELECT CASE WHEN n %% 100 = 7 THEN 'candidate ' || n ELSE '' END AS name) said
CROSS JOIN LATERAL (SELECT now() - interval '90 s' * (%(total)s - n) AS at) made
CROSS JOIN LATERAL (SELECT ('x' || substr(md5('mix' || n), 1, 7))::bit(28)::int AS chance) dice
CROSS JOIN LATERAL (SELECT CASE WHEN chance %% 1000 < %(dead)s THEN 'DEAD'
                                WHEN chance %% 1000 < %(dead)s + %(stopped)s THEN 'STOPPED'
                                ELSE 'COMPLETED' END AS status) kind
JOIN (SELECT place.id AS place, array_agg(one.id ORDER BY one.id) AS keys,
             array_agg(one.executable_version_id ORDER BY one.id) AS versions,
             array_agg(one.executable_id ORDER BY one.id) AS executables, min(one.created_by_id) AS person,
             CASE place.slug WHEN 'tutorial' THEN -1 ELSE substr(place.slug, 7)::int - 1 END AS number
      FROM mlops_configuration one
      JOIN resource_groups_resourcegroup place ON place.id = one.resource_group_id
      WHERE place.slug = 'tutorial' OR place.slug LIKE 'other-%%'
      GROUP BY place.id, place.slug) bound
  ON bound.number = CASE WHEN n %% 10 = 0 THEN (n / 10) %% %(groups)s ELSE -1 END
"""
# The newest rows of the group that is looked at are still on their way.
ACTIVATE = """
UPDATE mlops_execution SET status = %(status)s::text, completed_at = NULL, duration = NULL,
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
    signature, release_note, binned_by, scenario_id, execution_id, created_by_id, created_at, modified_at)
SELECT gen_random_uuid(), run.resource_group_id, 'model', 'text-model',
       row_number() OVER (PARTITION BY run.resource_group_id ORDER BY run.created_at),
       'ai://default/' || run.id || '/text-model', '', '[]', 1, 1, '', '', '', '', scenario.id, run.id,
       run.created_by_id, run.completed_at, run.completed_at
FROM mlops_execution run, (SELECT id FROM mlops_scenario ORDER BY id LIMIT 1) scenario
WHERE run.status = 'COMPLETED' AND run.id < 'e5555'
"""


# Every execution that ended reported two metrics, each with so many points; the first is spread evenly.
POINTS = 10
SERIES = """
INSERT INTO mlops_metricseries (
    resource_group_id, execution_id, name, labels, labels_digest, last, last_step, last_at, minimum, maximum,
    count, nan_count, modified_at)
SELECT run.resource_group_id, run.id, metric.name, '[]', 'd', metric.last, %(points)s - 1, run.completed_at,
       0, metric.last, %(points)s, 0, run.completed_at
FROM mlops_execution run
CROSS JOIN LATERAL (SELECT ('x' || substr(md5(run.id), 1, 7))::bit(28)::int / 268435456.0 AS dice) chance
CROSS JOIN LATERAL (VALUES ('accuracy', chance.dice), ('loss', 1 - chance.dice)) metric (name, last)
WHERE run.completed_at IS NOT NULL
"""
METRIC_POINTS = """
INSERT INTO mlops_metricpoint (series_id, step, has_step, recorded_at, value, kind)
SELECT series.id, step, true, series.last_at, series.last * step / %(points)s, ''
FROM mlops_metricseries series, generate_series(0, %(points)s - 1) step
"""


# Those that are no constraint's; made again at the end they cost a fraction of being kept up row by row.
INDEXES = """
SELECT indexname, indexdef FROM pg_indexes JOIN pg_class ON relname = indexname
WHERE tablename = %s AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = pg_class.oid)
"""


def fill(database: str, total: int) -> None:
    """Add this many executions, nine of ten of them to the group `tutorial`, and let the planner see them."""
    fresh = total - int(total * FRESH)
    mix = {"total": total, "dead": DEAD, "stopped": STOPPED, "groups": OTHER_GROUPS}
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off")
        connection.execute("SET maintenance_work_mem = '512MB'")
        # What refers to each other here does so by construction; checking it a million times is idle.
        connection.execute("SET session_replication_role = replica")
        connection.execute(PLACES, {"groups": OTHER_GROUPS})
        connection.execute(CONFIGURATIONS)
        with _bare(connection, "mlops_execution"):
            connection.execute(EXECUTIONS, {**mix, "first": 1, "last": fresh})
        connection.execute("VACUUM (ANALYZE) mlops_execution")
        connection.execute(EXECUTIONS, {**mix, "first": fresh + 1, "last": total})
        for status, count in ACTIVE.items():
            connection.execute(ACTIVATE, {"status": status, "count": count})
        with _bare(connection, "mlops_artifact"):
            connection.execute(OUTPUTS)
        with _bare(connection, "mlops_metricseries"):
            connection.execute(SERIES, {"points": POINTS})
        connection.execute(METRIC_POINTS, {"points": POINTS})
        connection.execute("VACUUM mlops_metricseries")
        connection.execute("ANALYZE")


@contextlib.contextmanager
def _bare(connection: psycopg.Connection[tuple[str, ...]], table: str) -> Iterator[None]:
    """A table without its indexes for a while."""
    indexes = connection.execute(INDEXES, [table]).fetchall()
    for name, _ in indexes:
        connection.execute(f'DROP INDEX "{name}"')
    yield
    for _, definition in indexes:
        connection.execute(definition)
