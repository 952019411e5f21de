"""What sellers call their goods on a day: names in their style, slips, and words that say little."""

import numpy as np

from pipelines.simulation.world.names import (
    ADVERT,
    CHINESE,
    CHINESE_PACK,
    CHINESE_SHORT,
    CLEAN_STYLES,
    ENGLISH,
    ENGLISH_PACK,
    ENGLISH_SHORT,
    MIXED,
    STYLES,
)
from pipelines.simulation.world.randomness import Flags, Floats, Ints, uniform
from pipelines.simulation.world.state import Today

_CHINESE_STYLES = np.array([CHINESE, CHINESE, MIXED, CHINESE_PACK, CHINESE_SHORT, ADVERT])
_ENGLISH_STYLES = np.array([ENGLISH, ENGLISH, ENGLISH_PACK, ENGLISH_SHORT])


def texts(today: Today, rng: np.random.Generator, slot: Ints, article: Ints) -> Ints:
    """Return the place in the name pool of what each line is called by its seller."""
    world = today.world
    names, sellers, count = world.names, world.sellers, len(slot)
    habit = uniform(world.salt("text habit"), slot, article)
    moment = rng.random(count)
    wavering = rng.random(count) < 0.15
    language = np.where(wavering, moment, uniform(world.salt("language"), slot, article // 40))
    english = language < sellers.english[slot]
    choice = np.where(wavering, rng.random(count), habit)
    style = np.where(
        english,
        _ENGLISH_STYLES[(choice * len(_ENGLISH_STYLES)).astype(np.int64)],
        _CHINESE_STYLES[(choice * len(_CHINESE_STYLES)).astype(np.int64)],
    )
    odd = rng.random(count) < world.parameters.typo_share
    style = np.where(odd, rng.integers(CLEAN_STYLES, STYLES, count), style)
    text = names.article(article, style)
    vague = rng.random(count) < np.minimum(sellers.vague[slot], 0.9)
    return np.where(vague, vague_texts(today, article, english, moment), text)


def vague_texts(today: Today, article: Ints, english: Flags, draw: Floats) -> Ints:
    """Return the place of a word that says no more than the group of the goods."""
    world = today.world
    group = world.catalogue.family_group[world.catalogue.article_family[article]]
    count = world.names.vague_count[group]
    latin = (count + 1) // 2
    offset = np.where(english, draw * latin, latin + draw * (count - latin)).astype(np.int64)
    return world.names.vague_start[group] + np.minimum(offset, count - 1)
