# make demo    install, classify the samples, then serve on http://localhost:8000 (SERVE=0: only print)
# make test    install what is missing, then the whole suite
# make bench   speed beside what one would use instead, held to the baseline (about 10 minutes)
# make bench-real  our answers on public and real texts, where DATA has them
# make check   what `make test` runs before pytest: format, lint, types, floors
PYTHON ?= python3
FILE ?= corpus/samples/chi-thi-mau.md corpus/samples/y-kien-mau.jsonl
SERVE ?= 1
PORT ?= 8000
DATA ?= ../shared/data
VENV := .venv
BIN := $(VENV)/bin
PIP_INDEX := $(if $(TORCH_INDEX_URL),--extra-index-url $(TORCH_INDEX_URL))

.PHONY: demo test check train bench bench-real vendor clean

$(VENV)/.installed: pyproject.toml
	@echo "==> Installing danvan into $(VENV) (first time about 2 minutes)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install -qq --upgrade pip
	@$(BIN)/pip install -qq --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@echo "==> Installing what the tests need, torch and transformers among it (first time about 4 minutes)"
	@$(BIN)/pip install -qq $(PIP_INDEX) --editable ".[dev,postgres,transformer]"
	@touch $@

demo: $(VENV)/.installed
	@echo "==> Reading $(FILE) (a few seconds)"
	@$(BIN)/danvan demo $(FILE) --port $(PORT) $(if $(filter 0,$(SERVE)),--no-serve)

check: $(VENV)/.installed-dev
	$(BIN)/ruff format --check nlp models service tests
	$(BIN)/ruff check nlp models service tests
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check
	@echo "==> The whole suite, two tests at a time (about 20 minutes)"
	$(BIN)/pytest -n 2 --dist loadfile

train: $(VENV)/.installed
	$(BIN)/danvan train models/recipes/default.toml

bench: $(VENV)/.installed-dev
	@$(BIN)/pip install -qq --editable ".[bench]"
	@$(BIN)/python -m tests.benchmarks.speed

bench-real: $(VENV)/.installed-dev
	@$(BIN)/python -m tests.benchmarks.published $(DATA)/bench
	@$(BIN)/python -m tests.benchmarks.documents $(DATA)
	@$(BIN)/python -m tests.benchmarks.real $(DATA)

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist

# Fetches again what is vendored, for who raises a version.
vendor:
	@set -e; folder=$$(mktemp -d); cd $$folder; \
	npm pack --silent htmx.org@2.0.11 @picocss/pico@2.1.1 echarts@6.1.0 axe-core@4.14.1 >/dev/null; \
	for file in *.tgz; do mkdir $${file%.tgz}; tar xzf $$file -C $${file%.tgz} --strip-components 1; done; \
	to=$(CURDIR)/service/ui/static/vendor; \
	cp htmx.org-*/dist/htmx.min.js picocss-pico-*/css/pico.min.css echarts-*/dist/echarts.common.min.js $$to; \
	cp echarts-*/i18n/langVI.js $$to/echarts.langVI.js; cp echarts-*/LICENSE $$to/echarts.LICENSE; \
	cp echarts-*/NOTICE $$to/echarts.NOTICE; cp htmx.org-*/LICENSE $$to/htmx.LICENSE; \
	cp picocss-pico-*/LICENSE.md $$to/pico.LICENSE; \
	cp axe-core-*/axe.min.js $(CURDIR)/tests/browser/vendor; cp axe-core-*/LICENSE $(CURDIR)/tests/browser/vendor/axe.LICENSE; \
	rm -r $$folder
