/**
 * What a request's headers tell about the visitor's session.
 *
 * @param {import('node:http').IncomingHttpHeaders} headers
 * @returns {{ locale?: string | undefined, attributes: Record<string, string> }}
 */
export function sessionFacts(headers) {
  const device = deviceOf(headers['sec-ch-ua-mobile']);
  return { locale: preferredLocale(headers['accept-language']), attributes: device === undefined ? {} : { device } };
}

/**
 * @param {string | undefined} acceptLanguage
 * @returns {string | undefined} a BCP 47 tag in canonical spelling
 */
function preferredLocale(acceptLanguage = '') {
  const [tag = ''] = acceptLanguage.split(/[,;]/, 1);
  try {
    return Intl.getCanonicalLocales(tag.trim())[0];
  } catch {
    return undefined;
  }
}

/** @param {string | string[] | undefined} hint `?1` or `?0`, as the client hint is defined */
function deviceOf(hint) {
  if (hint === '?1') return 'phone';
  return hint === '?0' ? 'desktop' : undefined;
}
