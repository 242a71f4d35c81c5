/** Whether `hostname`, as `URL` gives it, names this computer: RFC 6890's loopback addresses and `localhost`. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/**
 * Whether requests to `url` go over connections of our own. Everything else is the host's to carry: the editor's proxy,
 * its certificates and its exceptions hold there, and a bundled client knows none of them. No proxy stands between a
 * computer and itself.
 */
export function isDirect(url: URL): boolean {
  return isLoopback(url.hostname);
}

/** Whether a request may be sent to `url` at all: https, or http on this computer, and no password in the address. */
export function isSecure(url: URL): boolean {
  const unheard = url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
  return unheard && url.username === '' && url.password === '';
}
