# The gateway: renders the mounted LanguageModel, loads its keys, and serves it.
# For a release, pin the base by its digest: --build-arg PYTHON_IMAGE=docker.io/library/python:3.13-slim@sha256:...
ARG PYTHON_IMAGE=docker.io/library/python:3.13-slim

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /opt/langop
COPY requirements/install.sh requirements/installer.txt requirements/gateway.txt /build/requirements/
# Only wheels: no package runs code of its own here. The environment itself has no pip.
# Bytecode is compiled here: without it every start with a read-only root takes six seconds longer. It is never compared with
# its source: some builders change the times of files, and all of it would count as stale.
RUN sh /build/requirements/install.sh python3 venv /build/requirements/gateway.txt \
        --no-cache-dir --no-compile --only-binary :all: \
    && venv/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash venv/lib
COPY langop_model langop_model
COPY templates templates
COPY schema schema
COPY render.py ./
RUN venv/bin/python -m compileall -q --invalidation-mode unchecked-hash langop_model \
    && venv/bin/python -c "from langop_model.renderer.templating import environment as e; [e().get_template(n) for n in e().list_templates(filter_func=lambda n: n.endswith('.j2'))]" \
    && venv/bin/python -c "import os; from langop_model.resources import load_json; [load_json(n) for n in os.listdir('schema') if n.endswith('.json')]"

FROM ${PYTHON_IMAGE}
# The base's digest decides which packages there are: a version written here would be gone from the archive with its next update.
# What the base has for installing packages is of no use to a gateway, only to somebody who got in.
# /app belongs to group 0 too: OpenShift runs containers as a user of its own choice in that group.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends tini \
    && rm -rf /var/lib/apt/lists/* \
        /usr/local/bin/pip* /usr/local/bin/wheel /usr/local/lib/python3*/site-packages/* /usr/local/lib/python3*/ensurepip \
        /usr/bin/pip* /usr/lib/python3/dist-packages/pip* /usr/lib/python3*/ensurepip /usr/share/python-wheels \
    && groupadd --gid 1000 based \
    && useradd --uid 1000 --gid 1000 --no-create-home --home-dir /app --shell /usr/sbin/nologin based \
    && install -d -o 1000 -g 0 -m 0775 /app
COPY --from=build /opt/langop/venv /opt/langop/venv
COPY --from=build /opt/langop/langop_model /opt/langop/langop_model
COPY --from=build /opt/langop/templates /opt/langop/templates
COPY --from=build /opt/langop/schema /opt/langop/schema
COPY --from=build /opt/langop/render.py /opt/langop/render.py
COPY docker/entrypoint.sh docker/generate-config.py /usr/local/bin/
# HOME: a user of somebody else's choice has none, and /app is for the configuration.
ENV HOME=/tmp \
    PATH=/opt/langop/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPATH=/opt/langop \
    PYTHONUNBUFFERED=1
WORKDIR /app
USER 1000:1000
EXPOSE 4000
# Liveness costs no token; /health is about the providers. -I and -S keep the check from loading the installed packages.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-ISc", "import http.client as h; c = h.HTTPConnection('127.0.0.1', 4000, 4); c.request('GET', '/health/liveliness'); raise SystemExit(c.getresponse().status != 200)"]
# tini is process 1: it passes signals on, and reaps orphaned child processes.
ENTRYPOINT ["/usr/bin/tini", "--", "/usr/local/bin/entrypoint.sh"]

# `make build` adds version, revision, time of creation and LiteLLM's version: buildah 1.28 keeps a cached label whose ARG has changed.
ARG PYTHON_IMAGE
LABEL org.opencontainers.image.title="langop/model" \
      org.opencontainers.image.description="An OpenAI-compatible gateway for LanguageModels, powered by LiteLLM" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="${PYTHON_IMAGE}"
