# linkrunnerd as a container: docs/install-container.md. Builds with docker (with or without BuildKit), podman
# and buildah. `--target sandbox` makes an image of the fake API instead.
FROM debian:bookworm-slim AS build
WORKDIR /src
COPY daemon/packages.sh daemon/
RUN bash daemon/packages.sh build && rm -rf /var/lib/apt/lists/*
COPY CMakeLists.txt ./
COPY systemd systemd
COPY lib lib
COPY daemon daemon
RUN cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DLINKRUNNER_TESTS=OFF \
          -DCMAKE_C_COMPILER=clang-19 -DCMAKE_CXX_COMPILER=clang++-19 \
    && ninja -C build linkrunnerd linkrunner-sandbox linkrunnerctl \
    && install -D -s -t /out/usr/bin build/linkrunnerd build/linkrunner-sandbox build/linkrunnerctl

FROM debian:bookworm-slim AS base
COPY daemon/packages.sh /tmp/
RUN bash /tmp/packages.sh run && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/* /tmp/packages.sh
STOPSIGNAL SIGTERM

FROM base AS sandbox
COPY --from=build /out/usr/bin/linkrunner-sandbox /usr/bin/
USER 65532:65532
ENTRYPOINT ["/usr/bin/linkrunner-sandbox"]

FROM base
LABEL org.opencontainers.image.title="linkrunnerd" \
      org.opencontainers.image.description="Takes Linkrunner events over local HTTP, keeps them on disk, delivers them at the pace of the API"
COPY --from=build /out/usr/bin/linkrunnerd /out/usr/bin/linkrunnerctl /usr/bin/
COPY config/container.yaml /etc/linkrunnerd/linkrunnerd.yaml
# Group 0 may write too: platforms that choose the user id at random (OpenShift) run with that group.
RUN install -d -o 65532 -g 0 -m 0770 /var/lib/linkrunnerd /run/linkrunnerd
USER 65532:65532
VOLUME /var/lib/linkrunnerd
EXPOSE 7417 7418
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 CMD ["/usr/bin/linkrunnerd", "--health"]
ENTRYPOINT ["/usr/bin/linkrunnerd"]
