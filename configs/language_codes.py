"""The languages that documents can be written in; in a module of its own, as the command line names them."""

from typing import Literal, get_args

LanguageCode = Literal["en", "zh-CN"]
LANGUAGES: tuple[LanguageCode, ...] = get_args(LanguageCode)
