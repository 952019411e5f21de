"""Whether the libraries load, tried in another process: one that ends its process is told as well."""

from __future__ import annotations

import importlib.util
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence

from pipelines.machine.finding import Finding, State

# Those with compiled parts, which an installation may have and a machine cannot load.
_NATIVE = ("numpy", "scipy", "pandas", "polars", "pyarrow", "lxml.etree", "numba", "sklearn", "lightgbm")
_PURE = (
    "pydantic",
    "yaml",
    "jinja2",
    "babel",
    "openpyxl",
    "xlsxwriter",
    "python_calamine",
    "matplotlib",
    "mlflow",
)
_OPTIONAL = {
    "distributed": ("for `score --scheduler` only", "pip install 'parcel-risk[cluster]'"),
    "catboost": ("for comparisons only", "pip install catboost"),
}
_AGAIN = "Install parcel-risk again into its environment (pip install), as the README shows"
_TRY = """
import importlib, sys
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except BaseException as error:
        print(name, f"{type(error).__name__}: {error}".replace("\\n", " "), sep="\\t", flush=True)
    else:
        print(name, "", sep="\\t", flush=True)
"""
_SHARED_OBJECT = re.compile(r"(lib[\w+.-]+\.so[\w.]*): cannot open shared object file")
_PACKAGES = {
    "libgomp.so.1": "apt-get install libgomp1 (Debian, Ubuntu) or dnf install libgomp",
}


def check_libraries(native: Sequence[str] = _NATIVE) -> Iterator[Finding]:
    """Yield what is found of each library that must load, and of those that some options want."""
    failed = _failed(native)
    failed |= {name: "is not installed" for name in _PURE if importlib.util.find_spec(name) is None}
    for name, reason in failed.items():
        yield Finding(name, State.LACKS, reason, advice(reason) or _AGAIN)
    if not failed:
        yield Finding("libraries", State.OK, f"all {len(native) + len(_PURE)} load")
    for name, (use, how) in _OPTIONAL.items():
        if importlib.util.find_spec(name) is None:
            yield Finding(name, State.NOTE, f"is not installed; it is {use}", how)


def advice(reason: str) -> str:
    """Return how to get the system's library that a reason names, empty where it names none.

    >>> advice("OSError: libgomp.so.1: cannot open shared object file: No such file or directory")
    'Install the library libgomp.so.1: apt-get install libgomp1 (Debian, Ubuntu) or dnf install libgomp'
    """
    missing = _SHARED_OBJECT.search(reason)
    if missing is None:
        return ""
    how = _PACKAGES.get(missing[1], "on Debian and Ubuntu `apt-file search` names its package")
    return f"Install the library {missing[1]}: {how}"


def load_failure(error: BaseException) -> str | None:
    """Return what to say of an error that a missing library is the cause of, None for any other."""
    if isinstance(error, ModuleNotFoundError):
        return (
            f"the package {error.name} is missing. {_AGAIN}; `parcel-risk doctor` says what else is missing."
        )
    how = advice(str(error)) if isinstance(error, (ImportError, OSError)) else ""
    return f"{how}. `parcel-risk doctor` says what else is missing." if how else None


def _failed(names: Sequence[str]) -> dict[str, str]:
    """Why each library that does not load does not. A process that dies tells by how far it came."""
    failed: dict[str, str] = {}
    waiting = list(names)
    while waiting:
        command = [sys.executable, "-c", _TRY, *waiting]
        tried = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        for line in tried.stdout.splitlines():
            name, _, reason = line.partition("\t")
            if name in waiting:
                waiting.remove(name)
                if reason:
                    failed[name] = f"does not load: {reason}"
        if waiting:
            failed[waiting.pop(0)] = f"does not load: {_death(tried.returncode)}"
    return failed


def _death(code: int) -> str:
    if code == -signal.SIGILL:
        return "this processor lacks instructions that the package was built with"
    return f"its process ended with {code}"
