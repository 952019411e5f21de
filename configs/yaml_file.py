"""YAML as configuration needs it: no surprises from YAML 1.1, and a key stands once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import yaml

from configs.errors import ConfigurationError

_DEEPEST: Final = 40
_MOST_VALUES: Final = 100_000
_MOST_BYTES: Final = 10_000_000


class _PlainLoader(yaml.SafeLoader):
    """A safe loader in which codes stay what they look like.

    YAML 1.1 reads the country NO as false, the code 0102 as 66 and 2020-01-01 as a date object. Here only
    true/false, null and decimal numbers without leading zeros are more than text.
    """


_PlainLoader.yaml_implicit_resolvers = {}
for _tag, _pattern, _starts in (
    ("null", r"^(?:~|null|)$", ["~", "n", ""]),
    ("bool", r"^(?:true|false)$", ["t", "f"]),
    ("int", r"^[-+]?(?:0|[1-9][0-9_]*)$", list("-+0123456789")),
    ("float", r"^[-+]?(?:(?:0|[1-9][0-9_]*)?\.[0-9]+|(?:0|[1-9][0-9_]*)\.?)(?:[eE][-+]?[0-9]+)?$",
     list("-+.0123456789")),
    ("merge", r"^<<$", ["<"]),
):  # fmt: skip
    _PlainLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _starts)


def _mapping_without_repeats(loader: _PlainLoader, node: yaml.MappingNode) -> dict[Any, Any]:
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


_PlainLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping_without_repeats)


def _require_plain(text: str) -> None:
    """Count what the text stands for before anything of it is built: aliases of aliases double it each time.

    Raises:
        yaml.MarkedYAMLError: it is nested too deep, or stands for more values than a configuration has.
    """
    sizes: dict[str, int] = {}
    open_: list[tuple[str | None, int]] = []
    total = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        problem = None
        if isinstance(event, yaml.AliasEvent):
            total += sizes.get(str(event.anchor), 1)
            if any(anchor == event.anchor for anchor, _ in open_):
                problem = f"*{event.anchor} stands inside of what it stands for"
        elif isinstance(event, yaml.ScalarEvent):
            total += 1
            if event.anchor:
                sizes[event.anchor] = 1
        elif isinstance(event, yaml.CollectionStartEvent):
            open_.append((event.anchor, total))
            if len(open_) > _DEEPEST:
                problem = f"nested more than {_DEEPEST} levels deep"
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_.pop()
            if anchor is not None:
                sizes[anchor] = total - before
        if total > _MOST_VALUES:
            problem = f"it stands for more than {_MOST_VALUES:,} values, aliases included"
        if problem is not None:
            mark = event.start_mark
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=mark)  # type: ignore[arg-type]


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
        text = path.read_text(encoding="utf-8-sig")
        _require_plain(text)
        content = yaml.load(text, Loader=_PlainLoader)
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
