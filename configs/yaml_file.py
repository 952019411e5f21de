"""YAML as configuration needs it: no surprises from YAML 1.1, and a key stands once."""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import yaml
from yaml.composer import Composer

try:
    from yaml import CSafeLoader as LoaderInC
except ImportError:  # PyYAML was built without libyaml
    from yaml import SafeLoader as LoaderInC  # type: ignore[assignment]

from configs.errors import ConfigurationError

_DEEPEST: Final = 40
_MOST_VALUES: Final = 100_000
_MOST_BYTES: Final = 10_000_000
_MOST_PARSED: Final = 64


class _PlainYaml(Composer):
    """What makes of a safe loader one in which codes stay what they look like.

    YAML 1.1 reads the country NO as false, the code 0102 as 66 and 2020-01-01 as a date object. Here only
    true/false, null and decimal numbers without leading zeros are more than text. What the file stands for is
    counted before anything of it is built: aliases of aliases double it each time.
    """

    peek_event: Callable[[], yaml.Event]

    def __init__(self) -> None:
        Composer.__init__(self)
        self._depth = self._values = 0
        self._sizes: dict[yaml.Node | None, int] = {}

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Return the next node, whose values are counted.

        Raises:
            yaml.MarkedYAMLError: it is nested too deep, or stands for more values than a configuration has.
        """
        event, before = self.peek_event(), self._values
        self._depth += 1
        if isinstance(event, yaml.CollectionStartEvent) and self._depth > _DEEPEST:
            raise _problem(event, f"nested more than {_DEEPEST} levels deep")
        node = super().compose_node(parent, index)
        self._depth -= 1
        if isinstance(event, yaml.AliasEvent):
            if node not in self._sizes:
                raise _problem(event, f"*{event.anchor} stands inside of what it stands for")
            self._values += self._sizes[node]
        elif isinstance(event, yaml.ScalarEvent):
            self._values += 1
        if self._values > _MOST_VALUES:
            raise _problem(event, f"it stands for more than {_MOST_VALUES:,} values, aliases included")
        self._sizes[node] = self._values - before
        return node


def _problem(event: yaml.Event, words: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=words, problem_mark=event.start_mark)  # type: ignore[arg-type]


class _PlainLoader(_PlainYaml, yaml.SafeLoader):
    """Says best what is wrong with a text."""

    def __init__(self, text: str) -> None:
        yaml.SafeLoader.__init__(self, text)
        _PlainYaml.__init__(self)


class _FastLoader(_PlainYaml, LoaderInC):
    """Reads a text that nothing is wrong with ten times as fast."""

    def __init__(self, text: str) -> None:
        LoaderInC.__init__(self, text)
        _PlainYaml.__init__(self)


_PlainLoader.yaml_implicit_resolvers = _FastLoader.yaml_implicit_resolvers = {}
for _tag, _pattern, _starts in (
    ("null", r"^(?:~|null|)$", ["~", "n", ""]),
    ("bool", r"^(?:true|false)$", ["t", "f"]),
    ("int", r"^[-+]?(?:0|[1-9][0-9_]*)$", list("-+0123456789")),
    ("float", r"^[-+]?(?:(?:0|[1-9][0-9_]*)?\.[0-9]+|(?:0|[1-9][0-9_]*)\.?)(?:[eE][-+]?[0-9]+)?$",
     list("-+.0123456789")),
    ("merge", r"^<<$", ["<"]),
):  # fmt: skip
    _PlainLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _starts)


def _mapping_without_repeats(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        if isinstance(key, (dict, list)):
            raise yaml.MarkedYAMLError(problem="a key has to be one word", problem_mark=key_node.start_mark)
        if key in seen:
            raise yaml.MarkedYAMLError(
                problem=f"the key {key!r} stands twice", problem_mark=key_node.start_mark
            )
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


for _loader in (_PlainLoader, _FastLoader):
    _loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping_without_repeats)


# Read again by every verb of a process that runs several, and by every test.
@lru_cache(_MOST_PARSED)
def _parsed(text: str) -> Any:
    try:
        return yaml.load(text, Loader=_FastLoader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return yaml.load(text, Loader=_PlainLoader)


def read_yaml(path: Path) -> dict[str, Any]:
    """The keys and values of a YAML file; an empty file is an empty mapping.

    Raises:
        ConfigurationError: the file cannot be read, is not YAML, repeats a key, or is not a mapping.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ConfigurationError(
                f"{path}: expected at most {_MOST_BYTES:,} bytes of configuration, "
                f"found {path.stat().st_size:,}"
            )
        content = deepcopy(_parsed(path.read_text(encoding="utf-8-sig")))
    except OSError as error:
        raise ConfigurationError(
            f"{path}: expected a YAML file that can be read; came: {error.strerror}"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"{path}: expected UTF-8 text; byte {error.start} is not. Save the file as UTF-8."
        ) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
        raise ConfigurationError(f"{path}: {where}not valid YAML: {error.problem}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        # A number of thousands of digits is a ValueError of Python's.
        raise ConfigurationError(f"{path}: not valid YAML: {str(error)[:200]}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigurationError(
            f"{path}: expected keys and values (key: value); came a {type(content).__name__}"
        )
    return content
