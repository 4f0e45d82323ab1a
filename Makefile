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

PICTURES ?= test/image/5.png

.PHONY: help setup run predict app notebook check test style figures weights
.DEFAULT_GOAL := help

##@ To use it

help:  ## list the commands
	@awk -F ':.*## ' '/^##@/ {printf "%s%s\n", sep, substr($$0, 5); sep = "\n"} \
		/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

setup: $(VENV)/.installed  ## create .venv and install what the notebooks need

run: setup  ## train, score and draw: runs the main notebook from top to bottom
	@$(BIN)/python -m tools.notebook $(NOTEBOOK) $(PARAMETERS)

predict: setup  ## outline lesions: make predict PICTURES="a.jpg b.jpg"
	@$(BIN)/python segment.py predict $(PICTURES)

app: $(VENV)/.installed-app  ## outline, correct and compare on a page in the browser
	@$(BIN)/python -m lesion.app

notebook: setup  ## open the notebooks in JupyterLab
	$(BIN)/python -m jupyter lab

##@ To work on it

# One process a core; each takes from the others' tests when its own are done.
PYTEST = $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal

check: style  ## check style, layers and what is quick to test, in one or two minutes
	$(PYTEST) -m "not slow"

test: style  ## check style and layers, run every test
	$(PYTEST)

style: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

figures: setup  ## draw the figures of the README anew, into Images/
	$(BIN)/python -m tools.figures

# Dermatoscope pictures first, coarse and then finer; then, from there, phone photographs with them,
# the weights averaged. ISIC counts three times, because HAM10000 is five times as large; phone
# photographs six times, because they are few.
# Each step goes on where it was interrupted, and is passed over once it has ended.
# SEED sets both the chance in training and the lesions of HAM10000 set apart as a test; what is
# trained with it lies in a folder of its own.
WEIGHTS := runs/weights
SEED := 0
SEEDED = $(WEIGHTS)/seed$(SEED)
DERMOSCOPY = $(ISIC) $(ISIC) $(ISIC) $(HAM10000)
PHONE = $(PAD_UFES) $(PAD_UFES) $(PAD_UFES) $(PAD_UFES) $(PAD_UFES) $(PAD_UFES)
TRAIN = $(BIN)/python segment.py train --model lite --batch 16 --resume --seed $(SEED) \
	--loss bce_dice --validation 0.1 --test 0.1
FIRST = --learning-rate 7.5e-4 --averaging 0 --data $(DERMOSCOPY) $(WEIGHTS)/drawn6000
THEN = --learning-rate 5e-4 --averaging 0.1 --data $(DERMOSCOPY) $(PHONE) $(WEIGHTS)/drawn4000
weights: setup  ## train the weights in files/ anew: make weights ISIC=DIR HAM10000=DIR PAD_UFES=DIR
	@test -n "$(ISIC)" -a -n "$(HAM10000)" -a -n "$(PAD_UFES)" || { \
		echo "Name the data folders: make weights ISIC=DIR HAM10000=DIR PAD_UFES=DIR"; exit 2; }
	for count in 6000 4000; do test -f $(WEIGHTS)/drawn$$count/label/$$((count - 1)).png || { \
		rm -rf $(WEIGHTS)/drawn$$count; $(BIN)/python -m lesion.drawn --count $$count --size 192 \
		--seed 3000000 --out $(WEIGHTS)/drawn$$count || exit 1; }; done
	test -f $(SEEDED)/128/report.html || $(TRAIN) $(FIRST) --size 128 --epochs 3 --out $(SEEDED)/128
	test -f $(SEEDED)/192/report.html || $(TRAIN) $(FIRST) --size 192 --epochs 4 \
		--start-from $(SEEDED)/128/model.keras --out $(SEEDED)/192
	test -f $(SEEDED)/phone/report.html || $(TRAIN) $(THEN) --size 192 --epochs 4 \
		--start-from $(SEEDED)/192/model.keras --out $(SEEDED)/phone
	$(BIN)/python -m tools.publish $(SEEDED)/phone $(SEEDED)/lite --license cc-by-nc-4.0

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

$(VENV)/.installed-app: requirements-app.txt $(VENV)/.installed
	@echo "Installing the page's packages into $(VENV), about 200 MB, once"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-app.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt requirements-app.txt requirements-cluster.txt \
		requirements-export.txt $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt \
		-r requirements-app.txt -r requirements-cluster.txt -r requirements-export.txt
	@# The ISIC challenge's scorer needs a C compiler; without one the tests against it are skipped.
	-@$(BIN)/python -m pip install --quiet --disable-pip-version-check "$(SCORER)" \
		|| echo "$(SCORER) could not be installed: tests against the official scorer are skipped"
	@touch $@
