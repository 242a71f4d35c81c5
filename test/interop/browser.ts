/**
 * Plays the browser and a user who allows access: follows redirects, with cookies, until one leads to `stopAt` or to a
 * scheme other than http or https. Returns that URL, which a real browser would pass to the editor.
 * @throws Error if a page does not redirect, or after 20 redirects
 */
export async function browse(start: string, stopAt: string): Promise<URL> {
  const cookies = new Map<string, string>();
  let url = new URL(start);
  for (let hops = 0; hops < 20; hops++) {
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      cookies.set(name, value);
    }
    const location = response.headers.get('location');
    if (location === null) {
      throw new Error(`${url.pathname} returned ${response.status} without a redirect: ${await response.text()}`);
    }
    url = new URL(location, url);
    if (!url.protocol.startsWith('http') || url.href.startsWith(stopAt)) {
      return url;
    }
  }
  throw new Error('too many redirects');
}
