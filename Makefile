# `make run` and `make test` are all that most people need; `make` alone lists the rest.
# docs/operators.md has the plain commands, for a machine without make.

PYTHON ?= python3
BIN = .venv/bin
# A help desk on PostgreSQL needs its driver too.
RUN = $(if $(filter postgres% pgsql%,$(DATABASE_URL)),.venv/postgres.stamp,.venv/run.stamp)
DEV = .venv/dev.stamp
HAVE_CHROMIUM = { command -v chromium || command -v chromium-browser || command -v google-chrome; } >/dev/null

.PHONY: help run dev test next browser check messages bench bench-serving bench-order bench-dashboards torture clean

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-17s %s\n", $$1, $$2}' Makefile

run: $(RUN) ## Prepare everything and serve the site (LAN=1: to other devices in the network too)
	@exec $(BIN)/python manage.py run

dev: $(RUN) ## The same with Django's own server, which reloads changed code
	@export DEBUG=1 && $(BIN)/python manage.py run --prepare-only && \
	exec $(BIN)/python manage.py runserver "$${HOST:-127.0.0.1}:$${PORT:-8000}"

test: $(DEV) ## Run every test (those in a browser only where a Chromium is installed)
	@$(BIN)/pytest

next: .venv-next/dev.stamp ## Run the tests, but for a browser's, on Python 3.13 and Django 6.1, warnings as errors
	@.venv-next/bin/pytest --ignore=tests/browser $(NEXT_ALLOWS) $(NEXT_TESTS)

browser: $(DEV) ## Install Chromium if it is missing, and run the tests that need it
	@$(HAVE_CHROMIUM) || { \
	  command -v apt-get >/dev/null || { \
	    echo "No Chromium here, and no apt-get to install it with: please install Chromium." >&2; \
	    exit 1; }; \
	  as_root=; [ "$$(id -u)" = 0 ] || as_root=sudo; \
	  [ -z "$$as_root" ] || command -v sudo >/dev/null || { \
	    echo "No Chromium here. Please let root run: apt-get install chromium" >&2; exit 1; }; \
	  echo "Installing Chromium …"; \
	  { $$as_root apt-get -qq update && $$as_root env DEBIAN_FRONTEND=noninteractive \
	    apt-get -qq install --yes --no-install-recommends chromium >/dev/null; } || { \
	    echo "apt-get could not install Chromium; what it said is above." >&2; exit 1; }; }
	@$(BIN)/pytest tests/browser

check: $(DEV) ## Check format, style, types, templates, migrations and production settings
	@$(BIN)/ruff format --check --quiet . || { \
	  echo "Files above are not in format: $(BIN)/ruff format ." >&2; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/bandit --quiet --configfile pyproject.toml --recursive troubleshooter helpdesk manage.py
	@$(BIN)/mypy --no-error-summary .
	@$(BIN)/djlint --lint --quiet templates
	@find templates -name '*.html' -exec $(BIN)/djade --check --target-version 5.2 {} + || { \
	  echo "Templates above are not in format: $(BIN)/djade --target-version 5.2 FILES" >&2; exit 1; }
	@$(BIN)/python manage.py makemigrations --check --dry-run >/dev/null || { \
	  echo "The models changed without a migration: $(BIN)/python manage.py makemigrations" >&2; \
	  exit 1; }
	@SITE_URL=https://help.example.org \
	SECRET_KEY="$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(50))')" \
	$(BIN)/python manage.py check --deploy --fail-level WARNING >/dev/null
	@echo "All checks passed."

# Each part of it is a target of its own.
bench: bench-serving bench-dashboards ## Measure everything that is fast (ROUNDS= SECONDS= CLIENTS= DATABASES= FULL=1 STRICT=1 MARKDOWN=1)

bench-serving: $(DEV)
	@$(BIN)/python -m bench.serving $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SECONDS),--seconds $(SECONDS)) \
	$(if $(CLIENTS),--clients $(CLIENTS)) $(if $(DATABASES),--databases $(DATABASES)) \
	$(if $(FULL),--full) $(if $(STRICT),--strict) $(if $(MARKDOWN),--markdown)

bench-order: $(DEV) ## Judge the learned orders on simulated guides (FAMILIES= GUIDES= SESSIONS= SEED= JOBS=)
	@$(BIN)/python bench/order.py $(if $(FAMILIES),--families $(FAMILIES)) $(if $(GUIDES),--guides $(GUIDES)) \
	$(if $(SESSIONS),--sessions $(SESSIONS)) $(if $(SEED),--seed $(SEED)) $(if $(JOBS),--jobs $(JOBS))

bench-dashboards: $(DEV) ## Time the pages of numbers over many sessions and a tenth of them (SESSIONS=)
	@$(BIN)/python bench/dashboards.py $(SESSIONS)

torture: $(DEV) ## Kill, fill up and cut off the real server, and look for lost answers (SHORT=1 KILLS= JOBS= ONLY=)
	@$(BIN)/python -m torture $(if $(SHORT),--short) $(if $(KILLS),--kills $(KILLS)) \
	$(if $(JOBS),--jobs $(JOBS)) $(ONLY)

messages: $(DEV) ## Bring new strings into the catalogs and compile them (needs gettext)
	@command -v msgmerge >/dev/null || { \
	  echo "The gettext tools are missing. On Debian: apt-get install gettext" >&2; exit 1; }
	@$(BIN)/python manage.py makemessages --locale de --locale es --locale ar --no-location \
	  --no-wrap --no-obsolete --ignore .venv --ignore var --ignore tests --ignore bench --ignore torture
	@sed -i '/^"POT-Creation-Date:/d' locale/*/LC_MESSAGES/django.po
	@$(BIN)/python manage.py compilemessages --verbosity 0 --ignore .venv
	@$(BIN)/pytest --quiet tests/test_messages.py

clean: ## Delete what can be made again (the data in var/ stays)
	@rm -rf .venv .venv-next .mypy_cache .ruff_cache .pytest_cache .hypothesis var/static var/static.stamp
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- The virtual environment. A stamp is written only when its step succeeded. ---------------

.venv/made.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "This needs Python 3.11 or newer. Another one than python3: make PYTHON=python3.12 …" >&2; \
	  exit 1; }
	@$(PYTHON) -m venv .venv || { \
	  echo "The virtual environment could not be made. On Debian: apt-get install python3-venv" >&2; \
	  exit 1; }
	@touch $@

.venv/run.stamp: requirements.txt .venv/made.stamp
.venv/postgres.stamp: requirements-postgres.txt .venv/run.stamp
.venv/dev.stamp: requirements-dev.txt .venv/postgres.stamp

.venv/run.stamp .venv/postgres.stamp .venv/dev.stamp:
	@echo "Installing what $< lists …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

# --- The same on the next Django. Everything else keeps its pin. ------------------------------

NEXT_PYTHON = python3.13
NEXT_DJANGO = Django>=6.1,<6.2
# Mail by MAILERS is not in Django 5.2.
NEXT_ALLOWS = -W "ignore:The EMAIL_" -W "ignore:get_connection() is deprecated"

.venv-next/dev.stamp: requirements.txt requirements-postgres.txt requirements-dev.txt
	@$(NEXT_PYTHON) -c pass 2>/dev/null || { \
	  echo "This needs $(NEXT_PYTHON). Another one: make next NEXT_PYTHON=python3.14" >&2; exit 1; }
	@$(NEXT_PYTHON) -m venv .venv-next
	@echo "Installing $(NEXT_DJANGO) and what $^ list …"
	@sed -s '/^-r /d; s/^Django==[^ ]*/$(NEXT_DJANGO)/' $^ >.venv-next/requirements.txt
	@.venv-next/bin/python -m pip install --quiet --disable-pip-version-check --requirement .venv-next/requirements.txt
	@touch $@
