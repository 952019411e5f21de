"""From a failed check to words: which file, which key, what was expected, what came, what is near."""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from configs.errors import ConfigurationError

MOST_EXAMPLES = 5
"""More than so many of a kind are counted, and not shown."""
_MOST_CHARACTERS = 80


def nearest(name: str, known: Iterable[str]) -> str:
    """A sentence that offers the known name closest to `name`, or nothing where none is close.

    >>> nearest("tolerence", ["tolerance", "folds"])
    " Did you mean 'tolerance'?"
    >>> nearest("x", ["tolerance"])
    ''
    """
    near = difflib.get_close_matches(name, list(known), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def quoted(value: object) -> str:
    """A value as it can be shown in a message: its literal, cut after 80 characters.

    >>> quoted("abc")
    "'abc'"
    """
    text = repr(value)
    return text if len(text) <= _MOST_CHARACTERS else text[: _MOST_CHARACTERS - 1] + "…"


def some_of(items: Sequence[object]) -> str:
    """The first five, and how many more there are.

    >>> some_of("abc"), some_of(range(2_000))
    ('a, b, c', '0, 1, 2, 3, 4 and 1,995 more')
    """
    more = len(items) - MOST_EXAMPLES
    return ", ".join(map(str, items[:MOST_EXAMPLES])) + (f" and {more:,} more" if more > 0 else "")


def configuration_error(path: Path, error: ValidationError, model: type[BaseModel]) -> ConfigurationError:
    """The error of a file that does not fit `model`, with at most five of its problems."""
    problems = error.errors(include_url=False)
    lines = [_line(problem, model) for problem in problems[:MOST_EXAMPLES]]
    if len(problems) > MOST_EXAMPLES:
        lines.append(f"and {len(problems) - MOST_EXAMPLES} more")
    return ConfigurationError(f"{path}:\n" + "\n".join(f"  {line}" for line in lines))


def _line(problem: Mapping[str, Any], model: type[BaseModel]) -> str:
    location: Sequence[str | int] = problem["loc"]
    came = quoted(problem["input"])
    shown, _ = _walk(model, location)
    where = _dotted(shown) or "the whole file"
    if problem["type"] == "extra_forbidden":
        allowed = _allowed_keys(model, location[:-1])
        hint = nearest(str(location[-1]), allowed)
        return f"{where}: unknown key; came {came}.{hint} Allowed keys: {', '.join(allowed)}"
    if problem["type"] == "missing":
        return f"{where}: this key is missing. Add it, or see the packaged file for an example"
    if problem["type"] in ("model_type", "dict_type"):
        return f"{where}: expected keys and values; came {came}"
    message = str(problem["msg"])
    if problem["type"] == "value_error":
        # Our own checks name what they found; repeating a whole section would bury it.
        return f"{where}: {message.removeprefix('Value error, ')}"
    if message.startswith("Input should "):
        return f"{where}: expected it to {message.removeprefix('Input should ')}; came {came}"
    return f"{where}: {message[:1].lower()}{message[1:]}; came {came}"


def _dotted(location: Sequence[str | int]) -> str:
    """('history', 'combinations', 2, 'name') becomes history.combinations[2].name."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _allowed_keys(model: type[BaseModel], location: Sequence[str | int]) -> list[str]:
    _, annotation = _walk(model, location)
    # `name` of a risk or mapping is the name of its file, the others come from `reasons.yaml`.
    hidden = (
        {"name", "fallback_reason", "shared_reasons"}
        if annotation is model and "name" in model.model_fields
        else set()
    )
    return sorted({key for found in _models(annotation) for key in found.model_fields} - hidden)


def _walk(model: type[BaseModel], location: Sequence[str | int]) -> tuple[list[str | int], Any]:
    """The parts of a location that are keys of the file, and the annotation at its end.

    pydantic puts the member of a union into the location; that is no key, it only narrows the annotation.
    """
    shown: list[str | int] = []
    annotation: Any = model
    for part in location:
        models = _models(annotation)
        fields = [found.model_fields[part].annotation for found in models if part in found.model_fields]
        boxes = [option for option in _options(annotation) if get_origin(option) in (dict, list, tuple)]
        if fields:
            annotation = fields[0]
        elif boxes and not str(part).startswith(("tuple[", "literal[")):
            in_dict = get_origin(boxes[0]) is dict
            annotation = get_args(boxes[0])[1 if in_dict else 0]
            part = str(part) if in_dict else part
        else:
            tagged = [found for found in models if part in _tags(found)]
            if tagged or boxes:
                annotation = tagged[0] if tagged else annotation
                continue
        shown.append(part)
    return shown, annotation


def _tags(model: type[BaseModel]) -> tuple[Any, ...]:
    """The values of the field `kind` that tell the members of a union apart."""
    kind = model.model_fields.get("kind")
    return get_args(kind.annotation) if kind is not None else ()


def _options(annotation: Any) -> list[Any]:
    """The members of a union, without their metadata."""
    if get_origin(annotation) is Annotated:
        return _options(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return [option for member in get_args(annotation) for option in _options(member)]
    return [annotation]


def _models(annotation: Any) -> list[type[BaseModel]]:
    return [
        option
        for option in _options(annotation)
        if isinstance(option, type) and issubclass(option, BaseModel)
    ]
