"""How an ingest is cut, and how many buckets a night scores at once, to stay within a limit of memory."""

from __future__ import annotations

from typing import Final

from configs.errors import UsageError
from configs.schema.pipeline import PipelineConfig

MIB: Final = 2**20
# Measured on simulated lines (600 bytes each in memory), above the base:
# 2.6 KB a line of a chunk, 2 KB a line of a bucket, 2.3 KB a line that is compared; the rest is margin.
_BASE_BYTES: Final = 500 * MIB
_CHUNK_LINE_BYTES: Final = 3_200
_BUCKET_LINE_BYTES: Final = 2_600
_MERGE_LINE_BYTES: Final = 4_000
_LEAST_CHUNK: Final = 5_000
# Of a night, private memory as seen with buckets of 10,000 and 50,000 lines: 502 and 686 MiB where one
# process does all, else 285 of the one that leads and 335 and 577 of each worker; the rest is margin. The
# history is not in it: its pages are read from files, and leave memory when something else needs it.
_ALONE_BYTES: Final = 500 * MIB
_LEAD_BYTES: Final = 300 * MIB
_WORKER_BYTES: Final = 300 * MIB
_SCORED_LINE_BYTES: Final = 7_500


def within_memory(pipeline: PipelineConfig, limit: int | None) -> PipelineConfig:
    """The configuration with as many workers and as large chunks as `ingest` may have within `limit` bytes.

    A day's bucket is written by one worker as a whole, so what a bucket needs decides how many workers there
    can be, and what is left how many rows each of them reads at once. The store does not depend on either.

    Raises:
        UsageError: not even one bucket fits; the message says what would be enough.
    """
    if limit is None:
        return pipeline
    bucket = pipeline.store.bucket_rows * _BUCKET_LINE_BYTES
    least = _BASE_BYTES + max(bucket, _LEAST_CHUNK * _CHUNK_LINE_BYTES)
    if limit < least:
        what = f"one bucket of {pipeline.store.bucket_rows:,} lines (store.bucket_rows)"
        raise _too_little(limit, least, what, max(0, limit - _BASE_BYTES) // _BUCKET_LINE_BYTES)
    free = limit - _BASE_BYTES
    workers = max(1, min(pipeline.ingest.workers, free // max(bucket, _LEAST_CHUNK * _CHUNK_LINE_BYTES)))
    # One chunk more than there are workers: the next one is read while they work.
    chunk_rows = max(_LEAST_CHUNK, free // (workers + 1) // _CHUNK_LINE_BYTES)
    changed = {
        "workers": workers,
        "chunk_rows": min(pipeline.ingest.chunk_rows, chunk_rows),
        "merge_rows": min(pipeline.ingest.merge_rows, max(_LEAST_CHUNK, free // _MERGE_LINE_BYTES)),
    }
    return pipeline.model_copy(update={"ingest": pipeline.ingest.model_copy(update=changed)})


def workers_within_memory(limit: int, workers: int, bucket_lines: int) -> int:
    """How many of `workers` can score buckets of up to `bucket_lines` lines at once within `limit` bytes.

    One alone works in the leading process. Scores and lists do not depend on how many there are.

    Raises:
        UsageError: not even one fits; the message says what would be enough.
    """
    bucket = bucket_lines * _SCORED_LINE_BYTES
    if limit < _ALONE_BYTES + bucket:
        fits = max(0, limit - _ALONE_BYTES) // _SCORED_LINE_BYTES
        what = f"the day's largest bucket of {bucket_lines:,} lines"
        raise _too_little(limit, _ALONE_BYTES + bucket, what, fits)
    return max(1, min(workers, (limit - _LEAD_BYTES) // (_WORKER_BYTES + bucket)))


def _too_little(limit: int, least: int, what: str, lines: int) -> UsageError:
    fits = lines // 1_000 * 1_000
    smaller = f", or ingest with store.bucket_rows of at most {fits:,}" if fits else ""
    return UsageError(
        f"--memory-limit: expected at least {-(-least // MIB)}MiB, which {what} needs, "
        f"got {limit // MIB}MiB. Give more{smaller}"
    )
