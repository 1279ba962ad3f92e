# The help desk in a container: slim, not root, and able to run with a root that can only be read.
# No machine of ours builds this: CI has no container engine. docs/operators.md tells how to use it.
FROM python:3.11-slim-trixie AS packages
COPY requirements.txt requirements-postgres.txt /
RUN python -m venv /opt/venv \
 && /opt/venv/bin/pip install --no-cache-dir --requirement /requirements-postgres.txt

FROM python:3.11-slim-trixie
# For `manage.py backup` and `restore` on PostgreSQL: version 17, as in compose.yaml.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends postgresql-client \
 && rm -rf /var/lib/apt/lists/*
RUN groupadd --gid 10001 helpdesk \
 && useradd --uid 10001 --gid helpdesk --no-create-home --shell /usr/sbin/nologin helpdesk \
 && install --directory --owner=helpdesk --group=helpdesk --mode=0750 /var/lib/helpdesk
COPY --from=packages /opt/venv /opt/venv
COPY manage.py /opt/helpdesk/
COPY helpdesk /opt/helpdesk/helpdesk
COPY troubleshooter /opt/helpdesk/troubleshooter
COPY templates /opt/helpdesk/templates
COPY static /opt/helpdesk/static
COPY locale /opt/helpdesk/locale
COPY guides /opt/helpdesk/guides
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    VAR_DIR=/var/lib/helpdesk \
    HOST=0.0.0.0 \
    LOG_FORMAT=json
WORKDIR /opt/helpdesk
USER helpdesk
VOLUME /var/lib/helpdesk
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
# Without the worker, which is a container of its own: `python manage.py worker`.
CMD ["sh", "-c", "umask 027 && python manage.py run --prepare-only && exec python -m helpdesk.serve --alone"]
