# Everything from a fresh machine that has Python 3.11+ and make. Repeats in seconds: stamps remember what is done.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := .make
EXAMPLE ?= ml-platform

.PHONY: demo test check notebooks wheel bench browser schemas docs course clean

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "tenancykit needs Python 3.11 or newer; set PYTHON=/path/to/python3.11"; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(STAMPS)/run: pyproject.toml constraints.txt | $(VENV)/bin/python
	@mkdir -p $(STAMPS)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(STAMPS)/lab: $(STAMPS)/run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[lab]'
	@touch $@

$(STAMPS)/dev: $(STAMPS)/run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,distributed]'
	@touch $@

# The first comparison: ranking, reason for first place, manifests and decision record.
demo: $(STAMPS)/run
	@$(BIN)/tenancykit compare examples/$(EXAMPLE)/scenario.yaml
	@$(BIN)/tenancykit export examples/$(EXAMPLE)/scenario.yaml --to out/$(EXAMPLE)
	@echo
	@echo "Next: make notebooks   (installs JupyterLab and opens notebooks/01-quickstart.ipynb)"

# Opens the notebooks in JupyterLab; installs what they need and no test tools.
notebooks: $(STAMPS)/lab
	$(BIN)/tenancykit lab

# Every gate: lint, types, layers, tests, notebooks, the wheel alone in a clean environment.
test: check
	$(BIN)/python -m pytest -q -n auto --dist loadfile -m "not whole and not browser"
	$(BIN)/python -m pytest -q -n auto --dist loadfile -m browser tests
	$(BIN)/python -m pytest -q -n auto --dist loadfile --nbval-lax --nbval-cell-timeout=120 notebooks
	@$(MAKE) --no-print-directory wheel

check: $(STAMPS)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/bandit -q -c pyproject.toml -r toolkit
	$(BIN)/python -m pytest -q tests/test_rules_of_security.py

# Builds the wheel and runs it alone in a new environment, outside the checkout.
wheel: $(STAMPS)/dev
	@rm -rf dist $(STAMPS)/alone
	$(BIN)/python -m build --wheel --outdir dist . >/dev/null
	$(PYTHON) -m venv $(STAMPS)/alone
	$(STAMPS)/alone/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt dist/*.whl
	cd / && $(CURDIR)/$(STAMPS)/alone/bin/tenancykit compare ml-platform >/dev/null
	@echo "wheel: tenancykit compare ml-platform runs alone in a clean environment"

# Hostile inputs for as long as one likes; what breaks something stays in tests/fuzz/corpus.
MINUTES ?= 10
fuzz: $(STAMPS)/dev
	$(BIN)/python -m tests.fuzz --minutes $(MINUTES)

# Published advisories on what is installed; needs pip-audit and a database it can reach, and says so where it has none.
# ADVISORIES=FOLDER looks into a checkout of github.com/pypa/advisory-database instead, offline.
audit: $(STAMPS)/dev
	@if [ -n "$(ADVISORIES)" ]; then exec $(BIN)/python -m tests.advisories constraints.txt "$(ADVISORIES)"; fi; \
	$(BIN)/python -m pip_audit --version >/dev/null 2>&1 || { echo "audit skipped: pip-audit is not installed (pip install pip-audit)"; exit 0; }; \
	told=$$($(BIN)/python -m pip_audit --progress-spinner off -r constraints.txt --no-deps --disable-pip 2>&1); came=$$?; \
	left=$$(echo "$$told" | grep -c 'could not be audited'); \
	if [ $$left -gt 0 ]; then \
	  echo "$$told" | grep -v 'could not be audited\|No known vulnerabilities\|^WARNING\|^Name  *Skip\|^-*  *-*$$'; \
	  echo "audit: the database knew nothing of $$left of $$(grep -c == constraints.txt) packages, so this says nothing about them"; \
	else echo "$$told"; fi; \
	[ $$came -eq 0 ] || echo "audit: advisories above, or no database could be reached (then this says nothing)"

# Versions, prices, support windows and evidence that are older than they claim; once a month.
freshness: $(STAMPS)/run
	@$(BIN)/tenancykit catalogue freshness || true

bench: $(STAMPS)/dev
	@for script in benchmarks/[a-z]*_*.py; do $(BIN)/python $$script --json || exit 1; done

browser: $(STAMPS)/dev
	$(BIN)/python -m pytest -q -n auto --dist loadfile -m browser tests

# The docs site in docs/_build, built offline; warnings are errors, links are followed. DOCS_NOTEBOOKS=off leaves notebooks unexecuted.
docs: $(STAMPS)/docs
	$(BIN)/python -m sphinx -q -W --keep-going -j 2 -b html docs docs/_build/html
	$(BIN)/python docs/links.py docs/_build/html
	@echo "docs: open docs/_build/html/index.html"

# The course's slides and two-page handout, to print from a browser.
course: $(STAMPS)/run
	$(BIN)/python docs/course.py out/course

$(STAMPS)/docs: $(STAMPS)/dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	@touch $@

# Rewrites the generated JSON Schemas; a test demands that they are current.
schemas: $(STAMPS)/dev
	$(BIN)/python -m tenancykit.schemas

clean:
	rm -rf $(VENV) $(STAMPS) dist build out docs/_build docs/_generated
