"""The rules of the Pact specification that derivations cite, each with what the reference matcher does otherwise."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """A rule. `says` in our words; `source` version and section; `reference` where pact_matching 2.1 differs, or ""."""

    says: str
    source: str
    reference: str = ""

    def __str__(self) -> str:
        return f"{self.says} ({self.source})"


EQUALITY = Clause(says="without a matcher a value must be equal", source="V1, 'Body matching'")
EXAMPLE = Clause(
    says="the example itself; that a key may be absent is told by an interaction in which it is",
    source="V1, 'Body matching'",
)
KEY_REQUIRED = Clause(
    says="every key of the example must be present; Pact has no optional matcher", source="V1, 'Body matching'"
)
EXTRA_ALLOWED = Clause(
    says="a response or message may have keys that the example lacks",
    source="V1, 'Specification philosophy': be as loose as possible with what is accepted",
)
EXTRA_REFUSED = Clause(
    says="a request may have no keys that the example lacks",
    source="V1, 'Specification philosophy': be as strict as possible with what is sent out",
)
EXTRA_HEADER = Clause(
    says="a request may have headers that the example lacks", source="V1, 'Request matching', 'Headers'"
)
LENGTH = Clause(says="without a matcher an array must be as long as the example", source="V1, 'Body matching'")
CONTAINER = Clause(
    says="where the example has an object or an array, so must the payload, whatever the matcher",
    source="V2, 'Matchers'",
)
TYPE = Clause(says="`type`: a value of the same JSON type", source="V2, 'Matchers'")
SIZE = Clause(
    says="`min`, `max`: bounds on the number of elements",
    source="V2, 'Matchers'",
    reference="the bounds hold at the rule's own path, not where the rule cascades to",
)
LIST_BY_TYPE = Clause(
    says="an array under a matcher may have any length, also none; further elements are compared with the first",
    source="V2, 'Matchers'",
    reference="whatever the matcher; an empty example array with a matcher allows every array",
)
REGEX = Clause(
    says="`regex`: the whole text matches",
    source="V2, 'Matchers'",
    reference="other values are turned into text, so null, 0 and true can match; the first alternative counts",
)
INCLUDE = Clause(
    says="`include`: the text form contains the value",
    source="V3, 'Matchers'",
    reference="scalars are turned into text, as for `regex`",
)
NUMBER = Clause(says="`number`: any number", source="V3, 'Matchers'")
INTEGER = Clause(says="`integer`: a number without point and exponent", source="V3, 'Matchers'")
DECIMAL = Clause(says="`decimal`: a number with a point or an exponent; 2 is none", source="V3, 'Matchers'")
NULL = Clause(says="`null`: null and nothing else", source="V3, 'Matchers'")
EXPLICIT_EQUALITY = Clause(says="`equality` ends what cascades from above", source="V3, 'Matchers'")
BOOLEAN = Clause(
    says="`boolean`: true or false", source="V4, 'Matchers'", reference="the strings 'true' and 'false' match too"
)
NOT_EMPTY = Clause(
    says='`notEmpty`: anything but null, "", [] and {}',
    source="V4, 'Matchers'",
    reference="the type is not compared",
)
SEMVER = Clause(says="`semver`: a string with a semantic version", source="V4, 'Matchers'")
DATE = Clause(says="`date`, `time`, `datetime`: text in the format", source="V3, 'Matchers'")
CONTENT_TYPE = Clause(says="`contentType`: data of a content type", source="V4, 'Matchers'")
VALUES = Clause(
    says="`values`, `eachValue`: keys are ignored, each value is compared with one of the example",
    source="V3 and V4, 'Matchers'",
    reference="what the rules of `eachValue` do not name is compared as if no other rule of the body existed",
)
EACH_KEY = Clause(
    says="`eachKey`: each key matches the rules, and none is required",
    source="V4, 'Matchers'",
    reference="the values below it match anything where no rule has a longer path",
)
ARRAY_CONTAINS = Clause(
    says="`arrayContains`: each variant matches some element, whatever else is there", source="V4, 'Matchers'"
)
OBJECT_RULES = Clause(
    says="matchers combine with AND or OR",
    source="V3, 'Matching rules'",
    reference="on an object all of them must match, also with OR",
)
IGNORED_ON_SCALARS = Clause(
    says="a matcher for collections on a single value",
    source="no rule of the specification",
    reference="arrayContains, eachKey, eachValue and statusCode match every single value",
)
