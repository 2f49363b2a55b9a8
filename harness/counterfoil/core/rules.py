"""The table of our own rules: a row each, with its level. buf's rules keep buf's names and are not listed here."""

from __future__ import annotations

from counterfoil.model import Evidence, Finding, Level, Location

LEVELS: dict[str, Level] = {
    # The contract was tried and does not hold.
    "INTERACTION_FAILED": Level.BEHAVIOUR,
    "PROVIDER_TIMED_OUT": Level.BEHAVIOUR,
    "PROVIDER_DIED": Level.BEHAVIOUR,
    "DIVERGENCE": Level.BEHAVIOUR,
    "REQUEST_FAILED": Level.BEHAVIOUR,
    "STATE_REJECTED": Level.BEHAVIOUR,
    "STATE_MISREAD": Level.BEHAVIOUR,
    "BEHAVIOUR_CHANGED": Level.BEHAVIOUR,
    "STUB_BREAKS_PROTOCOL": Level.BEHAVIOUR,
    "CONSUMER_TEST_FAILED": Level.BEHAVIOUR,
    "CACHE_MISMATCH": Level.BEHAVIOUR,
    # A version would meet another that it does not fit.
    "VERIFICATION_FAILED": Level.BEHAVIOUR,
    "SCHEMA_NOT_READ": Level.BEHAVIOUR,
    "STUBS_DIVERGE": Level.BEHAVIOUR,
    "PAYLOAD_NOT_READ": Level.BEHAVIOUR,
    "ROLLOUT_BROKEN": Level.BEHAVIOUR,
    # A version would meet another, and nobody recorded that they fit.
    "VERSION_UNKNOWN": Level.UNPROVEN,
    "VERIFICATION_MISSING": Level.UNPROVEN,
    "PROVIDER_NOT_DEPLOYED": Level.UNPROVEN,
    "BROKER_OBJECTS": Level.UNPROVEN,
    "SCHEMAS_NOT_COMPARED": Level.UNPROVEN,
    "SCHEMA_UNPROVEN": Level.UNPROVEN,
    "STUBS_NOT_PROBED": Level.UNPROVEN,
    "PAYLOADS_UNPROVEN": Level.UNPROVEN,
    "ROLLOUT_UNPROVEN": Level.UNPROVEN,
    # What was accepted for now is not what there is now.
    "WAIVER_EXPIRED": Level.POLICY,
    "WAIVER_WITNESS_CHANGED": Level.POLICY,
    "WAIVER_UNMATCHED": Level.POLICY,
    # Nothing or not everything was tried, so green would prove nothing.
    "PACT_MISSING": Level.UNPROVEN,
    "PACT_EMPTY": Level.UNPROVEN,
    "PACT_VERSION_UNKNOWN": Level.UNPROVEN,
    "PACT_PARTICIPANT_UNKNOWN": Level.UNPROVEN,
    "PACT_NOT_WRITTEN": Level.UNPROVEN,
    "INTERACTION_DUPLICATED": Level.UNPROVEN,
    "INTERACTION_NOT_RUN": Level.UNPROVEN,
    "READER_UNKNOWN": Level.UNPROVEN,
    "STATE_NOT_SHOWN": Level.UNPROVEN,
    "READER_NOT_STARTED": Level.UNPROVEN,
    "BODY_NOT_DERIVED": Level.UNPROVEN,
    "METADATA_NOT_TRIED": Level.UNPROVEN,
    "BODY_NOT_DESCRIBED": Level.UNPROVEN,
    "STATE_NOT_READ": Level.UNPROVEN,
    "REQUEST_NOT_TRIED": Level.UNPROVEN,
    "ARRAY_WITHOUT_MIN": Level.UNPROVEN,
    "PATTERN_MATCHES_NON_TEXT": Level.UNPROVEN,
    "MATCHER_NEVER_FAILS": Level.UNPROVEN,
    "MATCHERS_OF_SAME_WEIGHT": Level.UNPROVEN,
    "OR_ON_OBJECT": Level.UNPROVEN,
    "DECIMAL_WITHOUT_FRACTION": Level.UNPROVEN,
    "NUMBER_BEYOND_DOUBLE": Level.UNPROVEN,
    "STATE_UNKNOWN": Level.UNPROVEN,
    "STATE_FAILED": Level.UNPROVEN,
    "MESSAGE_NOT_EMITTED": Level.UNPROVEN,
    "FILTER_MATCHED_NOTHING": Level.UNPROVEN,
    "SHARD_MISSING": Level.UNPROVEN,
    "STUB_SAID_NOTHING": Level.UNPROVEN,
    "STUB_GIVEN_UP": Level.UNPROVEN,
    "RUN_INTERRUPTED": Level.UNPROVEN,
    "SEARCH_INTERRUPTED": Level.UNPROVEN,
    "SCHEMA_MISSING": Level.UNPROVEN,
    "SCHEMA_BASELINE_MISSING": Level.UNPROVEN,
    "SCHEMA_BASELINE_EMPTY": Level.UNPROVEN,
    # Worth knowing, and nothing that fails a run.
    "VALUE_REJECTED": Level.ADDITIVE,
    "NUMBER_BY_TYPE": Level.ADDITIVE,
    # The machinery that judges did not work.
    "TOOL_MISSING": Level.UNPROVEN,
    "BUILD_FAILED": Level.UNPROVEN,
    "PROVIDER_NOT_STARTED": Level.UNPROVEN,
    "PROVIDER_PORT_TAKEN": Level.UNPROVEN,
    "STUB_NOT_JUDGED": Level.UNPROVEN,
    "VERIFIER_CRASHED": Level.UNPROVEN,
    "VERIFIER_TIMED_OUT": Level.UNPROVEN,
    "PROBE_NOT_RUN": Level.UNPROVEN,
    "SCHEMA_DOES_NOT_COMPILE": Level.UNPROVEN,
    "SCHEMA_UNUSABLE": Level.UNPROVEN,
    "BUF_FAILED": Level.UNPROVEN,
}


def finding(
    rule: str,
    subject: str,
    message: str,
    *,
    fix: str,
    location: Location | None = None,
    evidence: tuple[Evidence, ...] = (),
) -> Finding:
    """A finding of one of our own rules, at the level that the table gives it."""
    return Finding(
        rule=rule,
        subject=subject,
        level=LEVELS[rule],
        message=message,
        fix=fix,
        location=location,
        evidence=evidence,
    )
