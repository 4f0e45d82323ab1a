# `make help` lists the commands. Each is safe to repeat; packages are installed again only when
# a requirements file changed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NOTEBOOK := notebooks/skin_lesion_segmentation.ipynb
# Each training writes into a new folder.
RUN := runs/$(shell date +%Y%m%d-%H%M%S)-notebook

export TF_CPP_MIN_LOG_LEVEL ?= 2

# Set on the command line, these replace the constants of the notebook: make run EPOCHS=200
PARAMETERS := $(foreach name,DATA EPOCHS BATCH_SIZE IMAGE_SIZE MODEL LOSS SEED,\
	$(if $($(name)),-p $(name) "$($(name))"))

.PHONY: help setup run notebook test lint figures
.DEFAULT_GOAL := help

help:  ## list the commands
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/make \1\t\2/' | expand -t 18

setup: $(VENV)/.installed  ## create .venv and install what the notebooks need

run: setup  ## train, score and draw: runs the main notebook from top to bottom
	@mkdir -p "$(RUN)"
	@echo "Running $(NOTEBOOK); results go to $(RUN)"
	@$(BIN)/papermill --log-output --no-progress-bar --cwd . -p RUN_FOLDER "$(RUN)" $(PARAMETERS) \
		$(NOTEBOOK) "$(RUN)/notebook.ipynb"

notebook: setup  ## open the notebooks in JupyterLab
	$(BIN)/jupyter lab notebooks

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
	@touch $@
