"""An address that cannot be used says so before anything is asked there; its password is never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from configs.errors import ConfigurationError, TrackingError
from models.tracking.addresses import checked_address, database_file, shown_address, viewing, without_secrets
from models.tracking.refusals import explained
from models.tracking.tracker import Tracker


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://host:abc", "a port of 1 to 65535"),
        ("http://host:99999", "a port of 1 to 65535"),
        ("http://ana:sec#ret@host:5000", "%23"),
        ("postgresql://ana:secret@host:5x/db", "a port of 1 to 65535"),
        ("http://", "the name of a host"),
        ("http://host:5000/#/experiments/1", "Write http://host:5000."),
        ("localhost:5000", "Write http://localhost:5000."),
        ("mlruns", "one of the forms http://host:5000"),
        ("/data/mlruns", "Write sqlite:////data/mlruns/mlflow.db."),
        ("file:///data/mlruns", "Write sqlite:////data/mlruns/mlflow.db."),
        ("postgres://ana:secret@host/db", "Write postgresql://host/db."),
        ("'http://host:5000'", "one of the forms"),
        ("ftp://host", "one of the forms"),
        ("sqlite://data/mlflow.db", "Write sqlite:////data/mlflow.db."),
        ("sqlite://", "three slashes before a relative path"),
        ("sqlite:////no such folder/mlflow.db", "/no such folder is not"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_with_what_to_write(
    address: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    with pytest.raises(ConfigurationError, match=r"^MLFLOW_TRACKING_URI: expected an address ") as caught:
        Tracker.in_folder(tmp_path / "S.mlflow")
    assert said in str(caught.value)
    assert "sec" not in str(caught.value).replace("second", "")


@pytest.mark.parametrize(
    "address",
    [
        "http://host:5000", "https://ana:secret@[::1]:5000/mlflow", "postgresql+psycopg://ana:secret@host/db",
        "postgresql:///db?host=/var/run/postgresql", "databricks", "sqlite:///mlflow.db",
        "sqlite:////tmp/mlflow.db?timeout=5", "sqlite:///file:/tmp/mlflow.db?uri=true",
    ],
)  # fmt: skip
def test_an_address_that_can_be_used_is_left_as_it_is(address: str) -> None:
    assert checked_address(address) == address


def test_a_blank_in_a_path_may_be_written_either_way(tmp_path: Path) -> None:
    for folder, written in {"a b": "a%20b", "c d": "c d", "e%20f": "e%20f", "g?h": "g?h"}.items():
        (tmp_path / folder).mkdir()
        checked = checked_address(f"sqlite:///{tmp_path}/{written}/mlflow.db")
        assert database_file(checked) == tmp_path / folder / "mlflow.db"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://ana:secret@host:5000/x", "http://host:5000/x"),
        ("http://secrettoken@host", "http://host"),
        ("postgresql://ana:se/c#r@et@host/db", "postgresql://host/db"),
        ("postgresql://host/db?user=ana&password=secret&sslmode=require",
         "postgresql://host/db?user=ana&password=***&sslmode=require"),
        ("mysql+pymysql://host/db?ssl_key_password=secret", "mysql+pymysql://host/db?ssl_key_password=***"),
        ("sqlite:////data/a@b:c/mlflow.db", "sqlite:////data/a@b:c/mlflow.db"),
    ],
)  # fmt: skip
def test_a_password_in_an_address_is_never_shown(address: str, shown: str) -> None:
    assert shown_address(address) == shown
    assert Tracker(address).shown == shown
    assert without_secrets(f"cannot ask {address}: it said so", address) == f"cannot ask {shown}: it said so"


def test_what_others_say_of_an_address_shows_no_password_either() -> None:
    said = "(OperationalError) postgresql://ana:s3cr3t@host/db refused password=s3cr3t of ana:s3%63r3t"
    address = "postgresql://ana:s3%63r3t@host/db"
    assert "s3cr3t" not in explained(ValueError(said), address)
    assert "s3%63r3t" not in explained(ValueError(said), address)
    assert viewing(shown_address("http://ana:s3cr3t@host:5000")) == "http://host:5000"


@pytest.mark.parametrize(
    ("cause", "advice"),
    [
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed", "MLFLOW_TRACKING_SERVER_CERT_PATH"),
        ("[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert certificate required", "CLIENT_CERT_PATH"),
        ("Could not find the TLS certificate file, invalid path: /x.pem", "file of the certificate is not"),
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number", "write http://"),
        ("API request failed with error code 401 != 200", "MLFLOW_TRACKING_USERNAME"),
        ("error code 403 != 200. Response body: 'Permission denied'", "ask for the right"),
        ("API request to endpoint failed with error code 404 != 200", "no MLflow server"),
        ("(sqlite3.OperationalError) database or disk is full", "The disk is full: make room"),
        ("(sqlite3.OperationalError) attempt to write a readonly database", "mount the disk for writing"),
        ("(sqlite3.OperationalError) locking protocol", "does not support locks"),
        ("(sqlite3.DatabaseError) file is not a database", "restore it from a backup"),
        ("Detected out-of-date database schema (found version a, but expected b)", "mlflow db upgrade"),
    ],
)
def test_the_cause_of_a_refusal_and_what_to_do_are_told(cause: str, advice: str) -> None:
    error = TrackingError("API request failed with exception")
    error.__cause__ = OSError(cause)
    assert advice in explained(error)


def test_a_driver_that_is_not_installed_is_named_with_how_to_get_it() -> None:
    with pytest.raises(
        ConfigurationError, match=r"needs the driver psycopg2, .*pip install 'psycopg2-binary'"
    ):
        Tracker("postgresql+psycopg2://ana:secret@127.0.0.1:1/db").champions()
