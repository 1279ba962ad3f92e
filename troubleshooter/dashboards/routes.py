"""The routes of the numbers, grouped by path."""

from django.urls import path

from . import (
    export_beside,
    export_escalations,
    export_fix,
    export_fixes,
    export_guide,
    export_guides,
    numbers,
    numbers_beside,
    numbers_escalations,
    numbers_fix,
    numbers_fixes,
    numbers_groups,
    numbers_guide,
    numbers_order,
    numbers_sessions,
)

urlpatterns = [
    # /numbers/
    path("numbers/", numbers, name="numbers"),
    path("numbers/guides.<slug:form>", export_guides, name="export_guides"),
    path("numbers/<slug:guide_key>/", numbers_guide, name="numbers_guide"),
    path(
        "numbers/<slug:guide_key>/<slug:table>.<slug:form>",
        export_guide,
        name="export_guide",
    ),
    path("numbers/<slug:guide_key>/groups/", numbers_groups, name="numbers_groups"),
    path("numbers/<slug:guide_key>/sessions/", numbers_sessions, name="numbers_sessions"),
    path("numbers/<slug:guide_key>/order/", numbers_order, name="numbers_order"),
    path("numbers/<slug:guide_key>/beside/", numbers_beside, name="numbers_beside"),
    path(
        "numbers/<slug:guide_key>/beside/<slug:table>.<slug:form>",
        export_beside,
        name="export_beside",
    ),
    # /fix-numbers/: not below /numbers/, where “fixes” may be the key of a guide
    path("fix-numbers/", numbers_fixes, name="numbers_fixes"),
    path("fix-numbers/fixes.<slug:form>", export_fixes, name="export_fixes"),
    path("fix-numbers/<slug:fix_key>/", numbers_fix, name="numbers_fix"),
    path(
        "fix-numbers/<slug:fix_key>/<slug:table>.<slug:form>",
        export_fix,
        name="export_fix",
    ),
    # /escalation-numbers/
    path("escalation-numbers/", numbers_escalations, name="numbers_escalations"),
    path(
        "escalation-numbers/<slug:table>.<slug:form>",
        export_escalations,
        name="export_escalations",
    ),
]
