const maxDecodings = 2;

/** Any web page can open a link of any length, so a query is read only if an authorization server can have sent it. */
export const maxQueryLength = 8192;
const maxParameters = 32;

/**
 * Reads the parameters of a callback's query, however often it was encoded on its way back. Returns `undefined` if no
 * decoding yields a `state` that `isKnownState` accepts, or if the query is too long.
 *
 * Desktop editors pass the query on decoded; web hosts encode it once more than they received it. A `:` in a Notion
 * code may therefore arrive as `:`, `%3A` or `%253A`. Our `state` is base64 and ends in `=`, which every authorization
 * server encodes, so the smallest number of decodings that restores the exact `state` is right for the code as well.
 */
export function callbackParameters(
  query: string,
  isKnownState: (state: string) => boolean,
): URLSearchParams | undefined {
  if (query.length > maxQueryLength) {
    return undefined;
  }
  let pairs = split(query);
  if (pairs.length > maxParameters) {
    return undefined;
  }
  for (let decodings = 0; decodings <= maxDecodings; decodings++) {
    if (pairs.some(([name, value]) => name === 'state' && isKnownState(value))) {
      const parameters = new URLSearchParams();
      for (const [name, value] of pairs) {
        parameters.append(name, value);
      }
      return parameters;
    }
    pairs = pairs.map(([name, value]) => [decode(name), decode(value)]);
  }
  return undefined;
}

function split(query: string): [string, string][] {
  return query
    .replace(/^[?#]/, '')
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const equals = part.indexOf('=');
      return equals < 0 ? [part, ''] : [part.slice(0, equals), part.slice(equals + 1)];
    });
}

/** Form-decodes one value; leaves text that is not validly encoded as it is. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text.replace(/\+/g, ' '));
  } catch {
    return text;
  }
}
