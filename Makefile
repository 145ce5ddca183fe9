# Phủ Sóng: `make demo` runs the main job on an embedded sample, `make test` passes the tests.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: demo test cluster-test check docs lock format soak clean

demo: $(STAMP)
	$(BIN)/phusong demo demo

test: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile

# On a Spark cluster of this machine: needs Java, and PySpark (pip install -r .ci/requirements-spark.lock).
cluster-test: $(STAMP)
	$(BIN)/python -m pytest -m cluster

# Long rounds: many more made files, and what only shows after hours.
soak: $(STAMP)
	$(BIN)/python -m pytest -n 2 -m soak --timeout 0

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# The page of table contracts is made from the contracts themselves.
docs: $(STAMP)
	$(BIN)/python docs/make_tables.py > docs/tables.md
	$(BIN)/python docs/make_formats.py > docs/formats.md

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Pin everything again, with hashes and without naming any index.
lock: $(STAMP)
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate --no-emit-index-url --no-emit-find-links --quiet -o requirements.lock
	echo 'pyspark>=4' | $(BIN)/uv pip compile - --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate --no-emit-index-url --no-emit-find-links --quiet -o .ci/requirements-spark.lock

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Phủ Sóng needs Python 3.11 or newer")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $(STAMP)

clean:
	rm -rf demo .venv .mypy_cache .pytest_cache .ruff_cache
