# One image for every role; docker-compose.yml and deploy/kubernetes say who does what. Built from pins with hashes, all
# of which have wheels for x86_64 and arm64: no compiler is needed.
FROM python:3.12.14-slim-trixie@sha256:78387bc3881b8273120a12ebe6c1ab22b018ccc2c9adf565ae1ac9b536e184ea AS build
WORKDIR /src
COPY requirements.lock pyproject.toml config.yaml README.md LICENSE ./
RUN python -m venv /opt/marquee && /opt/marquee/bin/pip install --no-cache-dir --no-deps --only-binary :all: --require-hashes -r requirements.lock
COPY app ./app
RUN /opt/marquee/bin/pip install --no-cache-dir --no-deps --no-build-isolation . && /opt/marquee/bin/pip check

FROM python:3.12.14-slim-trixie@sha256:78387bc3881b8273120a12ebe6c1ab22b018ccc2c9adf565ae1ac9b536e184ea
RUN useradd --create-home --uid 10001 marquee && install -d -o marquee -g marquee -m 0700 /var/lib/marquee
COPY --from=build /opt/marquee /opt/marquee
# Within the image all addresses: a published port leads to none of its loopback ones. So almost everything needs a key;
# `docker logs` has the first admin's, once, or `docker exec ... marquee keys create` makes one.
ENV PATH=/opt/marquee/bin:$PATH PYTHONUNBUFFERED=1 MARQUEE__SERVICE__HOST=0.0.0.0 MARQUEE__SERVICE__DATA_DIR=/var/lib/marquee
USER marquee
WORKDIR /home/marquee
VOLUME /var/lib/marquee
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/live')"]
ENTRYPOINT ["marquee"]
CMD ["run"]
