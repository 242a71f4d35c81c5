import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { type TestContext, test } from 'node:test';
import type { OpenChannel } from '../../../src/signIn/channel.ts';
import { busy, inTurn, SignInUnderTest } from './signInUnderTest.ts';

/** Begins a sign-in and returns once it waits; `release` ends what it waits for. */
type Step = (t: TestContext, signal: AbortSignal) => Promise<Waiting>;
interface Waiting {
  signIn: SignInUnderTest;
  signingIn: Promise<unknown>;
  release: () => void;
  opensBrowser?: true;
  hasTokens?: true;
}

const steps: Record<string, Step> = {
  'its channel opens': async (t, signal) => {
    const opening = Promise.withResolvers<OpenChannel>();
    const signIn = await SignInUnderTest.start(t, { openChannel: () => opening.promise });
    const signingIn = signIn.run({ signal });
    return { signIn, signingIn, release: () => opening.resolve(signIn.channel('uriHandler')) };
  },
  'the user is asked to confirm its hosts': async (t, signal) => {
    const asked = Promise.withResolvers<void>();
    const choice = Promise.withResolvers<boolean>();
    const signIn = await SignInUnderTest.start(t, {
      defaultServerUrl: 'https://mcp.notion.com/mcp',
      // Without a registration to send, only the sign-in itself can notice that it was cancelled.
      configuredClient: () => ({ clientId: 'client' }),
    });
    const confirmHosts = () => {
      asked.resolve();
      return choice.promise;
    };
    const signingIn = signIn.run({ signal, confirmHosts });
    await asked.promise;
    return { signIn, signingIn, release: () => choice.resolve(true) };
  },
  'the editor opens the browser': async (t, signal) => {
    const opening = Promise.withResolvers<boolean>();
    const openBrowser = async (url: string) => {
      await signIn.openBrowser(url);
      return opening.promise;
    };
    const signIn = await SignInUnderTest.start(t, { openBrowser });
    signIn.decision = undefined;
    const signingIn = signIn.run({ signal });
    await signIn.waitForBrowser(1);
    return { signIn, signingIn, release: () => opening.resolve(true), opensBrowser: true };
  },
  'the page is open in the browser': async (t, signal) => {
    const signIn = await SignInUnderTest.start(t);
    signIn.decision = undefined;
    const signingIn = signIn.run({ signal });
    await signIn.waitForBrowser(1);
    return { signIn, signingIn, release: () => undefined, opensBrowser: true };
  },
  'Notion is asked for the user’s identity': async (t, signal) => {
    const held = Promise.withResolvers<ServerResponse>();
    const signIn = await SignInUnderTest.start(t);
    signIn.server.routes['/mcp'] = (_, response) => void held.resolve(response);
    const signingIn = signIn.run({ signal });
    const response = await held.promise;
    const release = () => response.writeHead(503).end();
    return { signIn, signingIn, release, opensBrowser: true, hasTokens: true };
  },
  'its registration pauses': pausing('/register'),
  'the exchange of its code pauses': pausing('/token', { opensBrowser: true }),
  'the request for the user’s identity pauses': pausing('/mcp', { opensBrowser: true, hasTokens: true }),
};

/** A sign-in that pauses as the server is busy at `path`. */
function pausing(path: string, reached: Pick<Waiting, 'opensBrowser' | 'hasTokens'> = {}): Step {
  return async (t, signal) => {
    const paused = Promise.withResolvers<void>();
    const signIn = await SignInUnderTest.start(t);
    signIn.server.routes[path] = inTurn(busy, signIn.server.routes[path] ?? assert.fail());
    signIn.onPause = paused.resolve;
    const signingIn = signIn.run({ signal });
    await paused.promise;
    return { signIn, signingIn, release: () => signIn.clock.advance(60_000), ...reached };
  };
}

for (const [step, begin] of Object.entries(steps)) {
  test(`a sign-in that is cancelled while ${step} ends at once, closes its channel and stores nothing`, async (t) => {
    const cancel = new AbortController();
    const { signIn, signingIn, release, opensBrowser, hasTokens } = await begin(t, cancel.signal);
    cancel.abort();
    await assert.rejects(signingIn, { kind: 'cancelled' });
    release();
    await signIn.closed;
    assert.deepEqual(signIn.window.labels, []);
    assert.equal(signIn.openedUrls.length, opensBrowser ? 1 : 0);
    const revoked = signIn.server.received.map(({ form }) => form.token).filter(Boolean);
    assert.deepEqual(revoked, hasTokens ? ['refresh'] : []);
  });
}
