# The gateway: renders the mounted LanguageModel, loads its keys, and becomes LiteLLM.
ARG PYTHON_IMAGE=docker.io/library/python:3.11-slim

FROM ${PYTHON_IMAGE} AS build
COPY requirements/gateway.txt /build/requirements.txt
# Bytecode is compiled here: without it every start with a read-only root takes six seconds longer.
RUN python -m venv /app/venv \
    && /app/venv/bin/python -m pip install --no-cache-dir --require-hashes --compile -r /build/requirements.txt
COPY langop_model /app/langop_model
COPY templates /app/templates
COPY schema /app/schema
COPY render.py /app/
RUN cd /app && venv/bin/python -m compileall -q langop_model \
    && venv/bin/python -c "from langop_model.renderer.templating import environment as e; [e().get_template(n) for n in e().list_templates(filter_func=lambda n: n.endswith('.j2'))]"

FROM ${PYTHON_IMAGE}
ARG LITELLM_VERSION=1.106.2
LABEL org.opencontainers.image.title="langop/model" \
      org.opencontainers.image.description="An OpenAI-compatible gateway for one LanguageModel, powered by LiteLLM" \
      org.opencontainers.image.licenses="Apache-2.0" \
      ai.litellm.version="${LITELLM_VERSION}"
RUN groupadd --gid 1000 based && useradd --uid 1000 --gid 1000 --no-create-home --home-dir /app based \
    && install -d -o based -g based /app
COPY --from=build --chown=based:based /app /app
COPY --chmod=0755 docker/entrypoint.sh docker/generate-config.py /usr/local/bin/
ENV PATH=/app/venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /app
USER 1000:1000
EXPOSE 4000
# Liveness costs no token; /health would ask the provider.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:4000/health/liveliness', timeout=4)"]
ENTRYPOINT ["/usr/local/bin/entrypoint.sh"]
