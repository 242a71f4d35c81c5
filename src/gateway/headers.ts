type Headers = Readonly<Record<string, string | string[] | undefined>>;

/**
 * The request headers that are forwarded to the MCP server, in addition to MCP's own `mcp-…`. All others are dropped:
 * those that identify the caller to the gateway (`authorization`, `cookie`, `origin`), that tell where it came from
 * (`forwarded`, `x-forwarded-…`) or that apply to one connection only (hop-by-hop: RFC 9110, section 7.6.1).
 */
const requestHeaders: ReadonlySet<string> = new Set(['accept', 'content-type', 'last-event-id', 'user-agent']);

/**
 * The response headers that are passed to the caller: never a challenge, which would start a sign-in, a cookie or a
 * CORS permission.
 */
const responseHeaders: ReadonlySet<string> = new Set(['allow', 'cache-control', 'content-type']);

/** Returns the headers of a request that are forwarded to the MCP server. */
export function headersForServer(headers: Headers): Record<string, string> {
  return pick(headers, requestHeaders);
}

/** Returns the headers of a response that are passed to the caller. */
export function headersForCaller(headers: Headers): Record<string, string> {
  return pick(headers, responseHeaders);
}

function pick(headers: Headers, allowed: ReadonlySet<string>): Record<string, string> {
  const picked: Record<string, string> = {};
  const hopByHop = connectionOptions(headers.connection);
  for (const name in headers) {
    const value = headers[name];
    if ((allowed.has(name) || name.startsWith('mcp-')) && typeof value === 'string' && !hopByHop.has(name)) {
      picked[name] = value;
    }
  }
  return picked;
}

const none: ReadonlySet<string> = new Set();

/** The names of the headers that `Connection` declares to be hop-by-hop. */
function connectionOptions(connection: string | string[] | undefined): ReadonlySet<string> {
  if (connection === undefined || connection === 'keep-alive') {
    return none;
  }
  const names = String(connection).toLowerCase().split(',');
  return new Set(names.map((name) => name.trim()));
}
