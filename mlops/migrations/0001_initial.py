
import django.db.models.deletion
import django.db.models.manager
import django.utils.timezone
import launchpad.vault
import mlops.lifecycle
import mlops.models.deployments
import mlops.models.enactments
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('resource_groups', '0001_initial'),
        ('workspaces', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Artifact',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('dataset', 'Dataset'), ('model', 'Model'), ('resultset', 'Result set'), ('other', 'Other artifact')], max_length=16)),
                ('name', models.CharField(max_length=256)),
                ('version', models.PositiveIntegerField()),
                ('url', models.CharField(max_length=1024)),
                ('description', models.TextField(blank=True)),
                ('release_note', models.TextField(blank=True)),
                ('labels', models.JSONField(default=list)),
                ('size_bytes', models.BigIntegerField()),
                ('file_count', models.PositiveIntegerField()),
                ('digest', models.CharField(max_length=64)),
                ('signature', models.CharField(blank=True, max_length=1024)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('modified_at', models.DateTimeField(auto_now=True)),
                ('binned_at', models.DateTimeField(null=True)),
                ('binned_by', models.CharField(blank=True, max_length=256)),
                ('is_newest', models.BooleanField(default=False)),
                ('search_text', models.TextField(blank=True)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('resource_group', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='resource_groups.resourcegroup')),
            ],
            options={
                'default_permissions': (),
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='Worker',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('queue', models.CharField(default='executions', max_length=16)),
                ('host', models.CharField(max_length=256)),
                ('pid', models.PositiveIntegerField()),
                ('slots', models.PositiveIntegerField()),
                ('version', models.CharField(blank=True, max_length=64)),
                ('started_at', models.DateTimeField()),
                ('seen_at', models.DateTimeField(db_index=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('attempts', models.JSONField(default=list)),
            ],
            options={
                'default_permissions': (),
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='ArtifactFacts',
            fields=[
                ('artifact', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='facts', serialize=False, to='mlops.artifact')),
                ('files', models.JSONField(default=list)),
                ('onnx', models.JSONField(default=list)),
                ('seal', models.CharField(blank=True, max_length=128)),
                ('sealed_by', models.CharField(blank=True, max_length=256)),
                ('sealed_at', models.DateTimeField(null=True)),
            ],
            options={
                'default_permissions': (),
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='Configuration',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=256)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('archived_at', models.DateTimeField(null=True)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('resource_group', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='resource_groups.resourcegroup')),
            ],
            options={
                'default_permissions': (),
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='Deployment',
            fields=[
                ('status', models.CharField(choices=[(mlops.lifecycle.Status['COMPLETED'], mlops.lifecycle.Status['COMPLETED']), (mlops.lifecycle.Status['DEAD'], mlops.lifecycle.Status['DEAD']), (mlops.lifecycle.Status['DELETING'], mlops.lifecycle.Status['DELETING']), (mlops.lifecycle.Status['PENDING'], mlops.lifecycle.Status['PENDING']), (mlops.lifecycle.Status['RUNNING'], mlops.lifecycle.Status['RUNNING']), (mlops.lifecycle.Status['STOPPED'], mlops.lifecycle.Status['STOPPED']), (mlops.lifecycle.Status['STOPPING'], mlops.lifecycle.Status['STOPPING'])], max_length=10)),
                ('target_status', models.CharField(choices=[(mlops.lifecycle.TargetStatus['COMPLETED'], mlops.lifecycle.TargetStatus['COMPLETED']), (mlops.lifecycle.TargetStatus['RUNNING'], mlops.lifecycle.TargetStatus['RUNNING']), (mlops.lifecycle.TargetStatus['STOPPED'], mlops.lifecycle.TargetStatus['STOPPED']), (mlops.lifecycle.TargetStatus['DELETED'], mlops.lifecycle.TargetStatus['DELETED'])], max_length=10)),
                ('status_message', models.CharField(blank=True, max_length=256)),
                ('created_at', models.DateTimeField()),
                ('modified_at', models.DateTimeField(auto_now=True)),
                ('submitted_at', models.DateTimeField()),
                ('started_at', models.DateTimeField(null=True)),
                ('completed_at', models.DateTimeField(null=True)),
                ('duration', models.DurationField(null=True)),
                ('id', models.CharField(default=mlops.models.deployments.deployment_key, editable=False, max_length=16, primary_key=True, serialize=False)),
                ('ttl', models.CharField(blank=True, max_length=16)),
                ('expires_at', models.DateTimeField(null=True)),
                ('last_operation', models.CharField(choices=[('CREATE', 'Created'), ('UPDATE', 'Updated'), ('DELETE', 'Deleted'), ('CASCADE-UPDATE', 'Updated with its template')], default='CREATE', max_length=16)),
                ('newest', models.PositiveIntegerField(default=1)),
                ('serving', models.PositiveIntegerField(null=True)),
                ('keeps_predictions', models.BooleanField(default=False)),
                ('prediction_share', models.PositiveSmallIntegerField(default=100)),
                ('prediction_days', models.PositiveSmallIntegerField(default=30)),
                ('archived_at', models.DateTimeField(null=True)),
                ('configuration', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mlops.configuration')),
                ('created_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('latest_running_configuration', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mlops.configuration')),
                ('resource_group', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='resource_groups.resourcegroup')),
            ],
            options={
                'default_permissions': (),
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='DeploymentChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('attempt', models.PositiveIntegerField()),
                ('source', models.CharField(blank=True, max_length=10)),
                ('target', models.CharField(max_length=10)),
                ('actor', models.CharField(max_length=256)),
                ('reason', models.CharField(blank=True, max_length=1024)),
                ('evidence', models.JSONField(default=dict)),
                ('deployment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='status_changes', to='mlops.deployment')),
            ],
            options={
                'ordering': ['id'],
                'abstract': False,
                'default_permissions': (),
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='Environment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=64)),
                ('interpreter', models.CharField(max_length=256)),
                ('system', models.CharField(max_length=256)),
                ('packages', models.JSONField(default=list)),
                ('resource_group', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='resource_groups.resourcegroup')),
            ],
            options={
                'default_permissions': (),
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='Executable',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('slug', models.CharField(max_length=64)),
                ('kind', models.CharField(choices=[('workflow', 'Workflow'), ('serving', 'Serving')], default='workflow', max_length=16)),
                ('name', models.CharField(max_length=256)),
                ('description', models.TextField(blank=True)),
                ('labels', models.JSONField(default=list)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('modified_at', models.DateTimeField(auto_now=True)),
                ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='workspaces.workspace')),
            ],
            options={
                'ordering': ['slug'],
                'default_permissions': (),
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddField(
            model_name='deployment',
            name='executable',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mlops.executable'),
        ),
        migrations.AddField(
            model_name='configuration',
            name='executable',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mlops.executable'),
        ),
        migrations.CreateModel(
            name='ExecutableVersion',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField()),
                ('label', models.CharField(max_length=256)),
                ('digest', models.CharField(max_length=64)),
                ('file', models.CharField(max_length=1024)),
                ('commit', models.CharField(blank=True, max_length=64)),
                ('spec', models.JSONField()),
                ('template', models.TextField()),
                ('notices', models.JSONField(default=list)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('executable', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='mlops.executable')),
            ],
            options={
                'ordering': ['-number'],
                'default_permissions': (),
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddField(
            model_name='deployment',
            name='executable_version',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mlops.executableversion'),
        ),
        migrations.AddField(
            model_name='configuration',
            name='executable_version',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mlops.executableversion'),
        ),
        migrations.CreateModel(
            name='Execution',
            fields=[
                ('attempt', models.PositiveIntegerField(default=0)),
                ('user_code_started', models.BooleanField(default=False)),
                ('status', models.CharField(choices=[(mlops.lifecycle.Status['COMPLETED'], mlops.lifecycle.Status['COMPLETED']), (mlops.lifecycle.Status['DEAD'], mlops.lifecycle.Status['DEAD']), (mlops.lifecycle.Status['DELETING'], mlops.lifecycle.Status['DELETING']), (mlops.lifecycle.Status['PENDING'], mlops.lifecycle.Status['PENDING']), (mlops.lifecycle.Status['RUNNING'], mlops.lifecycle.Status['RUNNING']), (mlops.lifecycle.Status['STOPPED'], mlops.lifecycle.Status['STOPPED']), (mlops.lifecycle.Status['STOPPING'], mlops.lifecycle.Status['STOPPING'])], max_length=10)),
                ('target_status', models.CharField(choices=[(mlops.lifecycle.TargetStatus['COMPLETED'], mlops.lifecycle.TargetStatus['COMPLETED']), (mlops.lifecycle.TargetStatus['RUNNING'], mlops.lifecycle.TargetStatus['RUNNING']), (mlops.lifecycle.TargetStatus['STOPPED'], mlops.lifecycle.TargetStatus['STOPPED']), (mlops.lifecycle.TargetStatus['DELETED'], mlops.lifecycle.TargetStatus['DELETED'])], max_length=10)),
                ('status_message', models.CharField(blank=True, max_length=256)),
                ('created_at', models.DateTimeField()),
                ('modified_at', models.DateTimeField(auto_now=True)),
                ('submitted_at', models.DateTimeField()),
                ('started_at', models.DateTimeField(null=True)),
                ('completed_at', models.DateTimeField(null=True)),
                ('duration', models.DurationField(null=True)),
                ('id', models.CharField(default=mlops.models.enactments.execution_key, editable=False, max_length=16, primary_key=True, serialize=False)),
                ('notices', models.JSONField(default=list)),
                ('name', models.CharField(blank=True, max_length=256)),
                ('notes', models.TextField(blank=True)),
                ('labels', models.JSONField(default=list)),
                ('search_text', models.TextField(blank=True)),
                ('archived_at', models.DateTimeField(null=True)),
                ('configuration', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mlops.configuration')),
                ('created_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('executable', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mlops.executable')),
                ('executable_version', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mlops.executableversion')),
                ('origin', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='mlops.execution')),
                ('resource_group', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='resource_groups.resourcegroup')),
            ],
            options={
                'default_permissions': (),
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='CustomInfo',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=256)),
                ('value', models.TextField()),
                ('modified_at', models.DateTimeField(auto_now=True)),
                ('execution', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='custom_info', to='mlops.execution')),
            ],
            options={
                'ordering': ['name'],
                'default_permissions': (),
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='AttemptEnvironment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('attempt', models.PositiveIntegerField()),
                ('host', models.CharField(max_length=256)),
                ('mode', models.CharField(max_length=16)),
                ('recorded_at', models.DateTimeField(auto_now_add=True)),
                ('environment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mlops.environment')),
                ('execution', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='mlops.execution')),
            ],
            options={
                'default_permissions': (),
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddField(
            model_name='artifact',
            name='execution',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='outputs', to='mlops.execution'),
        ),
        migrations.CreateModel(
            name='LogChunk',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('attempt', models.PositiveIntegerField()),
                ('step', models.PositiveIntegerField()),
                ('seq', models.PositiveIntegerField()),
                ('first_line', models.PositiveIntegerField()),
                ('line_count', models.PositiveIntegerField()),
                ('at', models.DateTimeField()),
                ('text', models.TextField()),
                ('offsets', models.JSONField(default=list)),
                ('stderr', models.JSONField(default=list)),
                ('execution', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='log_chunks', to='mlops.execution')),
            ],
            options={
                'abstract': False,
                'default_permissions': (),
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='MetricSeries',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=256)),
                ('labels', models.JSONField(default=list)),
                ('labels_digest', models.CharField(max_length=64)),
                ('last', models.FloatField(null=True)),
                ('last_step', models.BigIntegerField(null=True)),
                ('last_at', models.DateTimeField(null=True)),
                ('minimum', models.FloatField(null=True)),
                ('maximum', models.FloatField(null=True)),
                ('count', models.BigIntegerField(default=0)),
                ('nan_count', models.BigIntegerField(default=0)),
                ('modified_at', models.DateTimeField(auto_now=True)),
                ('execution', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='metric_series', to='mlops.execution')),
                ('resource_group', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='resource_groups.resourcegroup')),
            ],
            options={
                'ordering': ['name', 'id'],
                'default_permissions': (),
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='MetricPoint',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('step', models.BigIntegerField(default=0)),
                ('has_step', models.BooleanField()),
                ('recorded_at', models.DateTimeField()),
                ('value', models.FloatField()),
                ('kind', models.CharField(blank=True, max_length=4)),
                ('series', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='points', to='mlops.metricseries')),
            ],
            options={
                'default_permissions': (),
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='ObjectStoreSecret',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=233)),
                ('kind', models.CharField(choices=[('s3', 'S3-compatible'), ('local', 'Folder of this Launchpad')], max_length=16)),
                ('options', models.JSONField(default=dict)),
                ('data', launchpad.vault.SealedField()),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('modified_at', models.DateTimeField(auto_now=True)),
                ('resource_group', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='resource_groups.resourcegroup')),
            ],
            options={
                'ordering': ['name'],
                'default_permissions': (),
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='ParameterBinding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=256)),
                ('value', models.TextField(blank=True)),
                ('configuration', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='parameters', to='mlops.configuration')),
            ],
            options={
                'default_permissions': (),
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='Prediction',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('revision', models.PositiveIntegerField()),
                ('at', models.DateTimeField()),
                ('method', models.CharField(max_length=16)),
                ('path', models.CharField(max_length=1024)),
                ('status', models.PositiveSmallIntegerField()),
                ('milliseconds', models.FloatField()),
                ('request', models.TextField(blank=True)),
                ('response', models.TextField(blank=True)),
                ('is_cut', models.BooleanField(default=False)),
                ('caller', models.CharField(blank=True, max_length=256)),
                ('deployment', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='predictions', to='mlops.deployment')),
            ],
            options={
                'default_permissions': (),
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='ReplicaLogChunk',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('attempt', models.PositiveIntegerField()),
                ('step', models.PositiveIntegerField()),
                ('seq', models.PositiveIntegerField()),
                ('first_line', models.PositiveIntegerField()),
                ('line_count', models.PositiveIntegerField()),
                ('at', models.DateTimeField()),
                ('text', models.TextField()),
                ('offsets', models.JSONField(default=list)),
                ('stderr', models.JSONField(default=list)),
                ('deployment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='log_chunks', to='mlops.deployment')),
            ],
            options={
                'abstract': False,
                'default_permissions': (),
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='Repository',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=51)),
                ('url', models.CharField(max_length=1024)),
                ('credentials', launchpad.vault.SealedField()),
                ('replaced_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('state', models.CharField(choices=[('IN-PROGRESS', 'Not reached yet'), ('COMPLETED', 'Reached'), ('ERROR', 'Could not be reached')], default='IN-PROGRESS', max_length=16)),
                ('message', models.TextField(blank=True)),
                ('fetched_at', models.DateTimeField(null=True)),
                ('due_at', models.DateTimeField()),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='workspaces.workspace')),
            ],
            options={
                'verbose_name_plural': 'repositories',
                'ordering': ['name'],
                'default_permissions': (),
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='ResourceGroupSecret',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=252)),
                ('data', launchpad.vault.SealedField()),
                ('labels', models.JSONField(default=list)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('modified_at', models.DateTimeField(auto_now=True)),
                ('resource_group', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='resource_groups.resourcegroup')),
            ],
            options={
                'ordering': ['name'],
                'default_permissions': (),
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='Revision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('status', models.CharField(choices=[(mlops.lifecycle.Status['COMPLETED'], mlops.lifecycle.Status['COMPLETED']), (mlops.lifecycle.Status['DEAD'], mlops.lifecycle.Status['DEAD']), (mlops.lifecycle.Status['DELETING'], mlops.lifecycle.Status['DELETING']), (mlops.lifecycle.Status['PENDING'], mlops.lifecycle.Status['PENDING']), (mlops.lifecycle.Status['RUNNING'], mlops.lifecycle.Status['RUNNING']), (mlops.lifecycle.Status['STOPPED'], mlops.lifecycle.Status['STOPPED']), (mlops.lifecycle.Status['STOPPING'], mlops.lifecycle.Status['STOPPING'])], max_length=10)),
                ('reason', models.CharField(blank=True, max_length=256)),
                ('message', models.CharField(blank=True, max_length=1024)),
                ('replicas', models.PositiveIntegerField(default=1)),
                ('most', models.PositiveIntegerField(default=1)),
                ('created_at', models.DateTimeField()),
                ('ready_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('configuration', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mlops.configuration')),
                ('created_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('deployment', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='revisions', to='mlops.deployment')),
                ('executable_version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mlops.executableversion')),
            ],
            options={
                'ordering': ['number'],
                'default_permissions': (),
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='SavedView',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('noun', models.CharField(max_length=32)),
                ('name', models.CharField(max_length=80)),
                ('query', models.TextField(blank=True)),
                ('is_shared', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('modified_at', models.DateTimeField(auto_now=True)),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('resource_group', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='resource_groups.resourcegroup')),
            ],
            options={
                'default_permissions': (),
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='Scenario',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('slug', models.CharField(max_length=64)),
                ('name', models.CharField(max_length=256)),
                ('description', models.TextField(blank=True)),
                ('labels', models.JSONField(default=list)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('modified_at', models.DateTimeField(auto_now=True)),
                ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='workspaces.workspace')),
            ],
            options={
                'ordering': ['slug'],
                'default_permissions': (),
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddField(
            model_name='executable',
            name='scenario',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='executables', to='mlops.scenario'),
        ),
        migrations.CreateModel(
            name='Comment',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('text', models.TextField(blank=True)),
                ('revision', models.PositiveIntegerField(default=0)),
                ('flag', models.CharField(blank=True, choices=[('', 'Comment'), ('open', 'Open flag'), ('closed', 'Closed flag')], default='', max_length=8)),
                ('answer', models.TextField(blank=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('edited_at', models.DateTimeField(null=True)),
                ('closed_by', models.CharField(blank=True, max_length=256)),
                ('closed_at', models.DateTimeField(null=True)),
                ('deleted_by', models.CharField(blank=True, max_length=256)),
                ('deleted_at', models.DateTimeField(null=True)),
                ('artifact', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='mlops.artifact')),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('resource_group', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='resource_groups.resourcegroup')),
                ('execution', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='mlops.execution')),
                ('scenario', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mlops.scenario')),
            ],
            options={
                'default_permissions': (),
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddField(
            model_name='artifact',
            name='scenario',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mlops.scenario'),
        ),
        migrations.CreateModel(
            name='Source',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('bundled', 'Bundled with Launchpad'), ('folder', 'Folder'), ('git', 'Git repository'), ('upload', 'Added by hand')], max_length=16)),
                ('name', models.CharField(max_length=1024)),
                ('synced_at', models.DateTimeField(null=True)),
                ('findings', models.JSONField(default=list)),
                ('revision', models.CharField(blank=True, max_length=256)),
                ('path', models.CharField(blank=True, max_length=1024)),
                ('commit', models.CharField(blank=True, max_length=64)),
                ('resources', models.JSONField(default=list)),
                ('message', models.TextField(blank=True)),
                ('sync_started_at', models.DateTimeField(null=True)),
                ('due_at', models.DateTimeField(null=True)),
                ('is_stale', models.BooleanField(default=True)),
                ('removed_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('repository', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mlops.repository')),
                ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='workspaces.workspace')),
            ],
            options={
                'default_permissions': (),
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddField(
            model_name='executableversion',
            name='source',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mlops.source'),
        ),
        migrations.CreateModel(
            name='SourceTree',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=64)),
                ('size_bytes', models.BigIntegerField()),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='workspaces.workspace')),
            ],
            options={
                'default_permissions': (),
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddField(
            model_name='executableversion',
            name='source_tree',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mlops.sourcetree'),
        ),
        migrations.CreateModel(
            name='StatusChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('attempt', models.PositiveIntegerField()),
                ('source', models.CharField(blank=True, max_length=10)),
                ('target', models.CharField(max_length=10)),
                ('actor', models.CharField(max_length=256)),
                ('reason', models.CharField(blank=True, max_length=1024)),
                ('evidence', models.JSONField(default=dict)),
                ('execution', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='status_changes', to='mlops.execution')),
            ],
            options={
                'ordering': ['id'],
                'abstract': False,
                'default_permissions': (),
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='StepRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('attempt', models.PositiveIntegerField()),
                ('index', models.PositiveIntegerField()),
                ('name', models.CharField(max_length=1024)),
                ('kind', models.CharField(choices=[('leaf', 'Step'), ('steps', 'Steps'), ('dag', 'Graph'), ('loop', 'Loop'), ('exit', 'At the end')], default='leaf', max_length=8)),
                ('template', models.CharField(blank=True, max_length=128)),
                ('parent', models.PositiveIntegerField(null=True)),
                ('after', models.JSONField(default=list)),
                ('outputs', models.JSONField(default=dict)),
                ('tries', models.PositiveIntegerField(default=0)),
                ('status', models.CharField(choices=[(mlops.lifecycle.Status['UNKNOWN'], mlops.lifecycle.Status['UNKNOWN']), (mlops.lifecycle.Status['PENDING'], mlops.lifecycle.Status['PENDING']), (mlops.lifecycle.Status['RUNNING'], mlops.lifecycle.Status['RUNNING']), (mlops.lifecycle.Status['STOPPING'], mlops.lifecycle.Status['STOPPING']), (mlops.lifecycle.Status['STOPPED'], mlops.lifecycle.Status['STOPPED']), (mlops.lifecycle.Status['COMPLETED'], mlops.lifecycle.Status['COMPLETED']), (mlops.lifecycle.Status['DEAD'], mlops.lifecycle.Status['DEAD']), (mlops.lifecycle.Status['DELETING'], mlops.lifecycle.Status['DELETING']), (mlops.lifecycle.Status['SKIPPED'], mlops.lifecycle.Status['SKIPPED'])], max_length=10)),
                ('started_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('exit_code', models.IntegerField(null=True)),
                ('cause', models.CharField(blank=True, max_length=16)),
                ('message', models.CharField(blank=True, max_length=1024)),
                ('execution', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='steps', to='mlops.execution')),
            ],
            options={
                'ordering': ['attempt', 'index'],
                'default_permissions': (),
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='Sweep',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=256)),
                ('axes', models.JSONField(default=list)),
                ('refused', models.JSONField(default=list)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('resource_group', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='resource_groups.resourcegroup')),
            ],
            options={
                'default_permissions': (),
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddField(
            model_name='execution',
            name='sweep',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mlops.sweep'),
        ),
        migrations.CreateModel(
            name='Tag',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=256)),
                ('value', models.CharField(max_length=256)),
                ('modified_at', models.DateTimeField(auto_now=True)),
                ('execution', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tags', to='mlops.execution')),
            ],
            options={
                'ordering': ['name'],
                'default_permissions': (),
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='TrafficBucket',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('revision', models.PositiveIntegerField()),
                ('at', models.DateTimeField()),
                ('process', models.CharField(max_length=32)),
                ('requests', models.PositiveIntegerField(default=0)),
                ('ok', models.PositiveIntegerField(default=0)),
                ('redirected', models.PositiveIntegerField(default=0)),
                ('refused', models.PositiveIntegerField(default=0)),
                ('failed', models.PositiveIntegerField(default=0)),
                ('busy', models.PositiveIntegerField(default=0)),
                ('seconds', models.FloatField(default=0)),
                ('latency', models.JSONField(default=dict)),
                ('deployment', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='traffic', to='mlops.deployment')),
            ],
            options={
                'default_permissions': (),
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='Trial',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('revision', models.PositiveIntegerField()),
                ('at', models.DateTimeField()),
                ('method', models.CharField(max_length=16)),
                ('path', models.CharField(max_length=1024)),
                ('request', models.TextField(blank=True)),
                ('status', models.PositiveSmallIntegerField(null=True)),
                ('response', models.TextField(blank=True)),
                ('milliseconds', models.FloatField(null=True)),
                ('deployment', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='trials', to='mlops.deployment')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'default_permissions': (),
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='UseCase',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('goal', models.TextField(blank=True)),
                ('owner', models.CharField(blank=True, max_length=256)),
                ('indicators', models.JSONField(default=list)),
                ('number', models.PositiveIntegerField(default=1)),
                ('modified_at', models.DateTimeField(auto_now=True)),
                ('modified_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('scenario', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='use_case', to='mlops.scenario')),
            ],
            options={
                'default_permissions': (),
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='Replica',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('attempt', models.PositiveIntegerField(default=0)),
                ('user_code_started', models.BooleanField(default=False)),
                ('index', models.PositiveIntegerField()),
                ('status', models.CharField(choices=[(mlops.lifecycle.Status['COMPLETED'], mlops.lifecycle.Status['COMPLETED']), (mlops.lifecycle.Status['DEAD'], mlops.lifecycle.Status['DEAD']), (mlops.lifecycle.Status['DELETING'], mlops.lifecycle.Status['DELETING']), (mlops.lifecycle.Status['PENDING'], mlops.lifecycle.Status['PENDING']), (mlops.lifecycle.Status['RUNNING'], mlops.lifecycle.Status['RUNNING']), (mlops.lifecycle.Status['STOPPED'], mlops.lifecycle.Status['STOPPED']), (mlops.lifecycle.Status['STOPPING'], mlops.lifecycle.Status['STOPPING'])], max_length=10)),
                ('message', models.CharField(blank=True, max_length=1024)),
                ('address', models.CharField(blank=True, max_length=256)),
                ('is_ready', models.BooleanField(default=False)),
                ('ready_at', models.DateTimeField(null=True)),
                ('not_before', models.DateTimeField()),
                ('restarts', models.PositiveIntegerField(default=0)),
                ('draining_at', models.DateTimeField(null=True)),
                ('memory_bytes', models.BigIntegerField(null=True)),
                ('notices', models.JSONField(default=list)),
                ('created_at', models.DateTimeField()),
                ('modified_at', models.DateTimeField(auto_now=True)),
                ('started_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('deployment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='replicas', to='mlops.deployment')),
                ('revision', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='servers', to='mlops.revision')),
                ('worker', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mlops.worker')),
            ],
            options={
                'ordering': ['index'],
                'default_permissions': (),
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddField(
            model_name='execution',
            name='worker',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mlops.worker'),
        ),
        migrations.CreateModel(
            name='WorkspaceSecret',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=252)),
                ('data', launchpad.vault.SealedField()),
                ('labels', models.JSONField(default=list)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('modified_at', models.DateTimeField(auto_now=True)),
                ('is_shared', models.BooleanField(default=False)),
                ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='workspaces.workspace')),
            ],
            options={
                'ordering': ['name'],
                'default_permissions': (),
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='ArtifactCheck',
            fields=[
                ('artifact', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='check_row', serialize=False, to='mlops.artifact')),
                ('state', models.CharField(blank=True, max_length=16)),
                ('reason', models.TextField(blank=True)),
                ('odd', models.JSONField(default=list)),
                ('checked_at', models.DateTimeField(null=True)),
                ('wanted_at', models.DateTimeField(null=True)),
                ('wanted_by', models.CharField(blank=True, max_length=256)),
                ('claimed_at', models.DateTimeField(null=True)),
            ],
            options={
                'default_permissions': (),
                'indexes': [models.Index(condition=models.Q(('wanted_at__isnull', False)), fields=['wanted_at'], name='artifact_check_due')],
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='ArtifactAlias',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('dataset', 'Dataset'), ('model', 'Model'), ('resultset', 'Result set'), ('other', 'Other artifact')], max_length=16)),
                ('name', models.CharField(max_length=256)),
                ('alias', models.CharField(max_length=63)),
                ('artifact', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='aliases', to='mlops.artifact')),
                ('resource_group', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='resource_groups.resourcegroup')),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('resource_group', 'kind', 'name', 'alias'), name='artifact_alias_name')],
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='ArtifactAliasMove',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('dataset', 'Dataset'), ('model', 'Model'), ('resultset', 'Result set'), ('other', 'Other artifact')], max_length=16)),
                ('name', models.CharField(max_length=256)),
                ('alias', models.CharField(max_length=63)),
                ('from_version', models.PositiveIntegerField(null=True)),
                ('to_version', models.PositiveIntegerField(null=True)),
                ('why', models.TextField(blank=True)),
                ('actor', models.CharField(max_length=256)),
                ('at', models.DateTimeField(auto_now_add=True)),
                ('resource_group', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='resource_groups.resourcegroup')),
            ],
            options={
                'default_permissions': (),
                'indexes': [models.Index(fields=['resource_group', 'kind', 'name', '-id'], name='alias_moves')],
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='Board',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('executions', 'Executions'), ('models', 'Models')], max_length=16)),
                ('name', models.CharField(max_length=256)),
                ('items', models.JSONField(default=list)),
                ('charts', models.JSONField(default=list)),
                ('directions', models.JSONField(default=dict)),
                ('is_shared', models.BooleanField(default=False)),
                ('version', models.PositiveIntegerField(default=1)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('modified_at', models.DateTimeField(auto_now=True)),
                ('author', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('resource_group', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='resource_groups.resourcegroup')),
            ],
            options={
                'default_permissions': (),
                'indexes': [models.Index(condition=models.Q(('is_shared', True)), fields=['resource_group', '-created_at', '-id'], name='board_shared'), models.Index(fields=['resource_group', 'author', '-created_at', '-id'], name='board_own')],
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='ArtifactBinding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=256)),
                ('artifact', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='bindings', to='mlops.artifact')),
                ('configuration', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='inputs', to='mlops.configuration')),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('configuration', 'key'), name='artifact_key')],
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='ConfigurationDraft',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('data', models.JSONField(default=dict)),
                ('modified_at', models.DateTimeField(auto_now=True)),
                ('author', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('resource_group', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='resource_groups.resourcegroup')),
            ],
            options={
                'abstract': False,
                'default_permissions': (),
                'indexes': [models.Index(fields=['resource_group', 'author', '-modified_at'], name='draft_list')],
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='DeploymentDraft',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('data', models.JSONField(default=dict)),
                ('modified_at', models.DateTimeField(auto_now=True)),
                ('author', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('resource_group', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='resource_groups.resourcegroup')),
            ],
            options={
                'abstract': False,
                'default_permissions': (),
                'indexes': [models.Index(fields=['resource_group', 'author', '-modified_at'], name='deployment_draft_list')],
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='DockerSecret',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=63)),
                ('data', launchpad.vault.SealedField()),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('modified_at', models.DateTimeField(auto_now=True)),
                ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='workspaces.workspace')),
            ],
            options={
                'ordering': ['name'],
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('workspace', 'name'), name='docker_secret_name')],
            },
            managers=[
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddConstraint(
            model_name='environment',
            constraint=models.UniqueConstraint(fields=('resource_group', 'digest'), name='environment_digest'),
        ),
        migrations.AddIndex(
            model_name='deployment',
            index=models.Index(fields=['resource_group', '-created_at', '-id'], name='deployment_list'),
        ),
        migrations.AddIndex(
            model_name='deployment',
            index=models.Index(fields=['resource_group', 'status', '-created_at', '-id'], name='deployment_status'),
        ),
        migrations.AddIndex(
            model_name='deployment',
            index=models.Index(fields=['resource_group', 'executable', '-created_at', '-id'], name='deployment_executable'),
        ),
        migrations.AddIndex(
            model_name='deployment',
            index=models.Index(condition=models.Q(('archived_at__isnull', True)), fields=['resource_group', '-created_at', '-id'], name='deployment_kept'),
        ),
        migrations.AddIndex(
            model_name='deployment',
            index=models.Index(condition=models.Q(('archived_at__isnull', True)), fields=['resource_group', 'status', '-created_at', '-id'], name='deployment_kept_status'),
        ),
        migrations.AddIndex(
            model_name='deployment',
            index=models.Index(fields=['configuration', '-created_at', '-id'], name='deployment_configuration'),
        ),
        migrations.AddIndex(
            model_name='deployment',
            index=models.Index(fields=['executable_version'], name='deployment_version'),
        ),
        migrations.AddIndex(
            model_name='deployment',
            index=models.Index(fields=['created_by'], name='deployment_creator'),
        ),
        migrations.AddIndex(
            model_name='deployment',
            index=models.Index(condition=models.Q(('status__in', ['PENDING', 'RUNNING', 'STOPPING', 'DELETING'])), fields=['status'], name='deployment_live'),
        ),
        migrations.AddIndex(
            model_name='deployment',
            index=models.Index(condition=models.Q(('archived_at__isnull', True), ('expires_at__isnull', False)), fields=['expires_at'], name='deployment_expiry'),
        ),
        migrations.AddIndex(
            model_name='deployment',
            index=models.Index(condition=models.Q(('archived_at__isnull', True), ('status', 'DEAD')), fields=['completed_at'], name='deployment_dead'),
        ),
        migrations.AddConstraint(
            model_name='deployment',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['DEAD', 'DELETING', 'PENDING', 'RUNNING', 'STOPPED', 'STOPPING'])), name='deployment_status_known'),
        ),
        migrations.AddConstraint(
            model_name='deployment',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['COMPLETED', 'DEAD', 'DELETING', 'STOPPED']), ('completed_at__isnull', True), _connector='XOR'), name='deployment_completed_at_iff_final'),
        ),
        migrations.AddIndex(
            model_name='configuration',
            index=models.Index(fields=['resource_group', '-created_at', '-id'], name='configuration_list'),
        ),
        migrations.AddIndex(
            model_name='configuration',
            index=models.Index(condition=models.Q(('archived_at__isnull', False)), fields=['resource_group', '-created_at', '-id'], name='configuration_archived'),
        ),
        migrations.AddIndex(
            model_name='configuration',
            index=models.Index(fields=['resource_group', 'executable', '-created_at', '-id'], name='configuration_executable'),
        ),
        migrations.AddConstraint(
            model_name='custominfo',
            constraint=models.UniqueConstraint(fields=('execution', 'name'), name='custom_info_name'),
        ),
        migrations.AddConstraint(
            model_name='attemptenvironment',
            constraint=models.UniqueConstraint(fields=('execution', 'attempt'), name='attempt_environment'),
        ),
        migrations.AddIndex(
            model_name='logchunk',
            index=models.Index(fields=['execution', 'at'], name='log_chunk_time'),
        ),
        migrations.AddConstraint(
            model_name='logchunk',
            constraint=models.UniqueConstraint(fields=('execution', 'attempt', 'step', 'seq'), name='log_chunk_seq'),
        ),
        migrations.AddIndex(
            model_name='metricseries',
            index=models.Index(fields=['resource_group', 'name', '-last', '-execution'], name='metric_last'),
        ),
        migrations.AddConstraint(
            model_name='metricseries',
            constraint=models.UniqueConstraint(fields=('execution', 'name', 'labels_digest'), name='metric_series'),
        ),
        migrations.AddConstraint(
            model_name='metricpoint',
            constraint=models.UniqueConstraint(fields=('series', 'step', 'has_step', 'recorded_at', 'value', 'kind'), name='metric_point'),
        ),
        migrations.AddConstraint(
            model_name='objectstoresecret',
            constraint=models.UniqueConstraint(fields=('resource_group', 'name'), name='object_store_name'),
        ),
        migrations.AddConstraint(
            model_name='parameterbinding',
            constraint=models.UniqueConstraint(fields=('configuration', 'key'), name='parameter_key'),
        ),
        migrations.AddIndex(
            model_name='prediction',
            index=models.Index(fields=['deployment', '-at', '-id'], name='prediction_list'),
        ),
        migrations.AddIndex(
            model_name='replicalogchunk',
            index=models.Index(fields=['deployment', 'at'], name='replica_log_time'),
        ),
        migrations.AddConstraint(
            model_name='replicalogchunk',
            constraint=models.UniqueConstraint(fields=('deployment', 'attempt', 'step', 'seq'), name='replica_log_seq'),
        ),
        migrations.AddIndex(
            model_name='repository',
            index=models.Index(fields=['due_at'], name='repository_due'),
        ),
        migrations.AddConstraint(
            model_name='repository',
            constraint=models.UniqueConstraint(fields=('workspace', 'name'), name='repository_name'),
        ),
        migrations.AddConstraint(
            model_name='repository',
            constraint=models.UniqueConstraint(fields=('workspace', 'url'), name='repository_url'),
        ),
        migrations.AddConstraint(
            model_name='resourcegroupsecret',
            constraint=models.UniqueConstraint(fields=('resource_group', 'name'), name='resource_group_secret_name'),
        ),
        migrations.AddConstraint(
            model_name='revision',
            constraint=models.UniqueConstraint(fields=('deployment', 'number'), name='revision_number'),
        ),
        migrations.AddConstraint(
            model_name='savedview',
            constraint=models.UniqueConstraint(fields=('resource_group', 'noun', 'owner', 'name'), name='saved_view_name'),
        ),
        migrations.AddConstraint(
            model_name='scenario',
            constraint=models.UniqueConstraint(fields=('workspace', 'slug'), name='scenario_slug'),
        ),
        migrations.AddConstraint(
            model_name='executable',
            constraint=models.UniqueConstraint(fields=('workspace', 'slug'), name='executable_slug'),
        ),
        migrations.AddIndex(
            model_name='comment',
            index=models.Index(models.F('execution'), models.OrderBy(models.F('created_at'), descending=True), models.OrderBy(models.F('id'), descending=True), condition=models.Q(('execution', None), _negated=True), name='comment_execution'),
        ),
        migrations.AddIndex(
            model_name='comment',
            index=models.Index(models.F('artifact'), models.OrderBy(models.F('created_at'), descending=True), models.OrderBy(models.F('id'), descending=True), condition=models.Q(('artifact', None), _negated=True), name='comment_artifact'),
        ),
        migrations.AddIndex(
            model_name='comment',
            index=models.Index(models.F('scenario'), models.OrderBy(models.F('created_at'), descending=True), models.OrderBy(models.F('id'), descending=True), condition=models.Q(('scenario', None), _negated=True), name='comment_scenario'),
        ),
        migrations.AddIndex(
            model_name='comment',
            index=models.Index(fields=['resource_group', 'flag', '-created_at', '-id'], name='comment_flag'),
        ),
        migrations.AddConstraint(
            model_name='comment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('artifact', None), ('execution__isnull', False), ('scenario', None)), models.Q(('artifact__isnull', False), ('execution', None), ('scenario', None)), models.Q(('artifact', None), ('execution', None), ('scenario__isnull', False)), _connector='OR'), name='comment_is_about_one_thing'),
        ),
        migrations.AddIndex(
            model_name='artifact',
            index=models.Index(fields=['resource_group', 'kind', '-created_at', '-id'], name='artifact_list'),
        ),
        migrations.AddIndex(
            model_name='artifact',
            index=models.Index(fields=['resource_group', '-created_at', '-id'], name='artifact_newest'),
        ),
        migrations.AddIndex(
            model_name='artifact',
            index=models.Index(fields=['resource_group', 'kind', 'name', 'id'], name='artifact_by_name'),
        ),
        migrations.AddIndex(
            model_name='artifact',
            index=models.Index(condition=models.Q(('binned_at__isnull', False)), fields=['resource_group', '-created_at', '-id'], name='artifact_bin'),
        ),
        migrations.AddIndex(
            model_name='artifact',
            index=models.Index(condition=models.Q(('binned_at__isnull', False)), fields=['binned_at'], name='artifact_expiry'),
        ),
        migrations.AddIndex(
            model_name='artifact',
            index=models.Index(fields=['resource_group', 'kind', 'size_bytes', 'id'], name='artifact_by_size'),
        ),
        migrations.AddIndex(
            model_name='artifact',
            index=models.Index(condition=models.Q(('is_newest', True)), fields=['resource_group', 'kind', '-created_at', '-id'], name='artifact_names'),
        ),
        migrations.AddConstraint(
            model_name='artifact',
            constraint=models.UniqueConstraint(fields=('resource_group', 'kind', 'name', 'version'), name='artifact_version'),
        ),
        migrations.AddConstraint(
            model_name='artifact',
            constraint=models.UniqueConstraint(condition=models.Q(('is_newest', True)), fields=('resource_group', 'kind', 'name'), name='artifact_one_newest'),
        ),
        migrations.AddIndex(
            model_name='source',
            index=models.Index(condition=models.Q(('kind', 'git'), ('removed_at', None)), fields=['due_at'], name='source_due'),
        ),
        migrations.AddConstraint(
            model_name='source',
            constraint=models.UniqueConstraint(condition=models.Q(('removed_at', None)), fields=('workspace', 'kind', 'name'), name='source_name'),
        ),
        migrations.AddConstraint(
            model_name='sourcetree',
            constraint=models.UniqueConstraint(fields=('workspace', 'digest'), name='source_tree_digest'),
        ),
        migrations.AddConstraint(
            model_name='executableversion',
            constraint=models.UniqueConstraint(fields=('executable', 'number'), name='executable_version_number'),
        ),
        migrations.AddConstraint(
            model_name='steprun',
            constraint=models.UniqueConstraint(fields=('execution', 'attempt', 'index'), name='step_run'),
        ),
        migrations.AddIndex(
            model_name='sweep',
            index=models.Index(fields=['resource_group', '-created_at', '-id'], name='sweep_list'),
        ),
        migrations.AddConstraint(
            model_name='tag',
            constraint=models.UniqueConstraint(fields=('execution', 'name'), name='tag_name'),
        ),
        migrations.AddIndex(
            model_name='trafficbucket',
            index=models.Index(fields=['at'], name='traffic_at'),
        ),
        migrations.AddConstraint(
            model_name='trafficbucket',
            constraint=models.UniqueConstraint(fields=('deployment', 'at', 'revision', 'process'), name='traffic_bucket'),
        ),
        migrations.AddIndex(
            model_name='trial',
            index=models.Index(fields=['deployment', 'user', '-at', '-id'], name='trial_list'),
        ),
        migrations.AddIndex(
            model_name='replica',
            index=models.Index(condition=models.Q(('status', 'PENDING')), fields=['not_before'], name='replica_pending'),
        ),
        migrations.AddIndex(
            model_name='replica',
            index=models.Index(condition=models.Q(('status__in', ['RUNNING', 'STOPPING'])), fields=['worker'], name='replica_leased'),
        ),
        migrations.AddConstraint(
            model_name='replica',
            constraint=models.UniqueConstraint(fields=('revision', 'index'), name='replica_index'),
        ),
        migrations.AddIndex(
            model_name='execution',
            index=models.Index(fields=['resource_group', '-created_at', '-id'], name='execution_list'),
        ),
        migrations.AddIndex(
            model_name='execution',
            index=models.Index(fields=['resource_group', 'status', '-created_at', '-id'], name='execution_status'),
        ),
        migrations.AddIndex(
            model_name='execution',
            index=models.Index(fields=['resource_group', 'executable', 'status', '-created_at', '-id'], name='execution_executable'),
        ),
        migrations.AddIndex(
            model_name='execution',
            index=models.Index(fields=['configuration', '-created_at', '-id'], name='execution_configuration'),
        ),
        migrations.AddIndex(
            model_name='execution',
            index=models.Index(fields=['executable', 'resource_group', '-created_at', '-id'], name='execution_of_executable'),
        ),
        migrations.AddIndex(
            model_name='execution',
            index=models.Index(fields=['executable_version', 'resource_group', '-created_at', '-id'], name='execution_version'),
        ),
        migrations.AddIndex(
            model_name='execution',
            index=models.Index(condition=models.Q(('archived_at__isnull', True)), fields=['created_by', 'resource_group', '-created_at', '-id'], name='execution_creator'),
        ),
        migrations.AddIndex(
            model_name='execution',
            index=models.Index(condition=models.Q(('archived_at__isnull', True)), fields=['resource_group', '-created_at', '-id'], name='execution_kept'),
        ),
        migrations.AddIndex(
            model_name='execution',
            index=models.Index(condition=models.Q(('archived_at__isnull', True)), fields=['resource_group', 'status', '-created_at', '-id'], name='execution_kept_status'),
        ),
        migrations.AddIndex(
            model_name='execution',
            index=models.Index(condition=models.Q(('duration__isnull', False)), fields=['resource_group', '-duration', '-id'], name='execution_duration'),
        ),
        migrations.AddIndex(
            model_name='execution',
            index=models.Index(condition=models.Q(('name__gt', '')), fields=['resource_group', 'name', 'id'], name='execution_name'),
        ),
        migrations.AddIndex(
            model_name='execution',
            index=models.Index(condition=models.Q(('archived_at__isnull', False)), fields=['resource_group', '-created_at', '-id'], name='execution_archived'),
        ),
        migrations.AddIndex(
            model_name='execution',
            index=models.Index(condition=models.Q(('status', 'PENDING')), fields=['resource_group', 'created_at'], name='execution_pending'),
        ),
        migrations.AddIndex(
            model_name='execution',
            index=models.Index(condition=models.Q(('status', 'DEAD')), fields=['resource_group', '-completed_at', '-id'], name='execution_failed'),
        ),
        migrations.AddIndex(
            model_name='execution',
            index=models.Index(condition=models.Q(('status__in', ['RUNNING', 'STOPPING'])), fields=['worker'], name='execution_leased'),
        ),
        migrations.AddIndex(
            model_name='execution',
            index=models.Index(condition=models.Q(('status', 'DELETING')), fields=['created_at'], name='execution_deleting'),
        ),
        migrations.AddIndex(
            model_name='execution',
            index=models.Index(condition=models.Q(('origin__isnull', False)), fields=['origin'], name='execution_origin'),
        ),
        migrations.AddIndex(
            model_name='execution',
            index=models.Index(condition=models.Q(('sweep__isnull', False)), fields=['sweep'], name='execution_sweep'),
        ),
        migrations.AddConstraint(
            model_name='execution',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['COMPLETED', 'DEAD', 'DELETING', 'PENDING', 'RUNNING', 'STOPPED', 'STOPPING'])), name='execution_status_known'),
        ),
        migrations.AddConstraint(
            model_name='execution',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['COMPLETED', 'DEAD', 'DELETING', 'STOPPED']), ('completed_at__isnull', True), _connector='XOR'), name='execution_completed_at_iff_final'),
        ),
        migrations.AddConstraint(
            model_name='workspacesecret',
            constraint=models.UniqueConstraint(fields=('workspace', 'is_shared', 'name'), name='workspace_secret_name'),
        ),
    ]
