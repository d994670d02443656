PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := . $(wildcard plugins/*)
PROJECTS := pyproject.toml $(wildcard plugins/*/pyproject.toml)
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test test-slow docs clean

demo: $(VENV)/installed  ## install, then train and test DeepMTS on the simulated cohort
	$(BIN)/mtsbench run --model deepmts --dataset npc --preset demo

test: $(VENV)/installed-test  ## install, then check style, types and behaviour
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python -m pytest

test-slow: $(VENV)/installed-test  ## the tests that take minutes
	$(BIN)/python -m pytest -m slow

docs: $(VENV)/installed-test  ## the documents as a site, in `site/`
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

clean:
	rm -rf $(VENV) runs site

$(VENV)/installed: requirements.txt $(PROJECTS)
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) -r requirements.txt
	$(INSTALL) --no-deps --no-build-isolation $(addprefix -e ,$(PACKAGES))
	touch $@

$(VENV)/installed-test: requirements-test.txt requirements-docs.txt $(VENV)/installed
	$(INSTALL) -r requirements-test.txt
	touch $@
