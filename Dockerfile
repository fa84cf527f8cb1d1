# linkrunnerd as a container: docs/install-container.md. Builds with docker (with or without BuildKit), podman
# and buildah. `--target sandbox` makes an image of the fake API instead.
#
# Both are made from nothing but programs and the files that these need (daemon/image_tree.sh): no shell, no
# package manager. The libraries are a layer of their own, so that a new version of the programs is a small pull.

# To build the same image next month, too: BASE=debian:bookworm-slim@sha256:...
ARG BASE=debian:bookworm-slim
FROM ${BASE} AS build
WORKDIR /src
COPY daemon/packages.sh daemon/
RUN bash daemon/packages.sh build run && rm -rf /var/lib/apt/lists/*
COPY CMakeLists.txt ./
COPY config config
COPY systemd systemd
COPY lib lib
COPY daemon daemon
# How many compilers run at once; empty: one for each core and two more.
ARG JOBS=
# Whatever sorts or prints does it in one way, and a compiler cache shared with a host finds its objects again.
ENV LANG=C.UTF-8
RUN cmake -S . -B build/release -G Ninja -DCMAKE_BUILD_TYPE=Release -DLINKRUNNER_TESTS=OFF \
          -DCMAKE_C_COMPILER=clang-19 -DCMAKE_CXX_COMPILER=clang++-19 \
    && ninja -C build/release ${JOBS:+-j "$JOBS"} linkrunnerd linkrunner-sandbox linkrunnerctl \
    && bash daemon/image_tree.sh build/release /image

FROM scratch AS sandbox
LABEL org.opencontainers.image.title="linkrunner-sandbox" \
      org.opencontainers.image.description="A fake Linkrunner API for trying things out, staging and tests"
COPY --from=build /image/sandbox/libraries /
COPY --from=build /image/sandbox/program /
USER 65532:65532
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/bin/linkrunner-sandbox"]

FROM scratch
COPY --from=build /image/daemon/libraries /
COPY --from=build /image/daemon/program /
# After the layers, which do not depend on it.
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="linkrunnerd" \
      org.opencontainers.image.description="Takes Linkrunner events over local HTTP, keeps them on disk, delivers them at the pace of the API" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
USER 65532:65532
# The spool, and the directory of the sockets: both can be written to when the root file system cannot.
VOLUME ["/var/lib/linkrunnerd", "/run/linkrunnerd"]
EXPOSE 7417 7418
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 CMD ["/usr/bin/linkrunnerd", "--health"]
ENTRYPOINT ["/usr/bin/linkrunnerd"]
