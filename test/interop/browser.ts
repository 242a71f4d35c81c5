/**
 * Plays the browser and its person: follows redirects with cookies until one leads out of http, or to `stopAt`.
 * Answers with the address that a real browser would hand to the editor.
 * @throws Error when the pages end without such a redirect
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
      throw new Error(`${url.pathname} answered ${response.status} and leads nowhere: ${await response.text()}`);
    }
    url = new URL(location, url);
    if (!url.protocol.startsWith('http') || url.href.startsWith(stopAt)) {
      return url;
    }
  }
  throw new Error('redirected for ever');
}
