# One image for every role; docker-compose.yml says who does what. Built from pins with hashes.
FROM python:3.12-slim AS build
WORKDIR /src
COPY requirements.lock pyproject.toml config.yaml README.md LICENSE ./
RUN python -m venv /opt/marquee && /opt/marquee/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements.lock
COPY app ./app
RUN /opt/marquee/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.12-slim
RUN useradd --create-home --uid 10001 marquee
COPY --from=build /opt/marquee /opt/marquee
ENV PATH=/opt/marquee/bin:$PATH PYTHONUNBUFFERED=1
USER marquee
WORKDIR /home/marquee
EXPOSE 8000
ENTRYPOINT ["marquee"]
CMD ["run"]
