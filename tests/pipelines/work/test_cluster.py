"""A night on a Dask cluster: the same bytes though a worker dies, and clear words where it is not fit."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from distributed import Client
from distributed.scheduler import KilledWorker

from configs.errors import ClusterError, UsageError
from pipelines.work import cluster
from pipelines.work.attempts import Limits, concerns_the_run, in_words
from pipelines.work.cluster_worker import (
    Environment,
    Heedful,
    Program,
    Wanted,
    other_program,
    program,
    tables_digest,
    unfit,
)
from pipelines.work.execution import Executor
from tests.pipelines.faulty_worker import BLIND, DIES, environment, loaded
from tests.pipelines.trained_world import NIGHT, World, different
from tests.places import ROOT

# A busy machine takes its time to start a process.
PATIENCE = 300
DASK = {"dask", "distributed"}

_SCORE_ALONE = """
import sys
from pipelines.cli.main import run
from tests.pipelines.faulty_worker import loaded
code = run(sys.argv[1:])
print("loaded", *loaded())
sys.exit(code)
"""


class Scheduler:
    """A scheduler in a process of its own, and what is needed to start workers for it."""

    def __init__(self, address: str, client: Client) -> None:
        self.address = address
        self.client = client

    @contextmanager
    def worker(
        self, name: str, *options: str, path: Path = ROOT, **variables: str
    ) -> Iterator[subprocess.Popen[bytes]]:
        """A worker that runs the program at `path`, ended at the end."""
        command = [
            *("worker", self.address, "--name", name, "--no-nanny", "--no-dashboard", "--nthreads", "1"),
            # Where the tests themselves are killed, nothing stays behind.
            *("--death-timeout", "60"),
            *("--preload", "tests.pipelines.faulty_worker"),
        ]
        there = len(self.client.nthreads())
        with dask(*command, *options, path=path, **variables) as process:
            self.client.wait_for_workers(there + 1, timeout=PATIENCE)
            yield process


@contextmanager
def dask(*command: str, path: Path = ROOT, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of a cluster, in the environment of a machine that has no secrets and no thread settings."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PARCEL_RISK", "MLFLOW"))
    }
    kept = {name: value for name, value in kept.items() if not name.endswith("_THREADS")}
    with subprocess.Popen(
        [sys.executable, "-m", "dask", *command],
        cwd="/",
        env={**kept, "PYTHONPATH": f"{path}{os.pathsep}{ROOT}", **variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture(scope="module")
def scheduler() -> Iterator[Scheduler]:
    address = f"tcp://127.0.0.1:{free_port()}"
    with (
        dask("scheduler", "--host", "127.0.0.1", "--port", address.rpartition(":")[2], "--no-dashboard"),
        Client(address, timeout=PATIENCE, set_as_default=False) as client,
    ):
        yield Scheduler(address, client)


def on(scheduler: Scheduler, limits: Limits | None = None) -> Executor:
    """An executor that uses the cluster."""
    return Executor(scheduler=scheduler.address, limits=limits or Limits())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def buckets(tmp_path_factory: pytest.TempPathFactory, trained: World) -> World:
    """A trained store with the night in many small buckets. Not to be changed."""
    world = trained.copy(tmp_path_factory.mktemp("buckets"))
    store = world.store
    with store.lock("test"), store.transaction() as t:
        store.write_declarations(t, NIGHT, store.read_declarations(NIGHT), bucket_rows=40)
    assert len(store.layout.buckets(NIGHT)) >= 8
    return world


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, buckets: World) -> World:
    """The same after a night in one process, in which Dask was not imported. Not to be changed."""
    world = buckets.copy(tmp_path_factory.mktemp("alone"))
    command = [sys.executable, "-c", _SCORE_ALONE, *world.arguments("score", "--date", NIGHT.isoformat())]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("loaded ")
    assert not DASK & set(done.stdout.splitlines()[-1].split())
    return world


def test_two_processes_give_the_bytes_of_one(tmp_path: Path, buckets: World, alone: World) -> None:
    world = buckets.copy(tmp_path)
    assert world.score(NIGHT, "--workers", "2") == 0
    assert different(world.results(), alone.results()) == []


def test_a_process_of_the_pool_does_without_dask() -> None:
    found = Executor(workers=2).run("loaded", loaded, [1, 2])
    assert len(found.succeeded) == 2
    assert not any(DASK & set(packages) for packages in found.succeeded)


def test_a_cluster_that_loses_a_worker_gives_the_bytes_of_one_process(
    tmp_path: Path,
    buckets: World,
    alone: World,
    scheduler: Scheduler,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = buckets.copy(tmp_path)
    # The workers have another working directory.
    monkeypatch.chdir(tmp_path)
    here = World(Path("S"), Path(os.path.relpath(world.configs)))
    with (
        scheduler.worker("mortal", **{DIES: "2:/scores/"}) as mortal,
        scheduler.worker("other"),
    ):
        assert here.score(NIGHT, "--workers", "2", "--scheduler", scheduler.address) == 0
        assert mortal.wait(PATIENCE) == -signal.SIGKILL, "it was to die in its second bucket"
        assert different(world.results(), alone.results()) == []
        assert [path.name[:5] for path in (world.path / ".work").iterdir()] == ["today"]
        names = ["POLARS_MAX_THREADS", "OMP_NUM_THREADS", "PARCEL_RISK_PSEUDONYM_KEY"]
        assert on(scheduler).run("environment", environment, names).results == ["1", "1", None]
        (packages,) = on(scheduler).run("loaded", loaded, [0]).succeeded
        assert "polars" in packages
        assert "mlflow" not in packages


def test_a_worker_that_is_not_fit_is_named_and_gets_no_work(
    tmp_path: Path,
    buckets: World,
    scheduler: Scheduler,
    capsys: pytest.CaptureFixture[str],
) -> None:
    world = buckets.copy(tmp_path)
    empty = tmp_path / "empty/pipelines"
    empty.mkdir(parents=True)
    (empty / "__init__.py").write_text("raise ModuleNotFoundError('No module named pipelines')")
    older = tmp_path / "older"
    for package in ("configs", "features", "models", "pipelines"):
        shutil.copytree(ROOT / package, older / package, ignore=shutil.ignore_patterns("__pycache__"))
    (older / "pipelines/scoring/bucket.py").write_text("# of last week\n")
    with (
        scheduler.worker("bare", path=empty.parent),
        scheduler.worker("older", "--preload", "polars", path=older, POLARS_MAX_THREADS="3"),
        scheduler.worker("blind", "--nthreads", "2", **{BLIND: str(world.path)}),
    ):
        assert world.score(NIGHT, "--scheduler", scheduler.address) == 2
    said = capsys.readouterr().err
    told = [line for line in said.splitlines() if line.startswith("  worker ")]
    faults = {name: "\n".join(line for line in told if name in line) for name in ("bare", "older", "blind")}
    assert f"the Dask cluster at {scheduler.address} is not fit for this run, and was sent nothing" in said
    assert "cannot run parcel-risk" in faults["bare"]
    assert "No module named pipelines" in faults["bare"]
    assert "another version of parcel-risk" in faults["older"]
    assert "expected 1 threads a task, came 3" in faults["older"]
    assert f"expected the store at {world.path}" in faults["blind"]
    assert "No such file or directory" in faults["blind"]
    assert "expected one task at a time, came 2: start it with --nthreads 1" in faults["blind"]
    assert different(world.results(), buckets.results()) == []
    assert list((world.path / ".work").iterdir()) == []


def test_a_worker_that_joins_later_has_the_threads_and_the_run_ends_when_it_is_gone(
    scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as workers:
        with cluster.cluster(scheduler.address, threads=3, limits=Limits()) as executor:
            workers.enter_context(scheduler.worker("late", POLARS_MAX_THREADS="7"))
            assert executor.submit(environment, "POLARS_MAX_THREADS").result() == "3"
        monkeypatch.setattr(cluster, "WITHOUT_WORKERS_SECONDS", 1.0)
        # A worker that hangs ends itself.
        with pytest.raises(ClusterError, match="has had no worker left"):
            on(scheduler, Limits(seconds=0.5)).run("sleep", time.sleep, [PATIENCE])


def test_a_cluster_that_does_not_answer_any_more_ends_the_run(scheduler: Scheduler) -> None:
    with (
        pytest.raises(ClusterError, match="does not answer any more"),
        cluster.cluster(scheduler.address, threads=1, limits=Limits()),
    ):
        raise CancelledError


def test_a_task_that_kills_its_workers_is_told_in_words() -> None:
    lost = KilledWorker("task", SimpleNamespace(address="tcp://10.0.0.2:1"), 3)  # type: ignore[arg-type]
    assert not concerns_the_run(lost)
    assert in_words(lost).startswith("its worker died, and so did each that got it next")


def test_too_few_workers(scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1.0)
    with pytest.raises(UsageError, match=r"expected at least 2 workers at .* found 0 after 1 seconds"):
        cluster.check(scheduler.address, store=tmp_path, overlay=None, workers=2, threads=1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:{port}", "nonsense", "ftp://127.0.0.1:{port}"])
def test_no_scheduler_answers(
    address: str, buckets: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cluster.CONNECT_SECONDS <= 20
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1.0)
    address = address.format(port=free_port())
    assert buckets.score(NIGHT, "--scheduler", address) == 2
    assert f"expected a Dask scheduler at {address}, none answered" in capsys.readouterr().err


def test_another_program_is_told_and_does_not_run() -> None:
    here = Program({"Python": "3.11", "polars": "2.1.0"}, "a" * 64)
    assert other_program(here, here) == []
    (said,) = other_program(Program({"Python": "3.12"}, "b" * 64), here)
    assert "Python 3.12 instead of 3.11, polars missing instead of 2.1.0, another version of parcel" in said
    with pytest.raises(UsageError, match="joined the cluster during the run"):
        Heedful(abs, "b" * 64, None)(-1)


def test_a_worker_with_other_reference_tables_is_told_and_one_with_other_settings_is_fit(
    tmp_path: Path,
) -> None:
    wanted = Wanted(1, 0o077, tmp_path / ".work/cluster-1", tmp_path / "configs")
    (tmp_path / "configs/reference").mkdir(parents=True)
    worker = Environment(program(), 1, 1, "", tables_digest(wanted.overlay), "")
    # Settings come with each task.
    (tmp_path / "configs/pipeline.yaml").write_text("store: {bucket_rows: 30000}\n", encoding="utf-8")
    assert unfit(worker, program(), wanted) == []
    shutil.copy(ROOT / "configs/reference/units.csv", tmp_path / "configs/reference")
    with (tmp_path / "configs/reference/units.csv").open("a", encoding="utf-8") as table:
        table.write("\n")
    (fault,) = unfit(worker, program(), wanted)
    assert f"reads another configuration from {tmp_path / 'configs'}" in fault
