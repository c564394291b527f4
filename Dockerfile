# bmtrain in a container: pinned packages, no root, its caches in a volume.
#
#   docker build -t bmtrain .                          for processors
#   docker build -t bmtrain:gpu --build-arg DEVICE=gpu .   with CUDA's libraries (some 4 GB)
#   docker run --rm -v "$PWD:/work" -v bmtrain-cache:/cache --user "$(id -u):$(id -g)" bmtrain \
#       train config.yaml
#
# PYTHON    the base image's tag, Debian's slim one; pin it by digest where builds must repeat:
#           --build-arg PYTHON=3.12-slim-bookworm@sha256:…
# DEVICE    cpu or gpu
# PACKAGES  more of them, at the versions that requirements/dev.txt pins: "mlflow tensorboard"
ARG PYTHON=3.12-slim-bookworm

FROM python:${PYTHON} AS build
ARG DEVICE=cpu
ARG PACKAGES=
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv /opt/bmtrain
ENV PATH=/opt/bmtrain/bin:$PATH
WORKDIR /source
# The packages are a layer of their own: they are installed again only when the pins change.
COPY requirements/ requirements/
RUN case "$DEVICE" in \
        cpu) pins=runtime ;; \
        gpu) pins=gpu ;; \
        *) echo "DEVICE: expected cpu or gpu, got $DEVICE" >&2; exit 2 ;; \
    esac \
    && pip install -r "requirements/$pins.txt" -r requirements/build.txt
# PACKAGES are words, and no cache is kept (above).
# hadolint ignore=DL3042,SC2086
RUN if [ -n "$PACKAGES" ]; then pip install -c requirements/dev.txt $PACKAGES; fi
COPY pyproject.toml README.md LICENSE ./
COPY bmtrain/ bmtrain/
COPY configs/ configs/
RUN pip install --no-deps --no-build-isolation . && bmtrain --version

FROM python:${PYTHON}
COPY --from=build /opt/bmtrain /opt/bmtrain
# Whoever --user names may write the cache; each makes a directory of its own in it.
RUN useradd --system --uid 10001 --no-create-home --home-dir /nonexistent bmtrain \
    && mkdir /work /cache && chown bmtrain /work && chmod 1777 /cache
ENV PATH=/opt/bmtrain/bin:$PATH PYTHONDONTWRITEBYTECODE=1 LC_ALL=C.UTF-8 \
    XDG_CACHE_HOME=/cache HOME=/tmp \
    NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
VOLUME /cache
WORKDIR /work
USER 10001
ENTRYPOINT ["bmtrain"]
CMD ["--help"]
