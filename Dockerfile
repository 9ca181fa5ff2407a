# One image per binary, from one build: docker build --target query-svc .
# They run as a user of their own without a name, and keep what they keep in /data.
ARG RUST=1.95

FROM rust:${RUST}-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends libclang-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# What is compiled stays in caches of the builder's, so that a second build takes seconds.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --locked --release --bins -p tandem-command-svc -p tandem-query-svc \
        -p tandem-standalone -p tandem-rehome -p tandem-load \
    && cd target/release \
    && install --strip -D --target-directory=/built \
        command-svc query-svc processor tandem tandem-rehome tandem-load

FROM debian:bookworm-slim AS base
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libssl3 libstdc++6 zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && install --directory --owner=10001 --group=10001 /data
USER 10001:10001
WORKDIR /data

FROM base AS processor
COPY --from=build /built/processor /usr/local/bin/
VOLUME /data
ENTRYPOINT ["/usr/local/bin/processor", "--data-dir", "/data"]

# tandem-rehome and tandem-load: docker compose run --rm tools tandem-rehome --help
FROM base AS tools
COPY --from=build /built/tandem-rehome /built/tandem-load /usr/local/bin/

FROM base AS command-svc
COPY --from=build /built/command-svc /usr/local/bin/
EXPOSE 8090
ENTRYPOINT ["/usr/local/bin/command-svc"]

FROM base AS query-svc
COPY --from=build /built/query-svc /usr/local/bin/
VOLUME /data
EXPOSE 8095
ENTRYPOINT ["/usr/local/bin/query-svc"]

# Everything in one process: docker run -p 8090:8090 -p 8095:8095 -p 8081:8081 -v tandem:/data
FROM base AS tandem
COPY --from=build /built/tandem /usr/local/bin/
ENV TANDEM_DATA_DIR=/data \
    TANDEM_COMMAND_ADDR=0.0.0.0:8090 \
    TANDEM_QUERY_ADDR=0.0.0.0:8095 \
    TANDEM_REGISTRY_ADDR=0.0.0.0:8081
VOLUME /data
EXPOSE 8090 8095 8081
ENTRYPOINT ["/usr/local/bin/tandem"]
