import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Authority, trust } from './authority.ts';
import { startTlsServer } from './tlsServer.ts';
import { failureKindOf, transports } from './transports.ts';

for (const [name, http] of Object.entries(transports)) {
  test(`${name}: A26: a server with a trusted certificate authority is accepted`, async (t) => {
    const authority = await Authority.create(t);
    trust(t, authority);
    const { port } = await startTlsServer(t, await authority.issue('IP:127.0.0.1,DNS:localhost'));
    for (const host of ['127.0.0.1', 'localhost']) {
      const { body } = await http({ method: 'GET', url: new URL(`https://${host}:${port}/`) });
      assert.equal(body, 'hello');
    }
  });

  test(`${name}: A26: a server with an unknown certificate authority is refused before anything is sent`, async (t) => {
    const authority = await Authority.create(t);
    const { port, received } = await startTlsServer(t, await authority.issue('IP:127.0.0.1'));
    assert.equal(await failureKindOf(http, post(port)), 'certificate');
    assert.deepEqual(received, []);
  });

  test(`${name}: A26: a server with a certificate for another name is refused before anything is sent`, async (t) => {
    const authority = await Authority.create(t);
    trust(t, authority);
    const { port, received } = await startTlsServer(t, await authority.issue('DNS:other.example.test'));
    assert.equal(await failureKindOf(http, post(port)), 'certificate');
    assert.deepEqual(received, []);
  });

  test(`${name}: A26: a server whose certificate has expired is refused before anything is sent`, async (t) => {
    const authority = await Authority.create(t);
    trust(t, authority);
    const { port, received } = await startTlsServer(t, await authority.issue('IP:127.0.0.1', -1));
    assert.equal(await failureKindOf(http, post(port)), 'certificate');
    assert.deepEqual(received, []);
  });
}

function post(port: number) {
  return { method: 'POST', url: new URL(`https://127.0.0.1:${port}/token`), body: 'code=1' } as const;
}
