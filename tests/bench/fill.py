"""Fills a database with executions, artifacts and configurations as years of use would leave them, by SQL."""

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
    signature, release_note, binned_by, scenario_id, execution_id, created_by_id, created_at, modified_at,
    is_newest, search_text)
SELECT gen_random_uuid(), run.resource_group_id, 'model', 'text-model',
       row_number() OVER (PARTITION BY run.resource_group_id ORDER BY run.created_at),
       'ai://default/' || run.id || '/text-model', '', '[]', 1, 1, '', '', '', '', scenario.id, run.id,
       run.created_by_id, run.completed_at, run.completed_at,
       1 = row_number() OVER (PARTITION BY run.resource_group_id ORDER BY run.created_at DESC),
       E'text-model\\n'
FROM mlops_execution run, (SELECT id FROM mlops_scenario ORDER BY id LIMIT 1) scenario
WHERE run.status = 'COMPLETED' AND run.id < 'e5555'
"""


# Ten versions of each name, one of fifty with a label of its own. The order of their creation is that of n.
DATASETS = """
INSERT INTO mlops_artifact (
    id, resource_group_id, kind, name, version, url, description, labels, size_bytes, file_count, digest,
    signature, release_note, binned_by, scenario_id, execution_id, created_by_id, created_at, modified_at,
    is_newest, search_text)
SELECT md5('dataset' || n)::uuid, place.id, 'dataset', 'survey ' || series.number,
       1 + n / %(names)s, 'ai://default/surveys/' || n, said.of_it,
       CASE n %% 50 WHEN 3 THEN '[{"key": "ext.ai.sap.com/stage", "value": "gold"}]'
                    ELSE '[{"key": "ext.ai.sap.com/team", "value": "vision"}]' END::jsonb,
       ('x' || substr(md5('size' || n), 1, 7))::bit(28)::int, 1 + n %% 7, md5('digest' || n), '', '', '',
       scenario.id, NULL, person.id, made.at, made.at, n + %(names)s > %(total)s,
       lower('survey ' || series.number || E'\\n' || said.of_it)
FROM generate_series(%(first)s::int, %(last)s::int) n
CROSS JOIN LATERAL (SELECT n %% %(names)s AS number) series
CROSS JOIN LATERAL (SELECT 'Answers of region ' || n %% 97 || ', batch ' || n AS of_it) said
CROSS JOIN LATERAL (SELECT now() - interval '5 min' * (%(total)s - n) AS at) made
JOIN resource_groups_resourcegroup place ON place.slug = CASE WHEN series.number %% 10 = 0
    THEN 'other-' || 1 + (series.number / 10) %% %(groups)s ELSE 'tutorial' END,
     auth_user person, (SELECT id FROM mlops_scenario ORDER BY id LIMIT 1) scenario
WHERE person.username = 'editor'
"""
# Those that nothing was run of, each with two parameters.
TRIALS = """
WITH made AS (
    INSERT INTO mlops_configuration (
        id, resource_group_id, name, executable_version_id, executable_id, created_by_id, created_at)
    SELECT md5('trial' || n)::uuid, place.id, 'trial ' || n || ', seed ' || n %% 89, version.id,
           version.executable_id, person.id, now() - interval '15 min' * (%(total)s - n)
    FROM generate_series(1, %(total)s::int) n
    JOIN (SELECT id, executable_id, row_number() OVER (ORDER BY id) AS number, count(*) OVER () AS many
          FROM mlops_executableversion) version ON version.number = 1 + n %% version.many
    JOIN resource_groups_resourcegroup place
      ON place.slug = CASE WHEN n %% 10 = 0 THEN 'other-' || 1 + (n / 10) %% %(groups)s ELSE 'tutorial' END,
         auth_user person
    WHERE person.username = 'editor'
    RETURNING id)
INSERT INTO mlops_parameterbinding (configuration_id, key, value)
SELECT made.id, parameter.key, '0.1' FROM made, (VALUES ('EPOCHS'), ('RATE')) parameter (key)
"""
# For each execution so many datasets and configurations that nothing was run of.
DATASETS_EACH, TRIALS_EACH, VERSIONS = 0.3, 0.1, 10


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
    """Add this many executions, nine of ten of them to the group `tutorial`, and let the planner see them.

    With them come a model of every third that completed, 0.3 datasets and 0.1 unused configurations each.
    """
    fresh = total - int(total * FRESH)
    datasets = int(total * DATASETS_EACH)
    surveys = {"total": datasets, "names": max(datasets // VERSIONS, 1), "groups": OTHER_GROUPS}
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
            connection.execute(DATASETS, {**surveys, "first": 1, "last": int(datasets * (1 - FRESH))})
        connection.execute("VACUUM (ANALYZE) mlops_artifact")
        connection.execute(DATASETS, {**surveys, "first": int(datasets * (1 - FRESH)) + 1, "last": datasets})
        with _bare(connection, "mlops_configuration"):
            connection.execute(TRIALS, {"total": int(total * TRIALS_EACH), "groups": OTHER_GROUPS})
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
