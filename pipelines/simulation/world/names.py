"""How goods are called: Chinese and English names, brands, vague words, typing slips, variants of script."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from pipelines.simulation.world.goods import BRANDS_PER_GROUP, Catalogue
from pipelines.simulation.world.randomness import Ints

STYLES = 12
(CHINESE, ENGLISH, MIXED, CHINESE_SHORT, ENGLISH_SHORT, CHINESE_PACK, ADVERT, ENGLISH_PACK) = range(8)
CLEAN_STYLES = 8
MODEL_STYLES = 3

_STARTS = (
    "Ka", "Mi", "So", "Ne", "Lu", "Va", "Ro", "Te", "Bi", "No", "Su", "El", "Ari", "Hana", "Vel",
    "Mori", "Lan", "Zen", "Oka", "Fre", "Gla", "Tri", "Yu", "Cor", "Sen",
)  # fmt: skip
_ENDS = (
    "ra", "lia", "mo", "ta", "vel", "na", "do", "ri", "ssa", "kon", "ne", "lux", "mar", "ya", "thi",
    "bel", "san", "rin", "tek", "ma", "lo", "fine", "way",
)  # fmt: skip
_BRAND_CHINESE = "佳美丽康宝诺雅维尔森莱欧露娜悦欣妮可思蔻兰芙澳贝安优倍恩田樱禾木川光和源"
_TRADITIONAL = str.maketrans(
    "婴儿奶粉装书画鱼丝护发妆面手机电脑玩具动物样品饰摆杂凉鞋镜表链钢笔叶红绿",
    "嬰兒奶粉裝書畫魚絲護髮妝面手機電腦玩具動物樣品飾擺雜涼鞋鏡錶鏈鋼筆葉紅綠",
)
_HOMOGLYPHS = str.maketrans("aceopxi", "асеорхі")
_SIZED = {"clothing", "shoes", "baby"}
_NUMBERED = {"electronics", "phones", "watches", "toys", "models", "hardware", "books"}
_ADVERTS = ("【官方正品】", "【保税直发】", "进口", "跨境专供 ", "新品 ", "包邮 ", "2件装 ")
# What a live animal is sometimes called by a careless sender, and honest toys and books quite often.
REVEALING = (
    "beetle model", "ant farm toy", "蚂蚁工坊玩具", "昆虫模型", "spider toy", "蜘蛛模型玩具",
    "reptile figure", "insect specimen", "甲虫摆件", "爬虫用品", "gecko toy", "ant nest",
    "昆虫标本", "独角仙模型", "snake toy",
)  # fmt: skip
SEEDY = (
    "seed craft", "种子工艺品", "rosary beads", "bone ornament", "骨雕摆件", "freeze-dried mask",
    "metal tube part",
)  # fmt: skip


@dataclass(frozen=True)
class Names:
    """Every text of a world, in one pool that lines point into.

    Article `a` in style `s` stands at `a * STYLES + s`; the vague names of group `g` in `vague` start at
    `vague_start[g]`, `vague_count[g]` of them, English ones first.
    """

    pool: pl.Series
    models: pl.Series
    vague_start: Ints
    vague_count: Ints
    revealing_start: int
    seedy_start: int

    def article(self, article: Ints, style: Ints) -> Ints:
        """Return the place of each article's name in a style."""
        return article * STYLES + style


def make_names(rng: np.random.Generator, catalogue: Catalogue) -> Names:
    """Write the name pool of a world: STYLES names for each article, then vague and revealing ones."""
    names, models = _article_names(rng, catalogue)
    vague_start, vague_count = [], []
    for row in catalogue.groups.iter_rows(named=True):
        words = [*row["vague_en"].split("|"), *row["vague_zh"].split("|")]
        vague_start.append(len(names))
        vague_count.append(len(words))
        names += words
    return Names(
        pool=pl.Series("item_name", [*names, *REVEALING, *SEEDY], dtype=pl.String),
        models=pl.Series("item_model", models, dtype=pl.String),
        vague_start=np.array(vague_start),
        vague_count=np.array(vague_count),
        revealing_start=len(names),
        seedy_start=len(names) + len(REVEALING),
    )


def _article_names(rng: np.random.Generator, catalogue: Catalogue) -> tuple[list[str], list[str]]:
    """Return STYLES names and MODEL_STYLES models of each article, one article after the other."""
    table = catalogue.families
    chinese, english, groups = (table[name].to_list() for name in ("name_zh", "name_en", "group"))
    brand_english, brand_chinese = _brands(rng, catalogue.groups.height * BRANDS_PER_GROUP)
    articles = catalogue.articles
    code = rng.integers(10, 999, articles)
    letter = rng.integers(0, 26, (articles, 2))
    place = rng.random((articles, 4))
    names: list[str] = []
    models: list[str] = []
    for article in range(articles):
        family = int(catalogue.article_family[article])
        brand = int(catalogue.article_brand[article])
        zh, en, latin, han = chinese[family], english[family], brand_english[brand], brand_chinese[brand]
        number = f"{chr(65 + letter[article, 0])}{chr(65 + letter[article, 1])}-{code[article]}"
        size = _size(groups[family], float(catalogue.article_weight_kg[article]), number)
        where = place[article]
        advert = _ADVERTS[int(where[0] * len(_ADVERTS))]
        names += [
            f"{han}{zh} {size}",
            f"{latin} {en} {size}",
            f"{latin} {zh} {size}",
            zh,
            en,
            f"{zh}({size}) {latin}/{han}",
            f"{advert}{han} {zh} {size}",
            f"{en}, {size}, {latin.upper()}",
            _slip(f"{latin} {en} {size}", where[1]),
            _slip(f"{han}{zh}{size}", where[2]),
            (f"{latin} {zh} {size}").translate(_TRADITIONAL)
            if where[3] < 0.6
            else _full_width(f"{latin} {en}"),
            " ".join(zh) if where[3] < 0.5 else en.translate(_HOMOGLYPHS),
        ]
        models += [
            f"品牌:{han}|规格:{size}|型号:{number}",
            f"{latin} {number} {size}",
            f"无品牌|{size}",
        ]
    return names, models


def _brands(rng: np.random.Generator, count: int) -> tuple[list[str], list[str]]:
    """Return invented brands, in Latin letters and in Chinese."""
    first, last = rng.integers(0, len(_STARTS), count), rng.integers(0, len(_ENDS), count)
    signs = rng.integers(0, len(_BRAND_CHINESE), (count, 2))
    latin = [_STARTS[a] + _ENDS[b] for a, b in zip(first, last, strict=True)]
    han = ["".join(_BRAND_CHINESE[sign] for sign in row) for row in signs]
    return latin, han


def _size(group: str, weight_kg: float, number: str) -> str:
    if group in _SIZED:
        weighed = sum(ord(sign) * place for place, sign in enumerate(number, start=1))
        return f"{number} {'SMLX'[weighed % 4]}"
    if weight_kg < 0.02 or group in _NUMBERED:
        return number
    return f"{weight_kg * 1000:.0f}g" if weight_kg < 1 else f"{weight_kg:.1f}kg"


def _slip(text: str, where: float) -> str:
    """Return the text with two neighbouring signs swapped or one lost."""
    place = int(where * (len(text) - 1))
    if where * 10 % 1 < 0.5:
        return (text[:place] + text[place + 1 :]).strip()
    swapped = text[:place] + text[place + 1 : place + 2] + text[place : place + 1] + text[place + 2 :]
    return swapped.strip()


def _full_width(text: str) -> str:
    return "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in text)
