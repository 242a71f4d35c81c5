/** Reads the parameters of a callback's query, however often it was encoded on its way back. */

const mostDecodings = 2;

/**
 * The parameters of `query` in the one reading in which its `state` is known, else `undefined`.
 *
 * Desktop editors hand the query over decoded, web hosts encode it once more than they got it, so a `:` of a Notion
 * code may arrive as `:`, `%3A` or `%253A`. Our `state` is base64 and ends in `=`, which every server encodes: the
 * shallowest reading that gives back the exact state is the right one for the code as well.
 */
export function callbackParameters(
  query: string,
  isKnownState: (state: string) => boolean,
): URLSearchParams | undefined {
  let pairs = split(query);
  for (let decodings = 0; decodings <= mostDecodings; decodings++) {
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

/** Form decoding of one value; text that is not valid encoding stays as it is. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text.replace(/\+/g, ' '));
  } catch {
    return text;
  }
}
