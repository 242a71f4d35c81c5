type Headers = Readonly<Record<string, string | string[] | undefined>>;

/**
 * What a caller may say to the MCP server, besides MCP's own `mcp-…`. Everything else stays here: who the caller is to
 * us (`authorization`, `cookie`, `origin`), where it came from (`forwarded`, `x-forwarded-…`), and how it talks to us
 * (hop by hop: RFC 9110, section 7.6.1).
 */
const requestHeaders: ReadonlySet<string> = new Set([
  'accept',
  'content-encoding',
  'content-type',
  'last-event-id',
  'user-agent',
]);

/** What the server may say to the caller: never a challenge, which would start a sign-in, a cookie or a CORS permission. */
const responseHeaders: ReadonlySet<string> = new Set(['allow', 'cache-control', 'content-encoding', 'content-type']);

/** The headers of a request that go on to the MCP server. */
export function headersForServer(headers: Headers): Record<string, string> {
  return pick(headers, requestHeaders);
}

/** The headers of an answer that go on to the caller. */
export function headersForCaller(headers: Headers): Record<string, string> {
  return pick(headers, responseHeaders);
}

function pick(headers: Headers, allowed: ReadonlySet<string>): Record<string, string> {
  const picked: Record<string, string> = {};
  const forThisHop = namesIn(headers.connection);
  for (const name in headers) {
    const value = headers[name];
    if ((allowed.has(name) || name.startsWith('mcp-')) && typeof value === 'string' && !forThisHop.has(name)) {
      picked[name] = value;
    }
  }
  return picked;
}

const none: ReadonlySet<string> = new Set();

/** The headers that `Connection` declares to be for one hop only. */
function namesIn(connection: string | string[] | undefined): ReadonlySet<string> {
  if (connection === undefined || connection === 'keep-alive') {
    return none;
  }
  const names = String(connection).toLowerCase().split(',');
  return new Set(names.map((name) => name.trim()));
}
