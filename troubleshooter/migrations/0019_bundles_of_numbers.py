"""Bundles are packed otherwise: those there are go, and the worker makes them anew."""

from django.db import migrations, models


def forget(apps, schema_editor):
    """Until they are made again, pages of numbers read counts."""
    for name in ("Bundle", "StaleBundle"):
        apps.get_model("troubleshooter", name).objects.all().delete()
    apps.get_model("troubleshooter", "Look").objects.update(bundled_until=None)


class Migration(migrations.Migration):

    dependencies = [
        ('troubleshooter', '0018_bundles'),
    ]

    operations = [
        migrations.RunPython(forget, migrations.RunPython.noop),
        migrations.RemoveConstraint(
            model_name='bundle',
            name='troubleshooter_bundle_once',
        ),
        migrations.AddField(
            model_name='bundle',
            name='simulated',
            field=models.BooleanField(default=False),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name='bundle',
            constraint=models.UniqueConstraint(fields=('table', 'length', 'day', 'platform', 'simulated'), name='troubleshooter_bundle_once'),
        ),
        migrations.RunPython(migrations.RunPython.noop, forget),  # first of all on the way back
    ]
