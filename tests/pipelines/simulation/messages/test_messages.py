"""Simulated documents as official messages: what the schema says of them, and what ingest makes of them."""

from __future__ import annotations

import base64
import unicodedata
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from lxml import etree
from polars.testing import assert_frame_equal

from features.contract.declarations import DECLARATION_COLUMNS
from pipelines.cli.main import run as cli
from pipelines.simulation.messages.files import FileStyle, write_messages
from pipelines.simulation.messages.persons import identity_numbers, other_spelling, street_addresses
from pipelines.simulation.messages.values import Wording
from pipelines.store.day_table import DayTable
from pipelines.store.files import read_tables
from pipelines.store.store import Store
from tests.pipelines.documents.message_sets import MessageSet, make_message_set

_NAMESPACE = "{http://www.chinaport.gov.cn/ceb}"
_IMPORTS = {"311", "411", "511", "513", "621", "622", "623", "624", "625", "626", "816"}
_EXPORTS = {"303", "403", "505", "603", "604", "605", "606", "213", "214", "215"}
# The schema names another one for signatures, which is not there.
_SIGNATURES = b"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" elementFormDefault="qualified"
 targetNamespace="http://www.w3.org/2000/09/xmldsig#"><xs:element name="Signature"><xs:complexType>
 <xs:sequence><xs:any processContents="lax" minOccurs="0" maxOccurs="unbounded"/></xs:sequence>
 </xs:complexType></xs:element></xs:schema>"""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> MessageSet:
    return make_message_set(tmp_path_factory.mktemp("set"))


class _Signatures(etree.Resolver):
    def resolve(self, system_url: str, public_id: str, context: object) -> object:
        if system_url.endswith("xmldsig-core-schema.xsd"):
            return self.resolve_string(_SIGNATURES, context)
        return None


def schema(path: Path) -> etree.XMLSchema:
    parser = etree.XMLParser()
    parser.resolvers.add(_Signatures())
    return etree.XMLSchema(etree.parse(path, parser))


def number(root: etree._Element) -> str:
    return etree.QName(root).localname[3:6]


def test_every_message_is_valid(written: MessageSet, shared: Path) -> None:
    sides = {
        **dict.fromkeys(_IMPORTS, schema(shared / "ceb" / "xsd" / "import_202205.xsd")),
        **dict.fromkeys(_EXPORTS, schema(shared / "ceb" / "xsd" / "export_202205.xsd")),
    }
    found = Counter[str]()
    for path in sorted(written.folder.iterdir()):
        tree = etree.parse(path)
        name = number(tree.getroot())
        found[name] += 1
        sides[name].assertValid(tree)
    assert set(found) == _IMPORTS | _EXPORTS


def test_messages_hold_all_rows_of_the_tables(written: MessageSet) -> None:
    lines = Counter[str]()
    for path in written.folder.iterdir():
        for element in etree.parse(path).getroot().iter():
            lines[str(element.tag).removeprefix(_NAMESPACE)] += 1
    tables = written.documents.tables
    assert lines["OrderList"] == tables["orders"].height
    assert lines["PaymentHead"] + lines["Receipts"] == tables["payments"].height
    assert lines["InventoryReturn"] == tables["receipts"].height
    assert lines["InvtRefundList"] == tables["returns"].height
    assert lines["TaxListRd"] == tables["taxes"].height > 0


@pytest.fixture(scope="module")
def ingested(written: MessageSet, tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """The lines of a store that took in the inventories alone."""
    folder = tmp_path_factory.mktemp("inventories")
    files = [str(path) for path in sorted(written.folder.glob("*-declarations.xml"))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PARCEL_RISK_PSEUDONYM_KEY", "a key for tests, not a secret")
        assert cli(["ingest", *files, "--store", str(folder / "S"), "--source", "ceb", "--quiet"]) == 0
    store = Store.open(folder / "S")
    # As they hold now: what was changed after the close of its day has its last version.
    files = [file for day in store.days(DayTable.DECLARATIONS) for file in store.layout.buckets(day)]
    return read_tables(files, store.stored_schema(), None).sort("declaration_id", "line_no")


def test_inventories_come_back_as_they_were_simulated(written: MessageSet, ingested: pl.DataFrame) -> None:
    given = written.declarations.sort("declaration_id", "line_no")
    kept = ingested.filter(pl.col("declaration_id").is_in(given["declaration_id"].implode()))
    hashed = ("buyer_id", "address_id")
    # An import inventory says the day of its declaration, not the time.
    moments = pl.col("declared_at").dt.offset_by("8h").dt.date()
    same = [name for name in DECLARATION_COLUMNS if name not in (*hashed, "declared_at")]
    assert_frame_equal(kept.select(*same, moments), given.select(*same, moments), check_exact=True)
    for name in hashed:
        pairs = pl.DataFrame({"given": given[name], "kept": kept[name]}).unique()
        assert pairs["given"].n_unique() == pairs["kept"].n_unique() == pairs.height > 100


def test_the_same_documents_in_any_order_and_cutting(written: MessageSet, tmp_path: Path) -> None:
    style = FileStyle(seed=3, documents=7, messages=4, prefix="", enveloped=0.3)
    cut = make_message_set(tmp_path / "cut", style=style)
    assert cut.expected.equals(written.expected)
    assert documents_in(cut.folder) == documents_in(written.folder)
    twice = make_message_set(tmp_path / "twice", style=replace(style, repeated=0.2))
    assert documents_in(twice.folder).keys() == documents_in(cut.folder).keys()
    assert documents_in(twice.folder).total() > documents_in(cut.folder).total() * 1.1
    only = tmp_path / "again"
    make_message_set(only, style=style)
    assert [path.read_bytes() for path in sorted(only.iterdir())] == [
        path.read_bytes() for path in sorted(cut.folder.iterdir())
    ]


def documents_in(folder: Path) -> Counter[str]:
    """Each document's elements and texts, whatever the namespace's prefix, and how often it is there."""
    found = Counter[str]()
    for path in folder.iterdir():
        for text in path.read_text(encoding="utf-8").split('<?xml version="1.0" encoding="UTF-8"?>\n')[1:]:
            root = etree.fromstring(text)
            if etree.QName(root).localname == "DxpMsg":
                data = root.find("{http://www.chinaport.gov.cn/dxp}Data")
                assert data is not None
                root = etree.fromstring(base64.b64decode(data.text or ""))
            assert len(root) <= 101 + 1
            for child in root:
                if etree.QName(child).localname not in ("BaseTransfer", "Signature"):
                    parts = [f"{etree.QName(one).localname}={one.text}" for one in child.iter()]
                    found["|".join(parts)] += 1
    return found


def test_the_edition_of_2018_has_no_returns_of_exports(tmp_path: Path) -> None:
    row = {
        "declaration_id": "1", "own_number": "2", "line_no": 1, "quantity": 1.0,
        "sent_at": datetime(2024, 9, 3, tzinfo=UTC),
    }  # fmt: skip
    wording, style = Wording(1, {}, {}), FileStyle(edition="2018")
    bought = {"returns": pl.DataFrame([{**row, "direction": "import"}])}
    assert len(write_messages(tmp_path / "import", bought, wording, style)) == 1
    sold = {"returns": pl.DataFrame([{**row, "direction": "export"}])}
    with pytest.raises(ValueError, match="returns: the edition of 2018 has no CEB213Message"):
        write_messages(tmp_path / "export", sold, wording, style)
    with pytest.raises(ValueError, match="expected the edition 2018 or 202205, got '2019'"):
        write_messages(tmp_path / "none", sold, wording, replace(style, edition="2019"))


def test_texts_are_escaped_and_numbers_plain(tmp_path: Path) -> None:
    rows = pl.DataFrame(
        {
            "direction": "import", "carrier_id": "C", "waybill_id": "W<&>", "gross_weight_kg": [0.00001],
            "package_count": 2, "sent_at": datetime(2024, 9, 3, 16, tzinfo=UTC), "insurance": 1e10,
        }
    )  # fmt: skip
    (path,) = write_messages(tmp_path, {"waybills": rows}, Wording(1, {}, {}), FileStyle())
    head = {etree.QName(one).localname: one.text for one in etree.parse(path).iter()}
    assert (head["logisticsNo"], head["weight"], head["insuredFee"]) == ("W<&>", "0.00001", "10000000000")
    assert (head["appTime"], head["appType"], head["appStatus"]) == ("20240904000000", "1", "2")
    assert "consignee" not in head


def test_identity_numbers_have_their_check_character() -> None:
    numbers = identity_numbers(7, pl.Series([None, *(f"p{number}" for number in range(500))]))
    assert numbers[0] is None
    assert numbers.n_unique() == 501
    weights = [2 ** (17 - place) % 11 for place in range(17)]
    for text in numbers.drop_nulls():
        left = sum(int(digit) * weight for digit, weight in zip(text, weights, strict=False)) % 11
        assert text[17] == "10X98765432"[left]
        assert datetime.strptime(text[6:14], "%Y%m%d").year >= 1950  # noqa: DTZ007
    assert 20 < numbers.str.ends_with("X").sum() < 80


@pytest.mark.parametrize("spelling", ["width", "blanks", "punctuation"])
def test_another_spelling_of_an_address_is_the_same_but_for_signs(spelling: str) -> None:
    plain = street_addresses(7, pl.Series("text", [f"a{number}" for number in range(50)]))
    other = plain.to_frame().select(other_spelling(pl.col("text"), pl.lit(spelling))).to_series()

    def letters(text: str) -> str:
        return "".join(sign for sign in unicodedata.normalize("NFKC", text) if sign.isalnum())

    assert plain.n_unique() == 50
    assert all(one != two and letters(one) == letters(two) for one, two in zip(plain, other, strict=True))


def test_nobody_is_named_in_what_became_of_inventories(written: MessageSet, ingested: pl.DataFrame) -> None:
    texts = {text for column in ingested.select(pl.col(pl.String)) for text in column.drop_nulls()}
    assert len(written.persons) > 1000
    assert not written.persons & texts
