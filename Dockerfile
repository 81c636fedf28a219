# daybreak on a CPU: the web page and the HTTP API, and every other command (docs/containers.md).
# The first stage's image has a C compiler, for the compiled part. The last needs no package of the system: every wheel
# brings its libraries, and Debian's slim image has the C++ one.

FROM python:3.11.11-bookworm AS build
WORKDIR /src
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY src ./src
RUN python -m venv --without-pip /opt/daybreak \
    && pip --python /opt/daybreak/bin/python install --no-cache-dir ".[serve,web,video,watch,raw,heif]"

FROM python:3.11.11-slim-bookworm
LABEL org.opencontainers.image.title="daybreak" \
      org.opencontainers.image.description="Turns dark pictures into clear ones." \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/daybreak /opt/daybreak
ENV PATH=/opt/daybreak/bin:$PATH \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
RUN groupadd --gid 10001 daybreak \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin daybreak \
    && install --directory --owner=10001 --group=10001 /state /in /out
USER 10001:10001
# what ships is what its cards say, and can be loaded by this user
RUN daybreak weights verify
WORKDIR /
VOLUME ["/state"]
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["daybreak"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000", "--state", "/state"]
