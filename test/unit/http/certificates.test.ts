import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { Authority } from './authority.ts';
import { startTlsServer } from './tlsServer.ts';
import { failing, ways } from './transports.ts';

for (const [way, http] of Object.entries(ways)) {
  test(`${way}: A26: a server of an authority that is trusted answers`, async (t) => {
    const authority = await Authority.create(t);
    trust(t, authority);
    const { port } = await startTlsServer(t, await authority.issue('IP:127.0.0.1,DNS:localhost'));
    for (const host of ['127.0.0.1', 'localhost']) {
      const { body } = await http({ method: 'GET', url: new URL(`https://${host}:${port}/`) });
      assert.equal(body, 'hello');
    }
  });

  test(`${way}: A26: a server of an authority that nobody knows is refused before anything is sent`, async (t) => {
    const authority = await Authority.create(t);
    const { port, received } = await startTlsServer(t, await authority.issue('IP:127.0.0.1'));
    assert.equal(await failing(http, post(port)), 'certificate');
    assert.deepEqual(received, []);
  });

  test(`${way}: A26: a server with a certificate for another name is refused before anything is sent`, async (t) => {
    const authority = await Authority.create(t);
    trust(t, authority);
    const { port, received } = await startTlsServer(t, await authority.issue('DNS:other.example.test'));
    assert.equal(await failing(http, post(port)), 'certificate');
    assert.deepEqual(received, []);
  });

  test(`${way}: A26: a server whose certificate has expired is refused before anything is sent`, async (t) => {
    const authority = await Authority.create(t);
    trust(t, authority);
    const { port, received } = await startTlsServer(t, await authority.issue('IP:127.0.0.1', -1));
    assert.equal(await failing(http, post(port)), 'certificate');
    assert.deepEqual(received, []);
  });
}

function post(port: number) {
  return { method: 'POST', url: new URL(`https://127.0.0.1:${port}/token`), body: 'code=1' } as const;
}

/** Has this process trust an authority for as long as the test lasts. */
function trust(t: TestContext, { cert }: Authority): void {
  const before = getCACertificates('default');
  setDefaultCACertificates([...before, cert]);
  t.after(() => setDefaultCACertificates(before));
}
