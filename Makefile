# The everyday commands. GNU make 3.81, which macOS ships, has to read this file:
# no .ONESHELL, no .SHELLFLAGS, no grouped targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

PYTHON ?= $(shell command -v python3.11 || command -v python3)
LOCAL := .tidemark
STAMPS := $(LOCAL)/stamps
VENVS := $(LOCAL)/venv
JARS := $(LOCAL)/jars
UV := $(LOCAL)/tools/bin/uv
TIDEMARK := $(VENVS)/spark/bin/tidemark

# uv takes the Python it is given, never one that it downloads.
export UV_PYTHON_DOWNLOADS := never

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-20s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- set-up: each step leaves a stamp, so that the second time is offline and takes no time -------------------------

.PHONY: setup setup-test setup-s3 doctor
setup: $(addprefix $(STAMPS)/,venv-spark venv-flink venv-airflow jars-spark jars-flink postgres-17 built classes-spark classes-flink) ## Install everything that the demo needs, into .tidemark/
setup-test: setup-s3 $(addprefix $(STAMPS)/,test-spark test-flink test-airflow venv-infra venv-scan venv-deploy postgres-15 postgres-18 kubernetes-schemas) ## Install what the tests need besides
setup-s3: setup $(addprefix $(STAMPS)/,jars-spark-s3 plugin-flink-s3 classes-spark-s3) ## Install the jars for a lake on S3
doctor: ## Say what this machine lacks, and how to get it
	@$(or $(PYTHON),python3) infra/local/doctor.py

$(STAMPS):
	@mkdir -p $@ $(LOCAL)/logs

$(STAMPS)/uv: infra/local/requirements-uv.lock | $(STAMPS)
	@$(or $(PYTHON),python3) infra/local/doctor.py --quiet
	@echo "setup: uv"
	@$(PYTHON) -m venv --clear $(LOCAL)/tools
	@$(LOCAL)/tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

# The lock of the tools holds uv too, in the same version: sync leaves it alone.
$(STAMPS)/tools: infra/local/requirements.lock $(STAMPS)/uv
	@echo "setup: the tools of make lint"
	@$(UV) pip sync --quiet --python $(LOCAL)/tools --require-hashes $<
	@touch $@

# $(call environment,<environment>,<lock>,<parts>)
# What comes as source only is built with the pinned build-requirements, and so are the parts.
BUILD := --build-constraints infra/local/requirements-build.lock
define environment
@echo "setup: the $(1) environment"
@$(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENVS)/$(1)
@$(UV) pip sync --quiet --python $(VENVS)/$(1) --require-hashes $(BUILD) $(2)
@$(UV) pip install --quiet --python $(VENVS)/$(1) --no-deps $(BUILD) $(addprefix --editable ./,$(3))
@touch $@
endef

$(STAMPS)/venv-spark: jobs/requirements.lock infra/local/requirements-build.lock $(foreach part,contract source jobs console,$(part)/pyproject.toml) | $(STAMPS)/uv
	$(call environment,spark,$<,contract source jobs console)
$(STAMPS)/venv-flink: streaming/requirements.lock infra/local/requirements-build.lock $(foreach part,contract streaming,$(part)/pyproject.toml) | $(STAMPS)/uv
	$(call environment,flink,$<,contract streaming)
$(STAMPS)/venv-airflow: orchestration/requirements.lock infra/local/requirements-build.lock $(foreach part,contract orchestration,$(part)/pyproject.toml) | $(STAMPS)/uv
	$(call environment,airflow,$<,contract orchestration)

# For tests/infra: two AWS on loopback; and the scanner of Terraform files, which wants other versions than they.
$(STAMPS)/venv-infra: tests/infra/requirements.lock infra/local/requirements-build.lock $(foreach part,contract orchestration,$(part)/pyproject.toml) | $(STAMPS)/uv
	$(call environment,infra,$<,contract orchestration)
$(STAMPS)/venv-scan: tests/infra/scan/requirements.lock infra/local/requirements-build.lock | $(STAMPS)/uv
	@echo "setup: the scanner of Terraform files"
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENVS)/scan
	@$(UV) pip sync --quiet --python $(VENVS)/scan --require-hashes $(BUILD) $<
	@touch $@

# A test lock holds its runtime lock, version by version (-c), so installing it only adds.
$(STAMPS)/test-spark: jobs/requirements-test.lock
$(STAMPS)/test-flink: streaming/requirements-test.lock
$(STAMPS)/test-airflow: orchestration/requirements-test.lock
$(STAMPS)/test-%: $(STAMPS)/venv-%
	@echo "setup: the test tools of the $* environment"
	@$(UV) pip install --quiet --python $(VENVS)/$* --require-hashes $(BUILD) -r $(filter %.lock,$^)
	@touch $@

# A folder of jars is replaced as a whole: nothing old stays on a class path.
$(STAMPS)/jars-spark: jobs/jars/pom.xml jobs/jars/SHA256SUMS | $(STAMPS)/uv
	@echo "setup: the jars of Spark"
	@$(PYTHON) infra/local/artifacts.py jars $< $(JARS)/spark
	@touch $@
$(STAMPS)/jars-spark-s3: jobs/jars/s3/pom.xml jobs/jars/s3/SHA256SUMS | $(STAMPS)/uv
	@echo "setup: the S3 jars of Spark"
	@$(PYTHON) infra/local/artifacts.py jars $< $(JARS)/spark-s3
	@touch $@
$(STAMPS)/jars-flink: streaming/jars/pom.xml streaming/jars/SHA256SUMS | $(STAMPS)/uv
	@echo "setup: the jars of Flink"
	@$(PYTHON) infra/local/artifacts.py jars $< $(JARS)/flink
	@touch $@
$(STAMPS)/plugin-flink-s3: streaming/jars/s3/pom.xml streaming/jars/s3/SHA256SUMS | $(STAMPS)/uv
	@echo "setup: the S3 plugin of Flink"
	@$(PYTHON) infra/local/artifacts.py jars $< $(LOCAL)/plugins/flink/s3-fs-hadoop
	@touch $@
$(STAMPS)/kubernetes-schemas: tests/kubernetes/schemas/pom.xml tests/kubernetes/schemas/SHA256SUMS | $(STAMPS)/uv
	@echo "setup: the schemas of Flink's operator"
	@$(PYTHON) infra/local/artifacts.py jars $< $(JARS)/kubernetes-schemas
	@touch $@
$(STAMPS)/postgres-%: infra/local/postgres/SHA256SUMS | $(STAMPS)/uv
	@echo "setup: PostgreSQL $*"
	@$(PYTHON) infra/local/artifacts.py postgres $* $(LOCAL)/postgres/$*
	@touch $@

# --- our own Java: built when its sources are newer than its jar ----------------------------------------------------

CONNECTOR := streaming/connector/target/flink-connector-pgoutput-0.1.0.jar
SPARK_JAVA := jobs/java/target/tidemark-spark-0.1.0.jar
BUILT :=
ifneq ($(wildcard streaming/connector/pom.xml),)
BUILT += $(JARS)/flink/$(notdir $(CONNECTOR))
endif
ifneq ($(wildcard jobs/java/pom.xml),)
BUILT += $(JARS)/spark/$(notdir $(SPARK_JAVA))
endif

$(STAMPS)/built: $(BUILT) | $(STAMPS)
	@touch $@

# $(call package,<module>): what Maven says is shown when it fails; some print codes for colours whatever they are told.
define package
@echo "setup: building $(notdir $@)"
@mvn -B -q -Dmaven.test.skip=true -f $(1) package </dev/null >$(LOCAL)/logs/$(notdir $@).log 2>&1 || { cat $(LOCAL)/logs/$(notdir $@).log >&2; exit 1; }
@touch $@
endef

$(CONNECTOR): $(shell find streaming/connector/pom.xml streaming/connector/src/main -type f 2>/dev/null) | $(STAMPS)
	$(call package,streaming/connector)
$(SPARK_JAVA): $(shell find jobs/java/pom.xml jobs/java/src/main -type f 2>/dev/null) | $(STAMPS)
	$(call package,jobs/java)
# By a new file and a rename: a JVM that runs keeps the jar that it has open.
$(JARS)/flink/$(notdir $(CONNECTOR)): $(CONNECTOR) $(STAMPS)/jars-flink
	@cp $< $@.new && mv $@.new $@
$(JARS)/spark/$(notdir $(SPARK_JAVA)): $(SPARK_JAVA) $(STAMPS)/jars-spark
	@cp $< $@.new && mv $@.new $@

# Half of what a local Spark costs until its first result is the loading of its classes; of Flink, a quarter.
$(STAMPS)/classes-spark: $(STAMPS)/venv-spark $(JARS)/spark/$(notdir $(SPARK_JAVA)) infra/local/spark_classes.py
	@echo "setup: an archive of Spark's classes"
	@$(VENVS)/spark/bin/python infra/local/spark_classes.py file:/// 2>$(LOCAL)/logs/$(@F).log || { tail -n 3 $(LOCAL)/logs/$(@F).log >&2; exit 1; }
	@touch $@
$(STAMPS)/classes-spark-s3: $(STAMPS)/classes-spark $(STAMPS)/jars-spark-s3
	@echo "setup: an archive of Spark's classes for S3"
	@AWS_REGION=none $(VENVS)/spark/bin/python infra/local/spark_classes.py s3://none/ 2>$(LOCAL)/logs/$(@F).log || { tail -n 3 $(LOCAL)/logs/$(@F).log >&2; exit 1; }
	@touch $@
# Our connector is not in it: it may be built again as often as one likes.
$(STAMPS)/classes-flink: $(STAMPS)/venv-flink $(STAMPS)/jars-flink infra/local/flink_classes.py | $(STAMPS)/built
	@echo "setup: the archives of Flink's classes"
	@$(VENVS)/flink/bin/python infra/local/flink_classes.py 2>$(LOCAL)/logs/$(@F).log || { tail -n 3 $(LOCAL)/logs/$(@F).log >&2; exit 1; }
	@touch $@

# --- images ---------------------------------------------------------------------------------------------------------

# TAG is what charts and pods name them by; a release's is its git sha.
TAG ?= local
IMAGES := airflow flink spark
.PHONY: images $(addprefix image-,$(IMAGES))
images: $(addprefix image-,$(IMAGES)) ## Build the images of Airflow, of the stream and of the jobs; TAG=…
$(addprefix image-,$(IMAGES)): setup-s3
	@echo "image: tidemark-$(@:image-%=%):$(TAG)"
	@infra/images/build.sh $(@:image-%=%) tidemark-$(@:image-%=%):$(TAG)

# For a Spark that is not ours; CLUSTER_PYTHON is where that one has its Python 3.11.
CLUSTER_PYTHON ?= /usr/bin/python3.11
.PHONY: package
package: setup ## Put together what spark-submit on EMR needs, in the new folder PACKAGE=…
	@test -n "$(PACKAGE)" || { echo "package: PACKAGE is not set: make package PACKAGE=build/spark names a new folder" >&2; exit 78; }
	@infra/images/package.sh "$(PACKAGE)" "$(CLUSTER_PYTHON)"
	@echo "package: $(PACKAGE)"

# Or docker-compose, of any version that is not the first.
DOCKER_COMPOSE ?= docker compose
AIRFLOW_IMAGE ?= tidemark-airflow:local
COMPOSED := $(LOCAL)/compose
COMPOSE = $(DOCKER_COMPOSE) --env-file $(COMPOSED)/.env --file infra/compose/compose.yaml

# --- using it: ARGS are handed on, as in `make demo ARGS="--rows 1000"` ---------------------------------------------

.PHONY: demo up status down prove fuzz bench compose-up compose-down compose-rotate compose-backup compose-restore
demo: setup ## Mirror a shop database on this machine, and prove the mirror; ORCHESTRATED=1 through Airflow
	@$(TIDEMARK) demo $(if $(ORCHESTRATED),--airflow) $(ARGS)
up: setup ## Start everything on this machine, Airflow too
	@$(TIDEMARK) up --airflow $(ARGS)
status: setup ## Say what runs, and how far behind it is
	@$(TIDEMARK) status $(ARGS)
down: setup ## Stop what `make up` started
	@$(TIDEMARK) down $(ARGS)
compose-up: ## Start Airflow with a Celery worker in containers, on loopback; COMPOSE_PROFILES=flower adds Flower
	@echo "compose: the image (the first time, some minutes)"
	@infra/images/build.sh airflow $(AIRFLOW_IMAGE) >/dev/null
	@$(PYTHON) infra/compose/prepare.py $(COMPOSED) $(if $(TIDEMARK_SPECS),--specs "$(TIDEMARK_SPECS)")
	@TIDEMARK_AIRFLOW_IMAGE=$(AIRFLOW_IMAGE) $(COMPOSE) up --detach --wait $(ARGS)
	@$(PYTHON) infra/compose/prepare.py $(COMPOSED) --tell
compose-down: ## End it; the data stays, unless ARGS=--volumes
	@$(COMPOSE) --profile '*' down $(ARGS)
compose-rotate: ## Draw a new Fernet key, encrypt anew what Airflow keeps, and forget the old key
	@$(PYTHON) infra/compose/prepare.py $(COMPOSED) --fernet add
	@$(COMPOSE) up --detach --wait
	@$(COMPOSE) exec -T scheduler airflow rotate-fernet-key
	@$(PYTHON) infra/compose/prepare.py $(COMPOSED) --fernet drop
	@$(COMPOSE) up --detach --wait
# Whole or not at all; it holds what passwords are checked against, so only we may read it.
compose-backup: ## Write all that Airflow knows into FILE
	@test -n "$(FILE)" || { echo "compose: FILE is not set: make compose-backup FILE=airflow.dump" >&2; exit 78; }
	@umask 077; $(COMPOSE) exec -T postgres sh -c 'exec pg_dump --format custom --username "$$POSTGRES_USER" "$$POSTGRES_DB"' > "$(FILE).new"
	@mv "$(FILE).new" "$(FILE)"
compose-restore: ## Read FILE into an empty database, after `make compose-down ARGS=--volumes`; then `make compose-up`
	@test -s "$(FILE)" || { echo "compose: FILE has to be a backup: make compose-restore FILE=airflow.dump" >&2; exit 78; }
	@$(COMPOSE) up --detach --wait postgres
	@$(COMPOSE) exec -T postgres sh -c 'exec pg_restore --exit-on-error --single-transaction --username "$$POSTGRES_USER" --dbname "$$POSTGRES_DB"' < "$(FILE)"
prove: setup-test ## Run the long counts: many courses of kills; SEEDS="1 2" TIDEMARK_ROUNDS=5 choose
	@infra/local/prove.sh
fuzz: setup-test ## Random tables, writes, schema changes and faults for MINUTES=5; SEED=… plays the same again
	@SEED="$(SEED)" MINUTES="$(MINUTES)" $(VENVS)/spark/bin/python -m tests.fuzz
bench: setup-test ## Measure it against what else one would take; ARGS=small runs one of stream copy sync verify small parse
	@$(VENVS)/spark/bin/python -m tests.bench $(ARGS)

# --- deploying it: ENV is a folder of infra/terraform/environments, SPECS that with <source>/source.yaml ------------

SPECS ?= specs
DEPLOY = $(VENVS)/deploy/bin/python -m infra.deploy $(1) --env "$(ENV)" --specs "$(SPECS)" $(if $(RELEASE),--release "$(RELEASE)") \
  $(if $(KUBECONFIG_FILE),--kubeconfig "$(KUBECONFIG_FILE)") $(if $(SOURCE),--source "$(SOURCE)") $(if $(PATIENCE),--patience "$(PATIENCE)")
STEPS := images infrastructure dags cluster init stream airflow verify

$(STAMPS)/venv-deploy: infra/deploy/requirements.lock infra/local/requirements-build.lock contract/pyproject.toml | $(STAMPS)/uv
	$(call environment,deploy,$<,contract)

.PHONY: plan deploy destroy needs-env $(addprefix deploy-,$(STEPS))
plan: needs-env $(STAMPS)/venv-deploy ## Say what a deployment would change: make plan ENV=dev SPECS=specs
	@$(call DEPLOY,plan)
deploy: needs-env $(STAMPS)/venv-deploy setup-s3 ## All of it: images, Terraform, charts, DAG files, a proof; ENV=dev SPECS=specs
	@$(call DEPLOY,deploy)
$(addprefix deploy-,$(STEPS)): needs-env $(STAMPS)/venv-deploy setup-s3
	@$(call DEPLOY,$(@:deploy-%=%))
deploy-images: ## One step; likewise deploy-infrastructure -dags -cluster -init -stream -airflow -verify; SOURCE=… of one source
# `make submit-sync ENV=dev SOURCE=shop`; ARGS are the job's own.
submit-%: needs-env $(STAMPS)/venv-deploy setup
	@$(call DEPLOY,submit) -- $* --source "$(SOURCE)" $(ARGS)
destroy: needs-env $(STAMPS)/venv-deploy ## Take all of an environment away; CONFIRM=prod where it is not for trying out
	@$(call DEPLOY,destroy) --confirm "$(CONFIRM)"
needs-env:
	@test -n "$(ENV)" || { echo "deploy: ENV is not set: make $(MAKECMDGOALS) ENV=dev names a folder of infra/terraform/environments" >&2; exit 78; }

# --- checking it ---------------------------------------------------------------------------------------------------

PARTS := contract source streaming jobs console orchestration
SUITES := $(PARTS) e2e weather exactness integration compose infra kubernetes deploy connector spark-java

.PHONY: test $(addprefix test-,$(SUITES)) lint format docs locks clean
test: setup-test ## Run all tests, each part in its own environment
	@infra/local/test.sh
$(addprefix test-,$(SUITES)): setup-test
	@infra/local/test.sh $(patsubst test-%,%,$@)
test-contract: ## Run one suite; likewise source streaming jobs console orchestration connector spark-java e2e weather exactness integration compose infra, and kubernetes and deploy, which then have their cluster too

lint: $(STAMPS)/tools $(addprefix $(STAMPS)/,test-spark test-flink test-airflow venv-infra venv-deploy) ## Check style, types, Dockerfiles and who may import whom
	@infra/local/lint.sh
format: $(STAMPS)/tools ## Rewrite the Python files in the project's style
	@$(LOCAL)/tools/bin/ruff check --quiet --fix-only .
	@$(LOCAL)/tools/bin/ruff format .
docs: $(STAMPS)/test-spark $(STAMPS)/venv-airflow ## Render docs/types.md from the contract, docs/trigger-rules.md from Airflow, docs/access.md from its test, a picture from compose.yaml, exactness.md and guarantees.md from the tests
	@$(VENVS)/spark/bin/python -m tidemark_contract.types_page > docs/types.md.new && mv docs/types.md.new docs/types.md
	@$(VENVS)/spark/bin/python -m tests.exactness.page > docs/exactness.md.new && mv docs/exactness.md.new docs/exactness.md
	@$(VENVS)/spark/bin/python -m tests.guarantees > docs/guarantees.md.new && mv docs/guarantees.md.new docs/guarantees.md
	@$(VENVS)/spark/bin/python -m tests.platform > docs/platform.md.new && mv docs/platform.md.new docs/platform.md
	@$(VENVS)/airflow/bin/python -W ignore -m tests.orchestration.trigger_rules > docs/trigger-rules.md.new && mv docs/trigger-rules.md.new docs/trigger-rules.md
	@$(VENVS)/spark/bin/python -m tests.orchestration.access > docs/access.md.new && mv docs/access.md.new docs/access.md
	@$(VENVS)/spark/bin/python -m infra.compose.picture > docs/orchestration.md.new && mv docs/orchestration.md.new docs/orchestration.md

locks: $(STAMPS)/uv ## Solve all requirements anew; `make locks ARGS=--upgrade` moves what is not pinned
	@infra/local/locks.sh $(ARGS)

clean: ## Stop what runs and remove everything local
	@if [ -x $(TIDEMARK) ]; then $(TIDEMARK) down >/dev/null 2>&1 || echo "clean: nothing to stop"; fi
	@# A root's PostgreSQL data may stand behind a link, see console/src/tidemark/local/postgres.py.
	@if [ -d $(LOCAL) ]; then find $(LOCAL) -type l -lname '*/tidemark-postgres-*' -exec sh -c 'rm -rf "$$(readlink "$$1")"' - {} \; ; fi
	@if [ -e $(COMPOSED)/.env ]; then $(COMPOSE) --profile '*' down --volumes; fi
	@rm -rf $(LOCAL) streaming/connector/target jobs/java/target
