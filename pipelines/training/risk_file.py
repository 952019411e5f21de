"""Writes a risk's file with other model parameters: every other line and every comment stays as it is."""

from __future__ import annotations

from collections.abc import Mapping

import yaml

from models.trees.booster import Parameter


def with_parameters(text: str, parameters: Mapping[str, Parameter], rounds: int) -> str:
    """The text of a risk's YAML file with these parameters in `model` and this number of `rounds`.

    A value takes the place of the one before; a parameter that the file does not set joins behind the last.

    >>> text = "label: a\\nmodel: {num_leaves: 31}  # few\\n"
    >>> print(with_parameters(text, {"num_leaves": 9, "lambda_l2": 2.0}, 80))
    label: a
    model: {num_leaves: 9, lambda_l2: 2.0}  # few
    rounds: 80
    """
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    assert isinstance(root, yaml.MappingNode)  # a risk that was loaded from it
    keys = {key.value: value for key, value in root.value}
    edits: list[tuple[int, int, str]] = []
    model, end = keys.get("model"), ""
    if isinstance(model, yaml.MappingNode) and model.value:
        edits += _model_edits(text, model, parameters)
    elif isinstance(model, yaml.Node):
        start = model.start_mark.index
        space = " " if text[start - 1] == ":" else ""
        edits.append((start, model.end_mark.index, space + _flow(parameters)))
    else:
        end += f"model: {_flow(parameters)}\n"
    if "rounds" in keys:
        value = keys["rounds"]
        edits.append((value.start_mark.index, value.end_mark.index, str(rounds)))
    else:
        end += f"rounds: {rounds}\n"
    for start, stop, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[stop:]
    return text if not end else text.rstrip("\n") + "\n" + end


def _model_edits(
    text: str, model: yaml.MappingNode, parameters: Mapping[str, Parameter]
) -> list[tuple[int, int, str]]:
    edits, present = [], {key.value: value for key, value in model.value}
    for name, node in present.items():
        if name in parameters:
            edits.append((node.start_mark.index, node.end_mark.index, _written(parameters[name])))
    added = {name: value for name, value in parameters.items() if name not in present}
    if not added:
        return edits
    key, last = model.value[-1]
    if model.flow_style:
        place = last.end_mark.index
        joined = "".join(f", {name}: {_written(value)}" for name, value in added.items())
    else:
        place = text.find("\n", last.end_mark.index)
        place = len(text) if place < 0 else place
        indent = " " * key.start_mark.column
        joined = "".join(f"\n{indent}{name}: {_written(value)}" for name, value in added.items())
    return [*edits, (place, place, joined)]


def _flow(parameters: Mapping[str, Parameter]) -> str:
    return "{" + ", ".join(f"{name}: {_written(value)}" for name, value in parameters.items()) + "}"


def _written(value: Parameter) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
