"""The address of MLflow as text: checked before anything is asked there, and shown without secrets."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from configs.errors import ConfigurationError

URI_VARIABLE: Final = "MLFLOW_TRACKING_URI"
SERVERS: Final = ("http", "https")
DATABASES: Final = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}
"""Database servers that MLflow knows, with the port of each."""

_MASK: Final = "***"
_SQLITE: Final = "sqlite"
# MLflow reads these itself, files only where it was told that it may.
_OTHERS: Final = ("databricks", "databricks-uc", "uc")
_FILES_ALLOWED: Final = "MLFLOW_ALLOW_FILE_STORE"
_OPTIONS: Final = re.compile(r"\w+=[^&/]*(&\w+=[^&/]*)*")
_FORMS: Final = (
    "http://host:5000 of a server, sqlite:////folder/mlflow.db of a file, postgresql://user@host/name of a "
    "database"
)
_SECRET: Final = (
    r"\w*(?:passw(?:or)?d|passphrase|pwd|secret|token|credential|signature|api_?key|access_?key)\w*"
)
_SECRET_OPTION: Final = re.compile(rf"(?i)\b({_SECRET}=)(?!\*{{3}})([^&\s'\",;)]+)")
_USER_OF_ADDRESS: Final = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^\s'\"<>/?#@]*@")
_LEAST_SECRET: Final = 3
_LEAST_TOKEN: Final = 16


def without_secrets(text: str, *addresses: str) -> str:
    """Return a text with users, passwords and tokens of addresses masked; `addresses` are known to be in it.

    >>> without_secrets("no answer of postgresql://ana:secret@host/db?sslpassword=x1 (password=secret)")
    'no answer of postgresql://host/db?sslpassword=*** (password=***)'
    """
    for address in addresses:
        text = text.replace(address, shown_address(address))
        for secret in _secrets(address):
            text = text.replace(secret, _MASK)
    return _SECRET_OPTION.sub(rf"\1{_MASK}", _USER_OF_ADDRESS.sub(r"\1", text))


def shown_address(uri: str) -> str:
    """Return an address without its user and password, and without the values of secret options.

    What stands before an @ counts as user and password even where a password is not written as it should be.

    >>> shown_address("postgresql://ana:pa/ss#1@host:5432/db?password=x&sslmode=require")
    'postgresql://host:5432/db?password=***&sslmode=require'
    """
    scheme, separator, rest = uri.partition("://")
    if separator and not rest.startswith("/"):
        rest = rest[_end_of_user(rest) :]
    return _SECRET_OPTION.sub(rf"\1{_MASK}", scheme + separator + rest)


def viewing(shown: str) -> str:
    """Return how runs and models at a shown address are looked at: a command, or the address of the server.

    >>> viewing("sqlite:////data/my store.mlflow/mlflow.db")
    "mlflow ui --backend-store-uri 'sqlite:////data/my store.mlflow/mlflow.db'"
    """
    if shown.partition("://")[0] in SERVERS:
        return shown
    return f"mlflow ui --backend-store-uri {shlex.quote(shown)}"


def checked_address(uri: str) -> str:
    """Return an address as MLflow understands it.

    The path of a SQLite file may hold `?`, `#` and `%` as they are.

    Raises:
        ConfigurationError: nothing can be found under such an address.
    """
    scheme, separator, rest = uri.partition("://")
    kind = scheme.partition("+")[0].lower()
    if uri in _OTHERS or kind in _OTHERS or _may_be_files(uri):
        return uri
    if separator and kind == _SQLITE:
        return uri if rest.startswith("/file:") else sqlite_address(_sqlite_file(uri), _options(rest)[1])
    if separator and kind in (*SERVERS, *DATABASES):
        _check_host(uri, rest, kind)
        return uri
    likely = f"http://{uri}" if re.fullmatch(r"[\w.-]+:\d+/?", uri) else ""
    if scheme.lower() == "postgres":
        likely = f"postgresql://{shown_address(uri).partition('://')[2]}"
    elif uri.startswith("file:") or (not separator and "/" in uri):
        path = unquote(uri.removeprefix("file:")).rstrip("/")
        likely = f"{_SQLITE}:///{Path('/' + path.lstrip('/'), 'mlflow.db')}"
    raise _refused(uri, f"of one of the forms {_FORMS}", likely)


def sqlite_address(file: Path, options: str = "") -> str:
    """Return the address of a database in a file, whatever characters its path has.

    >>> sqlite_address(Path("/data/50%/why?/mlflow.db"))
    'sqlite:////data/50%25/why%3F/mlflow.db'
    """
    # SQLAlchemy takes what follows a ? for options, and decodes %xx.
    path = str(file).replace("%", "%25").replace("?", "%3F")
    return f"{_SQLITE}:///{path}" + (f"?{options}" if options else "")


def database_file(uri: str) -> Path | None:
    """Return the file of a checked address of SQLite, None for any other address."""
    scheme, _, rest = uri.partition("://")
    if scheme.partition("+")[0] != _SQLITE:
        return None
    return Path(unquote(_options(rest)[0].removeprefix("/").removeprefix("file:")))


def _sqlite_file(uri: str) -> Path:
    """The file that an address means; `%20` is a blank where no folder is spelt with it."""
    path, _ = _options(uri.partition("://")[2])
    if not path.startswith("/") or path in ("/", "/:memory:"):
        raise _refused(
            uri, "of a file: three slashes before a relative path, four before one from the root",
            f"{_SQLITE}:////{path.lstrip('/')}" if path.strip("/") not in ("", ":memory:") else "",
        )  # fmt: skip
    written = Path(path[1:])
    decoded = Path(unquote(path[1:]))
    file = written if written.parent.is_dir() and not decoded.parent.is_dir() else decoded
    if not file.absolute().parent.is_dir():
        raise _refused(uri, f"of a file in a folder that is there; {file.absolute().parent} is not", "")
    return file


def _options(rest: str) -> tuple[str, str]:
    """The path and the options of an address; a ? that no option follows belongs to the path."""
    path, _, options = rest.rpartition("?")
    return (path, options) if path and _OPTIONS.fullmatch(options) else (rest, "")


def _check_host(uri: str, rest: str, kind: str) -> None:
    user, place = rest[: _end_of_user(rest)], rest[_end_of_user(rest) :]
    host, *more = re.split(r"[?#]", place) if kind in SERVERS else [place]
    if more:
        front = host.rstrip("/")
        raise _refused(
            uri, "without what follows a ? or #, which only a browser understands", f"{kind}://{front}"
        )
    host = re.split(r"[/?#]", host)[0]
    if kind in SERVERS and not host:
        raise _refused(uri, "with the name of a host", "")
    try:
        port = urlsplit(f"//{host}").port
    except ValueError:
        port = 0
    if port == 0 or (kind in SERVERS and re.search(r"[/?#]", user)):
        raise _refused(
            uri, "with a port of 1 to 65535 after the host, and /, ?, # and @ of a password as %2F, %3F, "
            "%23 and %40", "",
        )  # fmt: skip


def _end_of_user(rest: str) -> int:
    """Where the host begins in what follows `://`."""
    authority = re.split(r"[/?#]", rest)[0]
    if "@" in authority:
        return authority.rindex("@") + 1
    _, colon, port = authority.partition(":")
    # A password with a slash or the like in it looks like a port, and like a path after it.
    front = rest if colon and not port.isdigit() else rest.partition("?")[0]
    return front.rfind("@") + 1 if colon else 0


def _secrets(uri: str) -> list[str]:
    """The password in an address, as written and as meant, and the values of its secret options."""
    rest = uri.partition("://")[2]
    user = "" if rest.startswith("/") else rest[: max(_end_of_user(rest) - 1, 0)]
    # A token stands where the user's name does.
    token = user if ":" not in user and len(user) >= _LEAST_TOKEN else ""
    found = [token, user.partition(":")[2], *(value for _, value in _SECRET_OPTION.findall(rest))]
    secrets = {text for secret in found for text in (secret, unquote(secret)) if len(text) >= _LEAST_SECRET}
    return sorted(secrets, key=len, reverse=True)


def _may_be_files(uri: str) -> bool:
    allowed = os.environ.get(_FILES_ALLOWED, "").lower() in ("true", "1")
    return allowed and (uri.startswith("file:") or "://" not in uri)


def _refused(uri: str, expected: str, likely: str) -> ConfigurationError:
    advice = f" Write {likely}." if likely else ""
    return ConfigurationError(
        f"{URI_VARIABLE}: expected an address {expected}; got {shown_address(uri)!r}.{advice}"
    )
