"""The messages of imports and exports by the table whose rows they carry.

Elements and their order are those of import_202205.xsd and export_202205.xsd, optional ones as far as a
simulated document knows them. The edition of 2018 has the same, but no 213 to 216. Written from the schema
and apart from `ingest.messages`, so that a mistake of the readers is not made here once more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pipelines.simulation.messages.layout import MessageLayout, elements

_SENT: Final = "appType=app_type|1 appTime=sent_at appStatus=app_status|2"
_PLATFORM: Final = "ebpCode=platform_id ebpName=company:platform_id"
_SELLER: Final = "ebcCode=seller_id ebcName=company:seller_id"
_CARRIER: Final = "logisticsCode=carrier_id logisticsName=company:carrier_id"
_AGENT: Final = "agentCode=agent_id agentName=company:agent_id"
_BUYER: Final = (
    "buyerIdType='1 buyerIdNumber=identity:buyer_id buyerName=person:buyer_id "
    "buyerTelephone=telephone:telephone_id"
)
_WEIGHTS: Final = "packNo=package_count grossWeight=gross_weight_kg netWeight=net_weight_kg"
_ORDER: Final = ("platform_id", "order_id")
_INVENTORY: Final = ("declaration_id",)
_OWN: Final = ("declaration_id", "own_number")
_WAYBILL: Final = ("carrier_id", "waybill_id")
_PAYMENT: Final = (*_ORDER, "payment_company_id", "transaction_id")
_RECEIPT: Final = ("declaration_id", "seller_id", "own_number", "status")
_ANSWER: Final = "returnStatus=status returnTime=long:sent_at returnInfo='答复"

_IMPORT_ORDER: Final = MessageLayout(
    "CEB311Message", "OrderHead",
    elements(
        f"{_SENT} orderType='I orderNo=order_id {_PLATFORM} {_SELLER} goodsValue=goods_value freight=freight "
        "discount=discount taxTotal=tax_total acturalPaid=paid_total currency=currency:paid_currency "
        f"buyerRegNo=order_id buyerName=person:buyer_id buyerTelephone=telephone:telephone_id buyerIdType='1 "
        "buyerIdNumber=identity:buyer_id payCode=payment_company_id payName=company:payment_company_id "
        "payTransactionId=transaction_id consignee=person:buyer_id "
        "consigneeTelephone=telephone:telephone_id consigneeAddress=address:address_id"
    ),
    _ORDER, "Order", "OrderList",
    elements(
        "gnum=line_no itemNo=item:item_no itemName=item_name gmodel=item_model|无 barCode=barcode unit "
        "qty=quantity price=unit_price totalPrice=total_price currency=currency:currency "
        "country=country:origin_country"
    ),
)  # fmt: skip
_EXPORT_ORDER: Final = MessageLayout(
    "CEB303Message", "OrderHead",
    elements(
        f"{_SENT} orderType='E orderNo=order_id {_PLATFORM} {_SELLER} goodsValue=goods_value freight=freight "
        "currency=currency:paid_currency"
    ),
    _ORDER, "Order", "OrderList",
    elements(
        "gnum=line_no itemNo=item:item_no itemName=item_name barCode=barcode unit currency=currency:currency "
        "qty=quantity price=unit_price totalPrice=total_price"
    ),
)  # fmt: skip
_IMPORT_PAYMENT: Final = MessageLayout(
    "CEB411Message", "PaymentHead",
    elements(
        f"{_SENT} payCode=payment_company_id payName=company:payment_company_id "
        f"payTransactionId=transaction_id orderNo=order_id {_PLATFORM} payerIdType='1 "
        "payerIdNumber=identity:payer_id payerName=person:payer_id telephone=telephone:telephone_id "
        "amountPaid=amount currency=currency:currency payTime=paid_at"
    ),
    _PAYMENT, "Payment",
)  # fmt: skip
_EXPORT_PAYMENT: Final = MessageLayout(
    "CEB403Message", "Receipts",
    elements(
        f"{_SENT} {_PLATFORM} {_SELLER} orderNo=order_id payCode=payment_company_id "
        "payName=company:payment_company_id payNo=transaction_id charge=amount currency=currency:currency "
        "accountingDate=paid_at"
    ),
    _PAYMENT,
)  # fmt: skip
_IMPORT_WAYBILL: Final = MessageLayout(
    "CEB511Message", "LogisticsHead",
    elements(
        f"{_SENT} {_CARRIER} logisticsNo=waybill_id billNo=master_bill_id orderNo=order_id freight "
        "insuredFee=insurance currency=currency:currency weight=gross_weight_kg packNo=package_count "
        "goodsInfo=item_name consignee=person:consignee_id consigneeAddress=address:address_id "
        "consigneeTelephone=telephone:telephone_id"
    ),
    _WAYBILL, "Logistics",
)  # fmt: skip
_EXPORT_WAYBILL: Final = MessageLayout(
    "CEB505Message", "Logistics",
    elements(
        f"{_SENT} {_CARRIER} logisticsNo=waybill_id freight=freight|0 insuredFee=insurance|0 "
        "currency=currency:currency grossWeight=gross_weight_kg packNo=package_count goodsInfo=item_name "
        f"{_SELLER}"
    ),
    _WAYBILL,
)  # fmt: skip
_STATUS: Final = MessageLayout(
    "CEB513Message", "LogisticsStatus",
    elements(
        f"{_SENT} {_CARRIER} logisticsNo=waybill_id logisticsStatus=status logisticsTime=status_at"
    ),
    _WAYBILL,
)  # fmt: skip
_IMPORT_INVENTORY: Final = MessageLayout(
    "CEB621Message", "InventoryHead",
    elements(
        f"{_SENT} orderNo=order_id {_PLATFORM} {_SELLER} logisticsNo=waybill_id {_CARRIER} copNo=own_number "
        "assureCode='2100000000 invtNo=declaration_id ieFlag='I declTime=day:declared_at "
        f"customsCode=customs_office portCode=port {_BUYER} consigneeAddress=address:address_id {_AGENT} "
        "tradeMode=trade_mode trafMode=transport_mode country=country:dispatch_country freight=freight "
        f"insuredFee=insurance currency=currency:currency {_WEIGHTS}"
    ),
    _INVENTORY, "Inventory", "InventoryList",
    elements(
        "gnum=line_no itemNo=item:item_no itemName=item_name gcode=hs_code gname=item_name "
        "gmodel=item_model|无 barCode=barcode country=country:origin_country currency=currency:currency "
        "qty=quantity unit qty1=legal_quantity unit1=legal_unit price=unit_price totalPrice=total_price"
    ),
    is_signed=True,
)  # fmt: skip
_EXPORT_INVENTORY: Final = MessageLayout(
    "CEB603Message", "InventoryHead",
    elements(
        f"{_SENT} customsCode=customs_office {_PLATFORM} orderNo=order_id {_CARRIER} logisticsNo=waybill_id "
        "copNo=own_number invtNo=declaration_id ieFlag='E portCode=port ieDate=day:declared_at "
        f"statisticsFlag='B {_AGENT} {_SELLER} ownerCode=seller_id ownerName=company:seller_id "
        "tradeMode=trade_mode trafMode=transport_mode country=country:destination_country "
        "POD=country:destination_country freight fCurrency=currency:currency fFlag='3 insuredFee=insurance "
        f"iCurrency=currency:currency iFlag='3 wrapType='4 {_WEIGHTS}"
    ),
    _INVENTORY, "Inventory", "InventoryList",
    elements(
        "gnum=line_no itemNo=item:item_no itemName=item_name gcode=hs_code gname=item_name "
        "gmodel=item_model|无 barCode=barcode|无 country=country:destination_country "
        "currency=currency:currency qty=quantity qty1=legal_quantity unit unit1=legal_unit price=unit_price "
        "totalPrice=total_price"
    ),
)  # fmt: skip
_PARTIES: Final = f"orderNo=order_id {_PLATFORM} {_SELLER} logisticsNo=waybill_id {_CARRIER}"
_IMPORT_CANCELLATION: Final = MessageLayout(
    "CEB623Message", "InvtCancel",
    elements(
        f"{_SENT} customsCode=customs_office {_PARTIES} copNo=own_number invtNo=declaration_id {_BUYER} "
        f"{_AGENT} reason='撤销"
    ),
    _OWN, is_signed=True,
)  # fmt: skip
_EXPORT_CANCELLATION: Final = MessageLayout(
    "CEB605Message", "InvtCancel",
    elements(
        f"{_SENT} customsCode=customs_office copNo=own_number invtNo=declaration_id reason='撤销 {_AGENT} "
        f"{_SELLER}"
    ),
    _OWN,
)  # fmt: skip
_IMPORT_RETURN: Final = MessageLayout(
    "CEB625Message", "InvtRefundHead",
    elements(
        f"{_SENT} customsCode=customs_office {_PARTIES} copNo=own_number invtNo=declaration_id {_BUYER} "
        f"{_AGENT} reason='退货"
    ),
    _OWN, "InvtRefund", "InvtRefundList",
    elements("gnum=line_no gcode=hs_code gname=item_name qty=quantity unit"),
    is_signed=True,
)  # fmt: skip
_EXPORT_RETURN: Final = MessageLayout(
    "CEB213Message", "InvtRefundHead",
    elements(
        f"{_SENT} customsCode=customs_office {_PLATFORM} {_SELLER} logisticsNo=waybill_id {_CARRIER} "
        f"coElNo=own_number invtNo=declaration_id tradeMode=trade_mode {_AGENT} billNo='78400000000 "
        "ieFlag='I trafMode='5 trafName='飞机 portCode=customs_office reason='退货 "
        "country=country:destination_country|142 voyageNo='CZ465"
    ),
    _OWN, "InvtRefund", "InvtRefundList",
    elements(
        "gnum=line_no gcode=hs_code gname=item_name gmodel=item_model|无 qty=quantity qty1=legal_quantity "
        "unit unit1=legal_unit"
    ),
    is_new=True,
)  # fmt: skip
_TALLY: Final = MessageLayout(
    "CEB215Message", "InvtRefundDetail",
    elements(
        f"{_SENT} customsCode=customs_office operatorCode='4401000000 operatorName='场所 {_CARRIER} "
        "logisticsNo=waybill_id invtNo=declaration_id coElNo=own_number billNo='78400000000 ieFlag='I "
        "trafMode='5 trafName='飞机 voyageNo='CZ465"
    ),
    _OWN, is_new=True,
)  # fmt: skip


def _answer(root: str, head: str, fields: str, *, is_new: bool = False) -> MessageLayout:
    """What customs answers: nobody's transfer part, no signature."""
    return MessageLayout(root, head, elements(f"{fields} {_ANSWER}"), _RECEIPT, is_sent=False, is_new=is_new)


_PRE: Final = "preNo='B20240901000000001"
_IMPORT_ANSWER: Final = (
    f"customsCode=customs_office ebpCode=platform_id ebcCode=seller_id agentCode=agent_id copNo=own_number "
    f"{_PRE} invtNo=declaration_id"
)
_CANCEL_ANSWER: Final = (
    f"customsCode=customs_office agentCode=agent_id ebpCode=platform_id ebcCode=seller_id copNo=own_number "
    f"{_PRE} invtNo=declaration_id"
)
_TAX: Final = MessageLayout(
    "CEB816Message", "TaxHeadRd",
    elements(
        "returnTime=long:sent_at invtNo=declaration_id taxNo=tax_bill_id customsTax=duty_of_bill "
        "valueAddedTax=vat_of_bill consumptionTax=consumption_of_bill status ebcCode=seller_id "
        "logisticsCode=carrier_id agentCode=agent_id customsCode=customs_office"
    ),
    ("tax_bill_id",), "Tax", "TaxListRd",
    elements(
        "gnum=line_no gcode=hs_code taxPrice=taxable_price customsTax=customs_duty "
        "valueAddedTax=value_added_tax consumptionTax=consumption_tax"
    ),
    is_sent=False,
)  # fmt: skip
LAYOUTS: Final[Mapping[str, Mapping[str, MessageLayout]]] = {
    "declarations": {"import": _IMPORT_INVENTORY, "export": _EXPORT_INVENTORY},
    "orders": {"import": _IMPORT_ORDER, "export": _EXPORT_ORDER},
    "payments": {"import": _IMPORT_PAYMENT, "export": _EXPORT_PAYMENT},
    "waybills": {"import": _IMPORT_WAYBILL, "export": _EXPORT_WAYBILL},
    "waybill_states": {"import": _STATUS},
    "cancellations": {"import": _IMPORT_CANCELLATION, "export": _EXPORT_CANCELLATION},
    "returns": {"import": _IMPORT_RETURN, "export": _EXPORT_RETURN},
    "tallies": {"export": _TALLY},
    "receipts": {
        "import": _answer("CEB622Message", "InventoryReturn", _IMPORT_ANSWER),
        "export": _answer(
            "CEB604Message",
            "InventoryReturn",
            f"agentCode=agent_id copNo=own_number {_PRE} invtNo=declaration_id ebcCode=seller_id "
            "ebpCode=platform_id orderNo=order_id statisticsFlag='B",
        ),
    },
    "taxes": {"import": _TAX},
    "cancellation_states": {
        "import": _answer("CEB624Message", "InvtCancelReturn", _CANCEL_ANSWER),
        "export": _answer(
            "CEB606Message",
            "InvtCancelReturn",
            f"agentCode=agent_id copNo=own_number {_PRE} invtNo=declaration_id",
        ),
    },
    "return_states": {
        "import": _answer("CEB626Message", "InvtRefundReturn", _CANCEL_ANSWER),
        "export": _answer(
            "CEB214Message",
            "RefundReturn",
            "ebpCode=platform_id ebcCode=seller_id agentCode=agent_id coElNo=own_number "
            "invtNo=declaration_id",
            is_new=True,
        ),
    },
}
"""By table and direction; the states are those that customs answers to applications."""
