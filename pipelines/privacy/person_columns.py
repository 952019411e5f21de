"""Tells by their headings which columns of a foreign table name persons."""

from __future__ import annotations

import re
from typing import Final

_BLANKS: Final = re.compile(r"[\s_\-./()（）]+")
_WHO: Final = (
    "buyer|consignee|recipient|receiver|addressee|payer|customer"
    "|收货人?|收件人?|买家|买方|购买人|订购人|付款人|支付人"
)
_WHAT: Final = (
    "s?name|fullname|tel|telephone|phone|phoneno|phonenumber|mobile|mobileno|address|addr|idnumber|idno|idcard"
    "|姓名|名称|电话|手机号?码?|联系电话|地址|身份证号?码?|证件号码?"
)
_PERSON: Final = re.compile(
    rf"(?:{_WHO})的?(?:{_WHAT})?|telephone|phone(?:no|number)?|mobile(?:no|number|phone)?|address|fulladdress"
    r"|passport(?:no|number)?|idcard(?:no|number)?|姓名|电话(?:号码)?|联系电话|手机(?:号|号码)?|地址|详细地址|身份证(?:号|号码)?|护照号码?"
)


def names_persons(heading: str) -> bool:
    """Whether a column's heading says that it holds names, telephones, addresses or identity numbers.

    >>> [names_persons(name) for name in ("Buyer_Name", "收件人电话", "item_name", "buyer_code")]
    [True, True, False, False]
    """
    return _PERSON.fullmatch(_BLANKS.sub("", heading).lower()) is not None
