/** @typedef {import('../gen/counterfoil/stub/v1/stub_pb.js').Observation} Observation */

/**
 * An observation as `[what was seen, value]`; text and bytes as a character for each byte.
 *
 * @param {Observation | undefined} observation
 * @returns {[string | undefined, unknown]}
 */
export function plain(observation) {
  const seen = observation?.seen;
  switch (seen?.case) {
    case 'text':
    case 'binary':
      return [seen.case, Buffer.from(seen.value).toString('latin1')];
    case 'list':
      return ['list', seen.value.items.map(plain)];
    case 'map':
      return ['map', seen.value.entries.map(({ key, value }) => [plain(key), plain(value)])];
    case 'message':
      return ['message', fieldsOf(seen.value)];
    case 'enumValue':
      return ['enum', [seen.value.number, seen.value.name]];
    default:
      return [seen?.case, seen?.value];
  }
}

/** @param {import('../gen/counterfoil/stub/v1/stub_pb.js').ObservedMessage} message */
function fieldsOf({ fields, unknownBytes }) {
  const values = Object.fromEntries(fields.map(({ name, value }) => [name, plain(value)]));
  return unknownBytes > 0n ? { ...values, unknownBytes } : values;
}
