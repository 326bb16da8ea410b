"""Fills a database with schedules of which none is due, and with the ledgers of their past, by SQL."""

from __future__ import annotations

import psycopg

TICKS_EACH = 20
# One an hour was made, the last one now; each is due within the next week, none today.
SCHEDULES = """
INSERT INTO mlops_schedule ({columns})
SELECT {values} FROM mlops_schedule model, generate_series(1, %(total)s::int) n WHERE model.id = %(model)s
"""
CHANGED = {
    "id": "md5('schedule' || n)::uuid",
    "name": "'schedule ' || n",
    "cron": "n %% 60 || ' ' || n %% 24 || ' * * *'",
    "status": "'ACTIVE'",
    "next_run_at": "date_trunc('day', now()) + interval '2 days' + interval '1 min' * (n %% 7200)",
    "created_at": "now() - interval '1 hour' * (%(total)s - n)",
    "modified_at": "now() - interval '1 hour' * (%(total)s - n)",
}
TICKS = """
INSERT INTO mlops_tick (
    schedule_id, fire_at, count, decided_at, outcome, reason, tries, is_open, timed_out, result)
SELECT schedule.id, due.at, 1, due.at, CASE WHEN n %% 9 = 0 THEN 'SKIPPED' ELSE 'FIRED' END, '', 1, false,
       false, CASE WHEN n %% 9 = 0 THEN '' WHEN n %% 7 = 0 THEN 'DEAD' ELSE 'COMPLETED' END
FROM mlops_schedule schedule, generate_series(1, %(each)s::int) n
CROSS JOIN LATERAL (SELECT date_trunc('day', now()) - interval '1 day' * n AS at) due
WHERE schedule.name LIKE 'schedule %%'
"""


def fill(database: str, model: str, total: int) -> None:
    """Insert so many schedules like one that exists, with their ledgers."""
    with psycopg.connect(database, autocommit=True) as connection:
        names = connection.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'mlops_schedule'"
        ).fetchall()
        columns = [name for (name,) in names]
        values = [CHANGED.get(name, f'model."{name}"') for name in columns]
        asked = SCHEDULES.format(columns=", ".join(f'"{name}"' for name in columns), values=", ".join(values))
        connection.execute(asked, {"total": total, "model": model})
        connection.execute(TICKS, {"each": TICKS_EACH})
        for table in ("mlops_schedule", "mlops_tick"):
            connection.execute(f"VACUUM ANALYZE {table}")
