import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { chosenHost, oldestHost } from '../editor/host/hosts.mjs';
import { Authority, type Scope } from '../unit/http/authority.ts';
import { startProxy } from '../unit/http/connectProxy.ts';
import { startTlsServer } from '../unit/http/tlsServer.ts';
import type { Consumer } from './consumer.ts';
import { startTestbed } from './testbed.ts';

const password = 'open sesame';
/** Names that lead to this computer, so that requests to them can also go directly. */
const server = 'mcp.test';
const withAnotherName = 'other.test';

/** OpenSSL loads the system's certificates from a file, but the oldest host those of the distribution alone. */
const trustVariable = chosenHost() === oldestHost ? 'NODE_EXTRA_CA_CERTS' : 'SSL_CERT_FILE';

interface Network {
  consumer: Consumer;
  /** The counts of what the last step needed. */
  counts(): { tunnels: number; handshakes: number };
  /** Posts to the server as often as given, one after the other, and returns the outcomes, each only once. */
  post(options?: { times?: number; url?: string }): Promise<string>;
  proxyUrl: URL;
  url: string;
  received(): number;
}

/** An editor, and a server with a certificate of an authority that the system trusts, directly and behind a proxy. */
async function startNetwork(t: TestContext, environment: (proxy: URL) => Record<string, string>): Promise<Network> {
  const cleanups = new AsyncDisposableStack();
  t.after(() => cleanups.disposeAsync());
  const scope: Scope = { after: (end) => cleanups.defer(async () => void (await end())) };
  const authority = await Authority.create(scope);
  const tls = await startTlsServer(scope, await authority.issue(`DNS:${server}`));
  const proxy = await startProxy(scope, { password, port: tls.port });
  const proxyUrl = new URL(proxy.url);
  Object.assign(proxyUrl, { username: 'someone', password });
  const testbed = await startTestbed({
    settings: { 'http.systemCertificatesNode': true },
    environment: { [trustVariable]: authority.certFile, ...environment(proxyUrl) },
  });
  scope.after(() => testbed.stop());
  const { consumer } = testbed;
  await consumer.mapTestNames();
  const before = { tunnels: 0, handshakes: 0 };
  const url = `https://${server}:${tls.port}/`;
  return {
    ...{ consumer, proxyUrl, url },
    received: () => tls.received.length,
    counts: () => {
      const now = { tunnels: proxy.tunnels.length, handshakes: tls.connections.handshakes };
      const counts = { tunnels: now.tunnels - before.tunnels, handshakes: now.handshakes - before.handshakes };
      Object.assign(before, now);
      return counts;
    },
    post: async ({ times = 1, url: posted = url } = {}) => {
      const outcomes = new Set<string>();
      for (let count = 0; count < times; count += 1) {
        const { outcome, fetches, error } = await consumer.post(posted);
        assert.doesNotMatch(error, /someone|sesame|PROXY/);
        outcomes.add(fetches === 0 ? outcome : `${outcome} over fetch`);
      }
      return [...outcomes].join(', ');
    },
  };
}

const throughProxy = { tunnels: 1, handshakes: 1 };
const direct = { tunnels: 0, handshakes: 1 };
const refusedByProxy = { tunnels: 1, handshakes: 0 };

describe('the network of the extension in a real extension host', { timeout: 240_000 }, () => {
  test('requests follow the editor’s network settings as they change, over one connection each, and only a server that proves who it is gets any', async (t) => {
    const network = await startNetwork(t, () => ({}));
    const { consumer, counts, post, proxyUrl, url } = network;
    const set = (name: string, value: unknown) => consumer.changeSetting(`http.${name}`, value);

    await t.test('without a proxy, requests share one direct connection', async () => {
      assert.equal(await post({ times: 4 }), '200');
      assert.deepEqual(counts(), direct);
    });

    await t.test('after http.proxy is set, requests share one connection through it, with its password', async () => {
      await set('proxy', proxyUrl.href);
      assert.equal(await post({ times: 4 }), '200');
      assert.deepEqual(counts(), throughProxy);
    });

    for (const proxySupport of ['on', 'override', 'fallback']) {
      await t.test(
        `with http.proxySupport “${proxySupport}”, requests share one connection through the proxy`,
        async () => {
          await set('proxySupport', proxySupport);
          assert.equal(await post({ times: 3 }), '200');
          assert.deepEqual(counts(), throughProxy);
        },
      );
    }

    await t.test('with http.proxySupport “off”, requests share one direct connection', async () => {
      await set('proxySupport', 'off');
      assert.equal(await post({ times: 3 }), '200');
      assert.deepEqual(counts(), direct);
    });

    await t.test(
      'where the editor changes nothing about requests, the host’s fetch carries them, without its proxy',
      async () => {
        await set('systemCertificates', false);
        assert.match(await post(), / over fetch$/);
        assert.equal(counts().tunnels, 0);
        await set('systemCertificates', undefined);
        await set('proxySupport', undefined);
      },
    );

    await t.test(
      'where the editor’s settings do not apply to the fetch of extensions, that carries requests',
      async () => {
        await set('fetchAdditionalSupport', false);
        assert.match(await post(), / over fetch$/);
        await set('fetchAdditionalSupport', undefined);
        counts();
      },
    );

    await t.test('a server that http.noProxy names is reached directly', async () => {
      await set('noProxy', [server]);
      assert.equal(await post({ times: 3 }), '200');
      assert.deepEqual(counts(), direct);
      await set('noProxy', undefined);
    });

    await t.test(
      'a wrong password is a failure of the proxy after one CONNECT, with nothing of it in the error',
      async () => {
        const guessed = new URL(proxyUrl);
        guessed.password = 'sesame street';
        await set('proxy', guessed.href);
        assert.equal(await post(), 'proxy');
        assert.deepEqual(counts(), refusedByProxy);
      },
    );

    await t.test('a proxy that does not listen is a failure of the proxy, and the right one works again', async () => {
      await set('proxy', 'http://someone:sesame@127.0.0.1:9');
      assert.equal(await post(), 'proxy');
      await set('proxy', proxyUrl.href);
      assert.equal(await post({ times: 2 }), '200');
      assert.deepEqual(counts(), throughProxy);
    });

    for (const [way, proxy] of [
      ['behind a proxy', proxyUrl.href],
      ['directly', ''],
    ] as const) {
      await t.test(
        `A26: ${way}, no setting or variable lets a server have a request whose certificate is for another name or not trusted`,
        async (t) => {
          const stranger = await startTlsServer(t, await (await Authority.create(t)).issue(`DNS:${server}`));
          const strange = await startProxy(t, { password, port: stranger.port });
          const strangeUrl = Object.assign(new URL(strange.url), { username: 'someone', password });
          const received = network.received();
          const isRefused = async (): Promise<void> => {
            await set('proxy', proxy);
            const elsewhere = `https://${withAnotherName}:${new URL(url).port}/`;
            assert.equal(await post({ url: elsewhere }), 'certificate', 'another name');
            await set('proxy', proxy === '' ? '' : strangeUrl.href);
            assert.equal(await post({ url: `https://${server}:${stranger.port}/` }), 'certificate', 'not trusted');
          };
          await isRefused();
          await set('proxyStrictSSL', false);
          await isRefused();
          await consumer.setEnvironment('NODE_TLS_REJECT_UNAUTHORIZED', '0');
          await isRefused();
          await set('proxy', proxy);
          assert.equal(await post({ times: 2 }), '200', 'a verified one is still used');
          assert.equal(network.received() - received, 2);
          assert.deepEqual(stranger.received, []);
          await consumer.setEnvironment('NODE_TLS_REJECT_UNAUTHORIZED', '1');
          await set('proxyStrictSSL', undefined);
        },
      );
    }
  });

  test('requests share one connection through the environment’s HTTPS_PROXY, which http.proxy and http.proxySupport overrule', async (t) => {
    const { consumer, counts, post, proxyUrl } = await startNetwork(t, (proxy) => ({ HTTPS_PROXY: proxy.href }));
    assert.equal(await post({ times: 4 }), '200');
    assert.deepEqual(counts(), throughProxy);
    await consumer.changeSetting('http.proxy', 'http://someone:sesame@127.0.0.1:9');
    assert.equal(await post(), 'proxy');
    await consumer.changeSetting('http.proxy', proxyUrl.href);
    assert.equal(await post({ times: 2 }), '200');
    assert.deepEqual(counts(), throughProxy);
    await consumer.changeSetting('http.proxySupport', 'off');
    assert.equal(await post({ times: 2 }), '200');
    assert.deepEqual(counts(), direct);
  });
});
