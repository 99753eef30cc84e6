import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('kb', '0003_transcribe_step'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Source',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100)),
                ('kind', models.CharField(choices=[('folder', 'Folder'), ('s3', 'S3'), ('website', 'Website')], max_length=10)),
                ('settings', models.JSONField(default=dict)),
                ('prefix', models.CharField(blank=True, max_length=200)),
                ('schedule_minutes', models.PositiveIntegerField(blank=True, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('state', models.CharField(choices=[('idle', 'Idle'), ('waiting', 'Waiting'), ('scanning', 'Scanning'), ('failed', 'Failed'), ('held', 'Held')], default='idle', max_length=10)),
                ('lease_until', models.DateTimeField(null=True)),
                ('lease_token', models.UUIDField(null=True)),
                ('next_scan_at', models.DateTimeField(null=True)),
                ('may_delete_most', models.BooleanField(default=False)),
                ('last_scan_at', models.DateTimeField(null=True)),
                ('error', models.TextField(blank=True)),
                ('report', models.JSONField(blank=True, default=dict)),
                ('collection', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sources', to='kb.collection')),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('last_run', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='kb.ingestrun')),
            ],
            options={
                'ordering': ['name', 'id'],
                'permissions': [('connect_storage', 'Can connect folders and buckets that the server reaches')],
            },
        ),
        migrations.CreateModel(
            name='SourceEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uri', models.CharField(max_length=1000)),
                ('fingerprint', models.CharField(blank=True, max_length=300)),
                ('sha256', models.CharField(blank=True, max_length=64)),
                ('refused_under', models.CharField(blank=True, max_length=16)),
                ('links', models.JSONField(default=list)),
                ('seen_at', models.DateTimeField()),
                ('asset', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='source_entries', to='kb.asset')),
                ('audience', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='kb.audience')),
                ('source', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='entries', to='kb.source')),
            ],
            options={
                'verbose_name_plural': 'source entries',
            },
        ),
        migrations.CreateModel(
            name='SourceFolder',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('folder', models.CharField(blank=True, max_length=1000)),
                ('audience', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='kb.audience')),
                ('source', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='folders', to='kb.source')),
            ],
        ),
        migrations.CreateModel(
            name='TusUpload',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('path', models.CharField(max_length=1000)),
                ('metadata', models.TextField(blank=True)),
                ('length', models.BigIntegerField()),
                ('offset', models.BigIntegerField(default=0)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('expires_at', models.DateTimeField(db_index=True)),
                ('finishing_until', models.DateTimeField(null=True)),
                ('handed_over_at', models.DateTimeField(null=True)),
                ('collection', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='kb.collection')),
                ('item', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='kb.ingestitem')),
                ('run', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='kb.ingestrun')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='TusPiece',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('start', models.BigIntegerField()),
                ('object_key', models.CharField(max_length=200)),
                ('upload', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='pieces', to='kb.tusupload')),
            ],
            options={
                'ordering': ['start'],
            },
        ),
        migrations.AddConstraint(
            model_name='source',
            constraint=models.UniqueConstraint(fields=('collection', 'name'), name='source_name_once'),
        ),
        migrations.AddConstraint(
            model_name='source',
            constraint=models.UniqueConstraint(condition=models.Q(('kind', 'website'), _negated=True), fields=('collection', 'prefix'), name='source_prefix_once'),
        ),
        migrations.AddConstraint(
            model_name='sourceentry',
            constraint=models.UniqueConstraint(fields=('source', 'uri'), name='source_entry_once'),
        ),
        migrations.AddConstraint(
            model_name='sourcefolder',
            constraint=models.UniqueConstraint(fields=('source', 'folder'), name='source_folder_once'),
        ),
        migrations.AddConstraint(
            model_name='tusupload',
            constraint=models.CheckConstraint(condition=models.Q(('offset__lte', models.F('length'))), name='tus_offset_within_length'),
        ),
        migrations.AddConstraint(
            model_name='tuspiece',
            constraint=models.UniqueConstraint(fields=('upload', 'start'), name='tus_piece_once'),
        ),
    ]
