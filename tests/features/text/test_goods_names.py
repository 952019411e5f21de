"""Names that name goods themselves, and names that only sound so."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

import pipelines.simulation.world
from configs.reference.facts import load_reference
from features.text.goods_names import named_goods

DAY = load_reference().on(date(2026, 11, 20))
WORLD = Path(pipelines.simulation.world.__file__).parent

NAMED = {
    "live_animals": """live gecko|gecko|leopard gecko juvenile 2pcs|LEOPARD GECKO|snake, live
        live snakes|ball python|pair of leopard geckos|live ants|live beetle 3 pcs|tarantula
        golden hamster|Dynastes hercules|hermit crab|queen ant|axolotl|bearded dragon male
        stag beetle larvae|live goldfish|g.e.c.k.o|活体守宫|守宫 现货|豹纹守宫幼体|活体蚂蚁
        蚂蚁活体 100只|独角仙 一对|金丝熊|玉米蛇|球蟒 ball python|活体|活体宠物|活体昆虫|捕鸟蛛 幼体
        角蛙 3只|蜜袋鼯|鲜活螃蟹|活 体 蚂 蚁|獨角仙|【跨境】守宫 苗子|收获蚁 新款""",
    "meat": """beef jerky|Beef Jerky 100g x2|iberico ham|pork sausage|salami|foie gras|beef
        smoked bacon 200g|牛肉干 500g|朵瑞牛肉干 清仓|伊比利亚火腿 礼盒装|香肠|腊肉|鹅肝酱|即食鸡胸肉
        猪肉脯 独立包装|午餐肉""",
    "aquatic": "fresh oysters|raw salmon 1kg|frozen shrimp|新鲜三文鱼|冰鲜三文鱼|生鲜扇贝",
    "dairy": """cheddar cheese|cheese|cream cheese 200g|salted butter|greek yogurt|切达奶酪|黄油 250g
        酸奶|鲜奶|炼乳""",
    "eggs": "salted duck egg|mayonnaise 300g|皮蛋|咸鸭蛋|蛋黄酱",
    "birds_nest": "燕窝盏|燕窝 100g 礼盒|edible bird's nest",
    "animal_parts": "velvet antler slices|鹿茸片|鹿角|羚羊角",
    "animal_feed": "fish meal|骨粉|鱼粉 5kg",
    "fresh_produce": "fresh mango|fresh cherries 2kg|新鲜芒果 5kg|鲜芒果|新鲜松茸",
    "cut_flowers": "fresh cut flowers|鲜切花|鲜玫瑰",
    "tobacco_leaf": "tobacco leaf|烟叶",
    "seeds_plants": """tulip bulbs|tomato seeds 50pcs|pack of tomato seeds|vegetable seeds for garden
        succulent plant|番茄种子|种子 100粒|郁金香种球|兰花苗|空气凤梨|多肉植物""",
    "biologicals": "fetal bovine serum|bacterial culture|胎牛血清|血液样本|狂犬疫苗",
    "specimens": "insect specimen|mounted butterfly|蝴蝶标本|昆虫标本",
    "soil": "potting soil 5l|土壤样品|营养土",
}
HARMLESS = """snake bag|gecko box|butterfly set|turtle cup|守宫套装|
    玩具蛇|snake toy|toy snake|beetle ornament|mouse pad|mouse|鼠标|鼠标垫|computer mouse
    elegant dress|plush gecko|gecko tape|beetle costume|snake print dress|snake book|butterfly sticker
    butterfly brooch|snake skin bag|crocodile shoes|甲虫摆件|甲虫果冻|甲虫扭蛋|beetle jelly|蚂蚁城堡
    ant farm|昆虫标本画|insect art frame print|昆虫模型|仿真蛇|毛绒守宫|仿真多肉植物|蜘蛛整蛊玩具
    spider prank toy|3D打印活体守宫模型|live gecko figurine|plastic live insects toy|牛肉味薯片
    beef flavour chips|instant noodles beef|方便面 红烧牛肉|peanut butter|shea body butter|cheese grater
    酸奶机|yogurt maker|egg timer|奶酪刨丝器|milk tea|牛奶面膜|milk body lotion|crab flavour crackers
    素火腿|vegan sausage|即食燕窝|canned bird nest|bird nest house|燕窝面膜|grape seed extract
    seed beads|葡萄籽精华|花种子贴纸|磁力种子|dried mango|芒果干|fresh mango shampoo
    mango scented candle|freeze dried strawberries|生姜洗发水|鲜花饼|永生鲜花|live streaming light
    生活用品|活力女鞋|蝴蝶结发夹|Ninja Turtle|turtle neck sweater|teddy bear|rubber duck
    goldfish crackers|dog|cat|活体猫|puppy|scorpion in resin|Python programming|python|VW beetle|ant
    antique|milk powder|奶粉|婴幼儿配方奶粉|鱼油|honey|蜂蜜|猫粮|cat food|pet leash|鱼缸|bird cage
    soil tester|土壤检测仪|鹿胎胶囊|象牙白粉底|vacuum|bacteria killer spray|益生菌|疫苗本|蚕丝被|羊毛衫
    牛皮带|真皮钱包|珊瑚绒睡衣|孔雀蓝裙|バッグ|뱀 장난감|gecko クリップ|Namibia|tarantula game
    shrimp chips|crab stick snack|虾条|蟹味棒零食|fishing lure worm|bee honey|bee pollen capsule
    butterfly valve|spider web|snake cable|worm gear|rat tail comb|bird feeder|turtle wax
    duck down jacket|goose feather pillow|rabbit fur scarf|horse oil cream|马油面霜|蜗牛原液精华
    蜗牛面霜|snail cream|蜂胶胶囊|龟苓膏|老虎油|蛇油护手霜|牛油果|牛油果油|鸡尾酒|鱼子酱面膜|燕麦|虎牙
    狼爪冲锋衣|鳄鱼T恤|熊猫公仔|企鹅玩偶"""


def listed(text: str) -> list[str]:
    return [name.strip() for name in text.replace("\n", "|").split("|") if name.strip()]


def items(names: list[str]) -> dict[str, str]:
    found = named_goods(pl.Series(names), DAY["prohibited_words"], DAY["name_words"])
    return dict(found.select("name", "item").iter_rows())


@pytest.mark.parametrize("item", NAMED)
def test_goods_that_are_named(item: str) -> None:
    names = listed(NAMED[item])
    assert items(names) == dict.fromkeys(names, item)


def test_likenesses_flavours_and_other_words() -> None:
    assert items(listed(HARMLESS)) == {}


def test_a_model_of_any_living_thing_is_none() -> None:
    """Every word for a creature, beside words for what it is made as."""
    words = DAY["prohibited_words"].filter(pl.col("item") == "live_animals")["term"].to_list()
    chinese = [word for word in words if not word.isascii()]
    english = [word for word in words if word.isascii()]
    names = [
        template.format(word) for word in chinese for template in ("{}玩具", "毛绒{}", "仿真{}", "{}图案T恤")
    ]
    names += [
        template.format(word)
        for word in english
        for template in ("{} toy", "plush {}", "{} model kit", "print of {}", "{} sticker", "toy for {}")
    ]
    assert items(names) == {}


def test_a_living_one_of_every_generic_word_is_one() -> None:
    words = DAY["prohibited_words"].filter(pl.col("named") == "living")["term"].to_list()
    names = {word: f"live {word}" if word.isascii() else f"活体{word}" for word in words}
    found = items(list(names.values()))
    assert {word: found.get(name) for word, name in names.items()} == dict.fromkeys(words, "live_animals")


def test_names_come_once_and_nulls_name_nothing() -> None:
    found = named_goods(pl.Series(["gecko", None, "gecko"]), DAY["prohibited_words"], DAY["name_words"])
    assert found.rows() == [("gecko", "live_animals", "gecko")]
    none = named_goods(pl.Series([None], dtype=pl.String), DAY["prohibited_words"], DAY["name_words"])
    assert none.schema == found.schema
    assert none.is_empty()
    assert named_goods(pl.Series(["gecko"]), DAY["prohibited_words"].clear(), DAY["name_words"]).is_empty()


def test_the_goods_of_the_simulator_are_harmless() -> None:
    catalogue = pl.read_csv(WORLD / "catalogue.csv", infer_schema=False)
    groups = pl.read_csv(WORLD / "groups.csv", infer_schema=False)
    names = [*catalogue["name_en"], *catalogue["name_zh"]]
    for column in ("vague_en", "vague_zh"):
        names += groups[column].str.split("|").explode().to_list()
    assert len(set(names)) > 400
    assert items(names) == {}
