"""Rules about options: deprecation, validation, HTTP annotations, field behaviour, and all that only others know."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from counterfoil.compat import validation
from counterfoil.compat.changes import Difference
from counterfoil.compat.comparison import Comparison
from counterfoil.model import Level
from counterfoil.schema.elements import Element, Field, File, Method

Found = Iterator[Difference]
VALIDATION = (
    *("[buf.validate.field]", "[buf.validate.message]", "[buf.validate.oneof]", "[buf.validate.predefined]"),
    *("[validate.rules]", "[validate.required]", "[validate.disabled]", "[validate.ignored]"),
)
"""protovalidate's options, and those of protoc-gen-validate before it."""
HTTP = "[google.api.http]"
VERBS = ("get", "put", "post", "delete", "patch")
FIELD_BEHAVIOR = "[google.api.field_behavior]"
HARMLESS_BEHAVIOR = {"OPTIONAL", "FIELD_BEHAVIOR_UNSPECIFIED"}
TOLD_ELSEWHERE = {
    *("features", "deprecated", "packed", "ctype", "jstype", "map_entry", "message_set_wire_format", "allow_alias"),
    *("idempotency_level", "uninterpreted_option", HTTP, FIELD_BEHAVIOR, *VALIDATION),
}
NOT_DECLARED = {"#1159", "#1071", "#72295728", "#1052"}
"""The same by number: buf.validate, validate, google.api.http and field_behavior in an image without their files."""
FEATURES_WITHOUT_A_RULE = ("enforce_naming_style", "enforce_proto_limits")
SHOWN_CHARS = 300


def deprecation_changed(_comparison: Comparison, old: Element, new: Element) -> Found:
    """Marked as deprecated, or no longer: compilers warn, nothing else."""
    if old.is_deprecated is not new.is_deprecated:
        texts = ["deprecated" if one.is_deprecated else "not deprecated" for one in (old, new)]
        yield Difference(element=old, counterpart=new, old=texts[0], new=texts[1])


def validation_tightened(comparison: Comparison, old: Element, new: Element) -> Found:
    """What was valid may now be refused."""
    for before, after, verdicts in _validations(comparison, old, new):
        if verdicts.tightened:
            yield Difference(element=old, counterpart=new, old=_text(before), new=_text(after))


def validation_of_new_field(comparison: Comparison, _old: None, new: Field) -> Found:
    """A new field that has to be there: what old writers send, without it, is refused."""
    options = comparison.options_of_new(new)
    rules = {name: _rules(options[name]) for name in VALIDATION if name in options}
    if any(validation.refuses_absence(one, tracks_presence=new.has_presence) for one in rules.values()):
        yield Difference(element=new, is_addition=True, old="no such field", new=_text(rules))


def validation_loosened(comparison: Comparison, old: Element, new: Element) -> Found:
    """What was refused now goes through, to readers that may not expect it."""
    for before, after, verdicts in _validations(comparison, old, new):
        if verdicts.loosened and not verdicts.tightened:
            yield Difference(element=old, counterpart=new, old=_text(before), new=_text(after))


def _validations(comparison: Comparison, old: Element, new: Element) -> Iterator[tuple[Any, Any, validation.Verdicts]]:
    before, after = comparison.options(old, new)
    names = [name for name in VALIDATION if before.get(name) != after.get(name)]
    if names:
        rules = [{name: _rules(side.get(name)) for name in names} for side in (before, after)]
        tightened: tuple[str, ...] = ()
        loosened: tuple[str, ...] = ()
        for name in names:
            verdicts = validation.judge(rules[0][name], rules[1][name])
            tightened, loosened = tightened + verdicts.tightened, loosened + verdicts.loosened
        yield rules[0], rules[1], validation.Verdicts(tightened, loosened)


def _rules(option: object) -> Mapping[str, Any]:
    """An option that is one flag is a rule of its own."""
    if isinstance(option, Mapping):
        return option
    return {} if option is None else {"required": option}


def field_behavior_tightened(comparison: Comparison, old: Element, new: Element) -> Found:
    """REQUIRED, IMMUTABLE, OUTPUT_ONLY and the like: callers have to do something else."""
    before, after = (_behaviors(one) for one in comparison.options(old, new))
    if after - before - HARMLESS_BEHAVIOR:
        yield Difference(element=old, counterpart=new, old=_listed(before), new=_listed(after))


def field_behavior_of_new_field(comparison: Comparison, _old: None, new: Field) -> Found:
    """A new field that callers have to set: none of them does yet."""
    behaviors = _behaviors(comparison.options_of_new(new))
    if "REQUIRED" in behaviors:
        yield Difference(element=new, is_addition=True, old="no such field", new=_listed(behaviors))


def field_behavior_loosened(comparison: Comparison, old: Element, new: Element) -> Found:
    """A behaviour that no longer binds callers."""
    before, after = (_behaviors(one) for one in comparison.options(old, new))
    if before - after - HARMLESS_BEHAVIOR and not after - before - HARMLESS_BEHAVIOR:
        yield Difference(element=old, counterpart=new, old=_listed(before), new=_listed(after))


def _behaviors(options: Mapping[str, Any]) -> set[str]:
    found = options.get(FIELD_BEHAVIOR, [])
    return set(map(str, found if isinstance(found, list) else [found]))


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def http_method_changed(comparison: Comparison, old: Method, new: Method) -> Found:
    """Another HTTP method for the first binding."""
    for before, after in _first_bindings(comparison, old, new):
        if before[0] != after[0]:
            yield _binding(old, new, before, after)


def http_path_changed(comparison: Comparison, old: Method, new: Method) -> Found:
    """Another path for the first binding."""
    for before, after in _first_bindings(comparison, old, new):
        if before[1] != after[1]:
            yield _binding(old, new, before, after)


def http_body_changed(comparison: Comparison, old: Method, new: Method) -> Found:
    """Another field, or none, in the body of requests or responses."""
    before, after = (_by_route(one) for one in comparison.options(old, new))
    pairs = [*_first_bindings(comparison, old, new)]
    pairs += [(one, after[route]) for route, one in before.items() if route in after]
    changed = [pair for pair in dict.fromkeys(pairs) if pair[0][2:] != pair[1][2:]]
    if changed:
        yield _binding(old, new, *changed[0])


def http_binding_removed(comparison: Comparison, old: Method, new: Method) -> Found:
    """A route that callers used is gone."""
    before, after = (_bindings(one) for one in comparison.options(old, new))
    routes = {one[:2] for one in after}
    gone = [one for one in (before if not after else before[1:]) if one[:2] not in routes]
    if gone:
        texts = "; ".join(map(_binding_text, gone)), "; ".join(map(_binding_text, after)) or "no HTTP annotation"
        yield Difference(element=old, counterpart=new, old=texts[0], new=texts[1])


def http_binding_added(comparison: Comparison, old: Method, new: Method) -> Found:
    """A further route."""
    before, after = (_bindings(one) for one in comparison.options(old, new))
    routes = {one[:2] for one in before}
    fresh = [one for one in (after if not before else after[1:]) if one[:2] not in routes]
    if fresh:
        texts = "; ".join(map(_binding_text, before)) or "no HTTP annotation", "; ".join(map(_binding_text, fresh))
        yield Difference(element=old, counterpart=new, old=texts[0], new=texts[1])


Binding = tuple[str, str, str, str]
"""HTTP method, path, the field of the request in the body, the field of the response in the body."""


def _first_bindings(comparison: Comparison, old: Method, new: Method) -> Iterator[tuple[Binding, Binding]]:
    """The main routes, where the old one does not live on as an additional one."""
    before, after = (_bindings(one) for one in comparison.options(old, new))
    if before and after and before[0][:2] not in {one[:2] for one in after}:
        yield before[0], after[0]


def _by_route(options: Mapping[str, Any]) -> dict[tuple[str, str], Binding]:
    return {one[:2]: one for one in _bindings(options)}


def _bindings(options: Mapping[str, Any]) -> list[Binding]:
    annotation = options.get(HTTP)
    if not isinstance(annotation, Mapping):
        return []
    more = annotation.get("additional_bindings", [])
    rules = [annotation, *(one for one in more if isinstance(one, Mapping))]
    return [
        (*route, str(rule.get("body", "")), str(rule.get("response_body", "")))
        for rule in rules
        for route in _routes(rule)
    ]


def _routes(rule: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for verb in VERBS:
        if verb in rule:
            yield verb.upper(), _path(str(rule[verb]))
    custom = rule.get("custom")
    if isinstance(custom, Mapping):
        yield str(custom.get("kind", "")), _path(str(custom.get("path", "")))


def _path(template: str) -> str:
    """`{name=*}` is what `{name}` says in full."""
    return re.sub(r"\{([^}=]+)=\*\}", r"{\1}", template)


def _binding(old: Method, new: Method, before: Binding, after: Binding) -> Difference:
    return Difference(element=old, counterpart=new, old=_binding_text(before), new=_binding_text(after))


def _binding_text(binding: Binding) -> str:
    verb, path, body, response = binding
    words = f"{verb} {path}"
    words += f" body: {body}" if body else ""
    return f"{words} response_body: {response}" if response else words


def option_changed(comparison: Comparison, old: Element, new: Element) -> Found:
    """An option without a rule of its own; what it means, only those know who read it."""
    before, after = comparison.options(old, new)
    told = TOLD_ELSEWHERE | (
        {name for name in before.keys() | after.keys() if name[0] not in "[#"} if isinstance(old, File) else set()
    )
    names = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    names = [name for name in names if name not in told]
    if names:
        texts = [_text({name: side[name] for name in names if name in side}) for side in (before, after)]
        level = Level.POLICY if NOT_DECLARED.intersection(names) else None
        yield Difference(element=old, counterpart=new, old=texts[0], new=texts[1], level=level)


def feature_changed(comparison: Comparison, old: Element, new: Element) -> Found:
    """A feature that binds only the compiler, or one language's generated code."""
    sides = []
    for options in comparison.options(old, new):
        features = options.get("features", {})
        sides.append({k: v for k, v in features.items() if k in FEATURES_WITHOUT_A_RULE or k.startswith("[")})
    if sides[0] != sides[1]:
        yield Difference(element=old, counterpart=new, old=_text(sides[0]), new=_text(sides[1]))


def _text(value: object) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False) if value else "(not set)"
    return text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}..."
