"""What finds words anywhere in a text, and labels: PostgreSQL alone has these; SQLite reads the rows."""

from django.db import migrations

FORWARD = [
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "CREATE INDEX execution_search ON mlops_execution USING gin (search_text gin_trgm_ops)"
    " WHERE search_text > ''",
    "CREATE INDEX configuration_search ON mlops_configuration USING gin (upper(name::text) gin_trgm_ops)",
    "CREATE INDEX schedule_search ON mlops_schedule USING gin (upper(name::text) gin_trgm_ops)",
    "CREATE INDEX artifact_search ON mlops_artifact USING gin (search_text gin_trgm_ops)",
    "CREATE INDEX artifact_labels ON mlops_artifact USING gin (labels jsonb_path_ops)",
]
BACKWARD = [
    "DROP INDEX artifact_labels",
    "DROP INDEX artifact_search",
    "DROP INDEX schedule_search",
    "DROP INDEX configuration_search",
    "DROP INDEX execution_search",
]


def _run(statements):
    def run(apps, schema_editor):
        if schema_editor.connection.vendor == "postgresql":
            for statement in statements:
                schema_editor.execute(statement)

    return run


class Migration(migrations.Migration):
    dependencies = [("mlops", "0001_initial")]

    operations = [migrations.RunPython(_run(FORWARD), _run(BACKWARD))]
