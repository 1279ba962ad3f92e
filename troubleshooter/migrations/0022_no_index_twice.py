"""Sessions and attempts had an index each that another one begins with.

Dropped by SQL: Django would copy all rows of a table on SQLite to take an index away.
"""

import django.db.models.deletion
from django.db import migrations, models

INDEXES = {
    "troubleshooter_attempt_session_id_f4523627": "troubleshooter_attempt (session_id)",
    "troubleshooter_session_edition_id_0f668eac": "troubleshooter_session (edition_id)",
}


class Migration(migrations.Migration):
    dependencies = [("troubleshooter", "0021_sessions_unread")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    f"DROP INDEX IF EXISTS {name}", f"CREATE INDEX IF NOT EXISTS {name} ON {on}"
                )
                for name, on in INDEXES.items()
            ],
            state_operations=[
                migrations.AlterField(
                    model_name="attempt",
                    name="session",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attempts",
                        to="troubleshooter.session",
                    ),
                ),
                migrations.AlterField(
                    model_name="session",
                    name="edition",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sessions",
                        to="troubleshooter.edition",
                    ),
                ),
            ],
        )
    ]
