# `make help` lists the commands. Each is safe to repeat; packages are installed again only when
# a requirements file changed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SCORER := isic-challenge-scoring>=5.6,<6
NOTEBOOK := notebooks/skin_lesion_segmentation.ipynb

# What is set on the command line replaces a constant of the notebook: make run EPOCHS=300
PARAMETERS := $(strip $(foreach name,$(filter-out PYTHON VENV BIN NOTEBOOK SCORER,$(.VARIABLES)),\
	$(if $(findstring command line,$(origin $(name))),"$(name)=$($(name))")))

.PHONY: help setup run notebook test figures
.DEFAULT_GOAL := help

help:  ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' Makefile

setup: $(VENV)/.installed  ## create .venv and install what the notebooks need

run: setup  ## train, score and draw: runs the main notebook from top to bottom
	@$(BIN)/python run_notebook.py $(NOTEBOOK) $(PARAMETERS)

notebook: setup  ## open the notebooks in JupyterLab
	$(BIN)/python -m jupyter lab

test: $(VENV)/.installed-dev  ## check style and run every test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest

figures: setup  ## draw the figures of the README anew, into Images/
	$(BIN)/python make_figures.py

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { \
		echo "Python 3.11, 3.12 or 3.13 is needed, found: $$($(PYTHON) --version 2>&1)."; \
		echo "Name another one, for example: make setup PYTHON=python3.12"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: requirements.txt $(VENV)/.created
	@echo "Installing packages into $(VENV), about 2 GB, once"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@# The ISIC challenge's scorer needs a C compiler; without one the tests against it are skipped.
	-@$(BIN)/python -m pip install --quiet --disable-pip-version-check "$(SCORER)" \
		|| echo "$(SCORER) could not be installed: tests against the official scorer are skipped"
	@touch $@
