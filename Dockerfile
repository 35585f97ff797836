# docs/container.md says how to run it; scripts/build-image.sh builds and tries it where there is no Docker.
# Node is copied out of NODE_IMAGE, so that there is one version to pin, and the runtime image needs no more than the C
# and C++ libraries: no shell, no package manager. Pin both by digest where builds must repeat.
ARG NODE_IMAGE=node:24-bookworm-slim
ARG RUNTIME_IMAGE=gcr.io/distroless/cc-debian12:nonroot

FROM ${NODE_IMAGE} AS manifests
WORKDIR /app
COPY .npmrc package.json package-lock.json ./
COPY client/package.json client/

# The secret is for a registry of your own: --secret id=npmrc,src=$HOME/.npmrc. It stays out of every layer.
FROM manifests AS dependencies
RUN --mount=type=secret,id=npmrc \
    NPM_CONFIG_USERCONFIG=/run/secrets/npmrc npm ci --ignore-scripts --omit=dev

FROM manifests AS build
RUN --mount=type=secret,id=npmrc \
    NPM_CONFIG_USERCONFIG=/run/secrets/npmrc npm ci --ignore-scripts --include=dev
COPY tsconfig.base.json tsconfig.json ./
COPY client client
COPY proto proto
COPY src src
# Empty: a volume begins as a copy of the folder in the image, owner included.
RUN node_modules/.bin/tsc -b && mkdir /data

FROM ${RUNTIME_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="introspectd" \
      org.opencontainers.image.description="Token introspection for service meshes over gRPC and mutual TLS" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /usr/local/bin/node /usr/local/bin/node
WORKDIR /app
COPY LICENSE README.md CHANGELOG.md package.json ./
COPY --from=dependencies /app/node_modules node_modules
COPY client/package.json client/LICENSE client/
COPY --from=build /app/client/dist client/dist
COPY proto proto
COPY --from=build /app/dist/src dist/src
COPY --from=build --chown=65532:65532 /data /data

ENV NODE_ENV=production
USER 65532:65532
VOLUME /data
EXPOSE 50051 9464
STOPSIGNAL SIGTERM
# The ops port needs no certificate. Kubernetes ignores this: it has probes of its own.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 \
    CMD ["/usr/local/bin/node", "/app/dist/src/main.js", "health", "--ops-target", "127.0.0.1:9464", "--timeout", "3s"]
ENTRYPOINT ["/usr/local/bin/node", "/app/dist/src/main.js"]
CMD ["serve", "--config", "/etc/introspectd/introspectd.yaml"]
