"""What the schema of the configuration finds wrong, in this project's words and with YAML's idea of numbers."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator, ValidationError, validators

from featprune.errors import nearest

Keys = tuple[str | int, ...]
Problem = tuple[Keys, str]

NUMERAL = re.compile(r"(?=.{1,40}\Z)-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
BOUNDS = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}
TYPES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "an integer",
    "null": "null",
    "number": "a number",
    "object": "a mapping",
    "string": "a string",
}


def make_validator(schema: Mapping[str, Any], choices: Mapping[str, Collection[str]]) -> Any:
    """A validator of JSON Schema with this project's keywords, and with YAML's idea of numbers."""

    def choice(_, kind, value, __):
        if isinstance(value, str) and value not in choices[kind]:
            yield ValidationError(f"unknown {kind} {value!r}; {nearest(value, choices[kind])}")

    def axis(_, __, values, ___):
        seen: dict[float, Any] = {}
        for index, value in enumerate(values if isinstance(values, list) else []):
            number = as_number(value)
            if number is None:
                yield ValidationError(f"expected a number, got {shown(value)}", path=[index])
            elif number <= 0:
                yield ValidationError(f"{value} is out of range (must be > 0)", path=[index])
            elif number in seen:
                yield ValidationError(f"{value} repeats {seen[number]}", path=[index])
            else:
                seen[number] = value

    # JSON has 1500.0 as an integer, and nothing to say on the infinite.
    types = Draft202012Validator.TYPE_CHECKER.redefine_many(
        {
            "integer": lambda _, value: isinstance(value, int) and not isinstance(value, bool),
            "number": lambda _, value: not isinstance(value, str) and as_number(value) is not None,
        }
    )
    keywords = {"x-choice": choice, "x-axis": axis}
    return validators.extend(Draft202012Validator, keywords, type_checker=types)(schema)


def explain(error: ValidationError) -> Iterator[Problem]:
    """One of jsonschema's errors in this project's words: where, and what."""
    keys, value, rule, schema = tuple(error.absolute_path), error.instance, error.validator, error.schema
    named = "propertyNames" in error.absolute_schema_path
    if named and rule == "not":
        yield (*keys, value), "is the name of the additional experiments; take another"
    elif named or rule == "pattern":
        yield (*keys, *[value] * named), "a name may only have letters, digits, _ and -, 100 of them at most"
    elif rule == "additionalProperties":
        for key in value:
            if key not in schema["properties"]:
                yield (*keys, key), f"unknown key; {nearest(key, schema['properties'])}"
    elif rule == "required":
        for key in schema["required"]:
            if key not in value:
                yield (*keys, key), "missing"
    elif rule == "type":
        names = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
        text = f"expected {' or '.join(TYPES[name] for name in names)}, got {shown(value)}"
        if isinstance(value, str) and as_number(value) is not None and {"integer", "number"} & set(names):
            text += " (to YAML, a number has no quotes, and an exponent as in 1.0e-3)"
        yield keys, text
    elif rule == "enum":
        yield keys, f"unknown value {shown(value)}; {nearest(value, schema['enum'])}"
    elif rule in BOUNDS:
        bounds = " and ".join(f"{BOUNDS[key]} {schema[key]}" for key in schema if key in BOUNDS)
        yield keys, f"{value} is out of range (must be {bounds})"
    elif rule in ("minItems", "minLength", "minProperties"):
        yield keys, "must not be empty"
    elif rule == "uniqueItems":
        for index, entry in enumerate(value):
            if entry in value[:index]:
                yield (*keys, index), f"{shown(entry)} is listed twice"
    else:
        yield keys, error.message


def as_number(value: Any) -> float | None:
    """The value of a number or of a string that is written like one; None for all else and the infinite."""
    numeral = isinstance(value, str) and NUMERAL.fullmatch(value)
    if isinstance(value, bool) or not (numeral or isinstance(value, int | float)):
        return None
    number = float(str(value))
    return number if math.isfinite(number) else None


def shown(value: Any) -> str:
    """A value as an error shows it: in one line, in YAML's words."""
    if isinstance(value, dict | list):
        return TYPES["object" if isinstance(value, dict) else "array"]
    return json.dumps(value) if value is None or isinstance(value, bool) else repr(value)
