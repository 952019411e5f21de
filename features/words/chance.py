"""A probability in the words that a person weighs it with."""

from __future__ import annotations

from configs.language import ENGLISH, Language

# Above one in two, "1 in N" has no steps left: these are the fractions people say.
_FRACTIONS: tuple[tuple[int, int], ...] = (
    (1, 3), (2, 5), (1, 2), (3, 5), (2, 3), (3, 4), (4, 5), (9, 10), (19, 20), (49, 50), (1, 1),
)  # fmt: skip
_LEAST = 10_000


def chance_in_words(probability: float, language: Language = ENGLISH) -> str:
    """The nearest fraction that people say; natural frequencies are understood better than percentages.

    Source: Gigerenzer and Hoffrage, "How to improve Bayesian reasoning without instruction", Psychological
    Review 102 (1995).

    >>> [chance_in_words(p) for p in (0.17, 0.0123, 0.62, 0.00001)]
    ['about 1 in 6', 'about 1 in 81', 'about 3 in 5', 'less than 1 in 10,000']

    Raises:
        ValueError: the probability is not in [0, 1].
    """
    if not 0.0 <= probability <= 1.0:
        raise ValueError(f"a probability lies in [0, 1], got {probability}")
    if probability * _LEAST < 1.0:
        return language("less than 1 in {among}", among=language.number(_LEAST))
    return _about(*_fraction(probability), language)


def chance_between(low: float, high: float, language: Language = ENGLISH) -> str:
    """Both ends of what is known of a probability.

    >>> chance_between(0.051, 0.2), chance_between(0.00001, 0.01)
    ('about 1 in 20 to 1 in 5', 'at most about 1 in 100')

    Raises:
        ValueError: an end is not in [0, 1].
    """
    above = chance_in_words(high, language)
    if low * _LEAST < 1.0 <= high * _LEAST:
        return language("at most {chance}", chance=above)
    below = chance_in_words(low, language)
    if below == above or high * _LEAST < 1.0:
        return above
    (count, among), (count_above, among_above) = (_fraction(end) for end in (low, high))
    if count_above == among_above:
        return language("{chance} or more", chance=below)
    return language(
        "about {count} in {among} to {count_above} in {among_above}",
        count=language.number(count), among=language.number(among),
        count_above=language.number(count_above), among_above=language.number(among_above),
    )  # fmt: skip


def _fraction(probability: float) -> tuple[int, int]:
    if probability >= 2 / 7:
        return min(_FRACTIONS, key=lambda fraction: abs(fraction[0] / fraction[1] - probability))
    one_in = round(1.0 / probability)
    return 1, one_in if one_in < 100 else round(one_in, 2 - len(str(one_in)))


def _about(count: int, among: int, language: Language) -> str:
    if count == among:
        return language("almost certain")
    return language("about {count} in {among}", count=language.number(count), among=language.number(among))
