const longestMs = 24 * 60 * 60_000;

/**
 * What `Retry-After` asks for (RFC 9110 section 10.2.3), in milliseconds, at most a day. A date is measured against the
 * server's own `Date` header, so that neither side's clock matters. Undefined when absent or unreadable.
 */
export function retryAfterMs(headers: Headers): number | undefined {
  const text = headers.get('retry-after')?.trim() ?? '';
  const spanMs = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.parse(headers.get('date') ?? '');
  return Number.isNaN(spanMs) ? undefined : Math.min(Math.max(spanMs, 0), longestMs);
}
