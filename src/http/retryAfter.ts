const maxDelayMs = 24 * 60 * 60_000;

/**
 * The delay that `Retry-After` requests (RFC 9110 section 10.2.3), in milliseconds, at most a day. A date is compared
 * with the response's own `Date` header, so that neither side's clock matters. Undefined if absent or unparsable.
 */
export function retryAfterMs(headers: Headers): number | undefined {
  const text = headers.get('retry-after')?.trim() ?? '';
  const delayMs = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.parse(headers.get('date') ?? '');
  return Number.isNaN(delayMs) ? undefined : Math.min(Math.max(delayMs, 0), maxDelayMs);
}
