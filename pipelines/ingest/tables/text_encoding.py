"""Tells which encoding the bytes of a table are in.

UTF-8 is certain: hardly any other text is valid in it. The encodings of East Asia are not, for the bytes of
each are valid in some others; a Japanese table taken for GB18030 is Chinese nonsense without an error. So
each is judged by what the text would say in it: characters that people write, or rarities.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from configs.errors import DataError

_BLOCK: Final = 2**24
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NAMES: Final = {
    "gb18030": "GB18030 (simplified Chinese)",
    "big5hkscs": "Big5 (traditional Chinese)",
    "cp932": "Shift-JIS (Japanese)",
    "euc_jp": "EUC-JP (Japanese)",
    "cp949": "EUC-KR (Korean)",
}
# More characters than these make no difference.
_JUDGED_CHARS: Final = 4_000
# By so much the text has to make more sense in one encoding than in every other one.
_CLEAR: Final = 0.15
_SENSIBLE: Final = 0.45
# EUC-JP is hardly used any more, and has the bytes of GB18030 and EUC-KR.
_SELDOM: Final = 0.2
_OFTEN, _ORDINARY, _RARE, _NEVER = 1.0, 0.5, 0.05, -0.5

# The characters that are written most, of general text and of goods, parties and places. They only have to
# tell one language from the nonsense that its bytes are in another one: nobody needs to keep them complete.
_SIMPLIFIED: Final = (
    "的一是不了在人有我他这中大来上个国和也子时道说出而要于就下得可你年生自会那后能对着事其里所去行过家十用发天如然作方成者多日都三小军二无同"
    "主经公此已工使情明性知全些长面定两何各新第前并外民等建水政电力机高动进分部间法重手当业产品内应关理化本物本体家车气老体合市表世区利意与原"
    "相做想实口点文入正由开心平走加北名向西东学真女常回次被几给只万山地路任美清白花元件门安海金百太每马运交色强场服儿好没又今员通食条类单联"
    "装包盒袋瓶罐只双套个片支台块张根箱纸布衣鞋帽裤裙袜棉丝毛皮革男童婴幼宝奶粉茶叶酒糖果干饼面条米油盐酱醋肉鱼虾蟹蛋菜豆瓜葡萄苹橙香蕉甜咸辣"
    "酸红绿蓝黑黄紫银铜铁钢铝木竹石瓷玻璃塑料胶橡硅钟表手机电脑屏键盘鼠标耳机音箱充电器线池灯照相摄像洗发护肤霜膏液露唇眉眼脸精华膜防晒乳牙刷"
    "巾杯碗盘筷刀叉勺锅壶椅桌床柜沙玩具积木娃球拍游泳健身车零配轮胎书本笔画药维素胶囊丸片营养保健品补钙鱼油护理尿裤湿巾猫狗粮宠物首饰项链戒指环"
    "包背钱夹旅行李箱带眼镜太阳雨伞广州深圳上海北京杭州宁波郑州天津重庆青岛厦门省市县镇街号楼室有限责任公司商贸易进出口电子商务科技物流仓储"
    "冻鲜冷制装礼整新款用型号规格数量价值币种原产商品名称申报编号净重毛件厂牌号质成份智能家居套餐韩日美英法德意澳荷泰越韩国本咖啡巧克力冰淇淋饮饼鲑鳕罗氏虾薯片坚果杏仁核桃螺丝绒围扣拖凉靴袖领"
)
_TRADITIONAL: Final = (
    "的一是不了在人有我他這中大來上個國和也子時道說出而要於就下得可你年生自會那後能對著事其裡所去行過家十用發天如然作方成者多日都三小軍二無同"
    "主經公此已工使情明性知全些長面定兩何各新第前並外民等建水政電力機高動進分部間法重手當業產品內應關理化本物體車氣老合市表世區利意與原相做想"
    "實口點文入正由開心平走加北名向西東學真女常回次被幾給只萬山地路任美清白花元件門安海金百太每馬運交色強場服兒好沒又今員通食條類單聯裝包盒袋瓶"
    "罐雙套片支台塊張根箱紙布衣鞋帽褲裙襪棉絲毛皮革男童嬰幼寶奶粉茶葉酒糖果乾餅麵米油鹽醬醋肉魚蝦蟹蛋菜豆瓜葡萄蘋橙香蕉甜鹹辣酸紅綠藍黑黃紫銀銅"
    "鐵鋼鋁木竹石瓷玻璃塑料膠橡矽鐘錶腦屏鍵盤滑鼠標耳音箱充器線池燈照相攝像洗髮護膚霜膏液露唇眉眼臉精華膜防曬乳牙刷巾杯碗盤筷刀叉鍋壺椅桌床櫃玩具"
    "積娃球拍游泳健身零配輪胎書本筆畫藥維素膠囊丸營養保補鈣理尿濕貓狗糧寵首飾項鏈戒指環背錢夾旅行李帶鏡太陽雨傘台北灣高雄新竹中香港九龍廣東州省縣"
    "鎮街號樓室有限責任公司商貿易進出口科技物流倉儲凍鮮冷製禮整款型規格數量價值幣種申報編淨廠牌質智能居韓日英法德意澳荷泰越起司乳酪餐咖啡巧克力冰淇淋飲鮭鱈薯片堅杏仁核桃烏龍溫保"
)
_JAPANESE: Final = (
    "日本東京大阪名古屋市県府区町村株式会社有限商事貿易輸入出国産品名数量価格単円個箱袋缶本枚台式用製造食料飲水茶酒菓子糖油塩米麺肉魚海老貝卵野菜果実"
    "豆乳粉粧化液洗髪顔肌美白保湿薬医部外健康補助衣服靴帽綿絹毛皮革男女児童赤青黒黄緑紫金銀銅鉄鋼木竹石紙電気機器械具時計携帯車輪書籍文房玩人形動物"
    "新中小高低上下左右内外前後年月日時分番号住所氏名電話冷凍生鮮加工品目合計金額税関申告原国重量総正味包装焼醤漬寿司抹緑煎餅鶏豚牛丼傘帳鉛筆"
)
_HANGUL: Final = (
    "가각간감강개거건검게격견결경계고곡공과관광교구국군권귀규그극근금급기길김나난남내너네년노농누는능니다단달담당대더도독돌동두드등디라락란람랑래러레려력련령로록론료"
    "루류르른를름리린림마막만말망매머메면명모목몰무문물미민밀바박반발밥방배백버번벌베별병보복본봉부북분불브블비빈사산살삼상새색생서석선설성세소속손송쇼수순술스습시식"
    "신실심싱아안알암압야약양어언얼업에엔여역연열염영예오온올와완왕외요용우운울원월위유육율으은을음의이인일임입자작잔장재저적전절점정제조족종주준중즈증지직진질집차착찬찰"
    "참창채책처천철청체초총최추축출충치칠침카칼캐커컬컵컴케코콘콜쿠크클키타탁탄탈태터테텐토통투트특티틱파판팔패팩팬퍼페편평포폰표푸품풍프플피필하학한할함합항해핸햄향허헤현형호"
    "혼홈화환활황회효후훈휴흐희히힐햇김차닭홍첨켜쌀빵젤샴냉떡껌꽃끈"
)


def encoding_of(path: Path, start: bytes) -> tuple[str, str | None]:
    """Return the encoding of a text that begins with `start`, and what to tell where it was not certain.

    UTF-8 with or without a mark, UTF-16 with one, else the encoding in which the text makes sense. A file
    without a mark is read to its end, and again for its rows: one wrong byte anywhere decides, and the text
    of a large file does not fit into memory.

    Raises:
        DataError: it is binary, or in no encoding for certain.
    """
    for mark, encoding in _BOMS:
        if start.startswith(mark):
            return encoding, None
    if b"\x00" in start[:4096]:
        raise DataError(
            f"{path} is no text: expected a table as CSV, Parquet or a workbook, got binary data "
            "(or UTF-16 without its mark: save it as UTF-8 then)"
        )
    if _is_valid(path, "utf-8"):
        return "utf-8", None
    possible = [encoding for encoding in _NAMES if _is_valid(path, encoding)]
    sample = _sample(path)
    ranked = sorted(((_sense(sample, encoding), encoding) for encoding in possible), reverse=True)
    best, encoding = ranked[0] if ranked else (0.0, "")
    if best < _SENSIBLE:
        raise DataError(
            f"{path} is no text in UTF-8 or GB18030, nor in another encoding that its characters would tell. "
            f"{_CURE}"
        )
    if len(ranked) > 1 and best - ranked[1][0] < _CLEAR:
        either = " or ".join(_NAMES[each] for _, each in ranked[:2])
        raise DataError(f"{path} is not UTF-8, and may as well be {either}: nothing was guessed. {_CURE}")
    return encoding, f"{path} was read as {_NAMES[encoding]}: it is not UTF-8, and makes sense so"


_CURE: Final = "Save it as UTF-8, or name its encoding in a mapping (encoding: cp1252, for example)"


def _is_valid(path: Path, encoding: str) -> bool:
    """Whether all of a file's bytes are characters of an encoding."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for block in _blocks(path):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as handle:
        while block := handle.read(_BLOCK):
            yield block


def _sample(path: Path) -> bytes:
    """Lines that are not ASCII, from the beginning."""
    lines: list[bytes] = []
    size = 0
    for block in _blocks(path):
        for line in block.replace(b"\r", b"\n").split(b"\n"):
            if not line.isascii():
                lines.append(line)
                size += len(line)
                if size > 64 * _JUDGED_CHARS:
                    return b"\n".join(lines)
    return b"\n".join(lines)


def _sense(sample: bytes, encoding: str) -> float:
    """How much a text makes sense in an encoding: 1 where all of its characters are written often."""
    text = sample.decode(encoding, "ignore")
    # Each character once: a word that comes a thousand times is no more evidence than once.
    chars = {char for char in text if not char.isascii()}
    weights = [_weight(char, encoding) for char in sorted(chars)[:_JUDGED_CHARS]]
    judged = [weight for weight in weights if weight is not None]
    sense = sum(judged) / len(judged) if judged else 0.0
    return sense - _SELDOM if encoding == "euc_jp" else sense


def _weight(char: str, encoding: str) -> float | None:
    if char in _often(encoding):
        return _OFTEN
    if char in _ordinary(encoding):
        return _ORDINARY
    if "\u3000" <= char <= "\u303f" or "\uff00" <= char <= "\uff60" or "\u2010" <= char <= "\u22ff":
        return None  # punctuation and signs, which all of them have at the same places
    if encoding != "gb18030" and "\u4e00" <= char <= "\u9fff":
        return _RARE
    return _RARE if _is_in(char, "gb2312") else _NEVER


@cache
def _often(encoding: str) -> frozenset[str]:
    kana = "".join(map(chr, [*range(0x3041, 0x3094), *range(0x30A1, 0x30FD)]))
    return frozenset(
        {
            "gb18030": _SIMPLIFIED,
            "big5hkscs": _TRADITIONAL,
            "cp932": _JAPANESE + kana,
            "euc_jp": _JAPANESE + kana,
            "cp949": _HANGUL,
        }[encoding]
    )


@cache
def _ordinary(encoding: str) -> frozenset[str]:
    """The part of a character set that its makers thought ordinary."""
    codec, first, last = {
        "gb18030": ("gb2312", 0xB0, 0xD7),
        "big5hkscs": ("big5", 0xA4, 0xC6),
        "cp932": ("euc_jp", 0xB0, 0xCF),
        "euc_jp": ("euc_jp", 0xB0, 0xCF),
        "cp949": ("euc_kr", 0xB0, 0xC8),
    }[encoding]
    trails = [*range(0x40, 0x7F), *range(0xA1, 0xFF)]
    pairs = (bytes([lead, trail]) for lead in range(first, last + 1) for trail in trails)
    chars = frozenset("".join(pair.decode(codec, "ignore") for pair in pairs))
    return chars - frozenset(map(chr, range(128)))


def _is_in(char: str, codec: str) -> bool:
    try:
        char.encode(codec)
    except UnicodeEncodeError:
        return False
    return True
