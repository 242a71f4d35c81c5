import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { AuthenticationProviderAuthenticationSessionsChangeEvent, AuthenticationSession } from 'vscode';
import { Log } from '../../../src/core/log.ts';
import type { ProviderParts } from '../../../src/editor/provider.ts';
import { Failure } from '../../../src/oauth/errors.ts';
import { files, type WindowOptions, withoutCode } from '../accounts/machine.ts';
import { FakeClock } from '../fakeClock.ts';
import { openOnlyWindow } from './scriptedWindow.ts';

const { NotionAuthenticationProvider } = await import('../../../src/editor/provider.ts');
const { notRenewedError } = await import('../../../src/editor/messages/notRenewed.ts');

const hour = 60 * 60_000;
const offline = { name: 'offline', message: /^The sign-in to Notion could not be renewed just now\. It is kept/ };

function unreachable(): never {
  throw new Failure('transient', { step: 'token', code: 'unreachable', host: 'mcp.example' });
}

function refuses(): never {
  throw new Failure('serverRejected', { step: 'token', code: 'invalid_scope', status: 400, host: 'mcp.example' });
}

/** A provider over the real accounts of a window, wired as in the container. */
async function open(t: TestContext, options: WindowOptions = {}, parts: Partial<ProviderParts> = {}) {
  const { machine, window } = await openOnlyWindow(t, options);
  const logLines: string[] = [];
  const line = (text: string) => void logLines.push(text);
  /** The sign-ins that were requested: scopes and label. */
  const signIns: [readonly string[], string | undefined][] = [];
  /** The labels of the accounts that the user was warned of, as their access remains. */
  const warnings: string[] = [];
  /** The user who signs in next. */
  const browser = { user: 'ada' };
  const signIn = (user = browser.user, scopes: readonly string[] = ['default'], workspace = 'wiki') =>
    window.accounts.storeSignIn({ ...machine.server.signIn(user, workspace), askedScopes: [...scopes] });
  const provider = new NotionAuthenticationProvider({
    accounts: async () => window.accounts,
    signIn: async (scopes, label) => {
      signIns.push([scopes, label]);
      return signIn(browser.user, scopes);
    },
    warnNotRevoked: (label) => void warnings.push(label),
    notRenewedError: async (...why) => notRenewedError(...why),
    log: new Log({ error: line, warn: line, info: line, debug: line }),
    ...parts,
  });
  window.accounts.onDidChange((change) => provider.announce(change));
  const events: string[] = [];
  provider.onDidChangeSessions((event) => events.push(describe(event)));
  return { machine, window, provider, events, signIns, warnings, browser, signIn, logLines };
}

/** Such as `added ada (wiki) default`; an empty scope is shown as ''. */
function describe(event: AuthenticationProviderAuthenticationSessionsChangeEvent): string {
  return (['added', 'changed', 'removed'] as const)
    .flatMap((kind) => (event[kind] ?? []).map((session) => `${kind} ${text(session)}`))
    .join(', ');
}

function text({ account, scopes }: AuthenticationSession): string {
  return [account.label, ...scopes.map((scope) => scope || "''")].join(' ');
}

test('events are held until the editor’s first call, as the editor does not listen before, and then fired in order', async (t) => {
  const { window, provider, events, signIn } = await open(t);
  const { grant } = await signIn();
  await window.accounts.renew(grant.id, { reason: 'asked' });
  assert.deepEqual(events, []);
  await provider.getSessions(undefined, {});
  assert.deepEqual(events, ["added ada (wiki) '', added ada (wiki) default", 'changed ada (wiki) default']);
  await provider.getSessions(undefined, {});
  await window.accounts.signOut(grant.id);
  assert.deepEqual(events.slice(2), ['removed ada (wiki) default']);
});

test('events stay held while the accounts cannot be loaded, and the call fails', async (t) => {
  let isBroken = true;
  const { window, provider, events, signIn } = await open(
    t,
    {},
    {
      accounts: async () => (isBroken ? Promise.reject(new Error('the keyring is locked')) : window.accounts),
    },
  );
  await signIn();
  await assert.rejects(provider.getSessions(undefined, {}), /locked/);
  assert.deepEqual(events, []);
  isBroken = false;
  await provider.getSessions(undefined, {});
  assert.equal(events.length, 1);
});

test('a session for a request without scopes has none, and is announced with the empty one that the editor reads', async (t) => {
  const { provider, events } = await open(t);
  const session = await provider.createSession([]);
  assert.deepEqual(session.scopes, []);
  assert.deepEqual(events, ["added ada (wiki) '', added ada (wiki) default"]);
  assert.deepEqual((await provider.getSessions([], {})).map(text), ['ada (wiki)']);
  assert.deepEqual((await provider.getSessions([''], {})).map(text), ["ada (wiki) ''"]);
});

test('a session is announced with exactly the requested scopes, also where the account has earlier ones', async (t) => {
  const { provider, events } = await open(t);
  await provider.createSession(['pages']);
  const session = await provider.createSession(['comments']);
  assert.equal(text(session), 'ada (wiki) comments');
  assert.equal(events.at(-1), 'added ada (wiki) comments');
  assert.deepEqual((await provider.getSessions(['pages', 'comments'], {})).map(text), ['ada (wiki) pages comments']);
});

test('a request for sessions starts no sign-in, whether or not it finds any', async (t) => {
  const { provider, signIns, signIn } = await open(t);
  assert.deepEqual(await provider.getSessions(['default'], {}), []);
  await signIn();
  assert.equal((await provider.getSessions(['default'], {})).length, 1);
  assert.deepEqual(await provider.getSessions(['never requested'], {}), []);
  assert.deepEqual(signIns, []);
});

test('a request without scopes lists every account from memory, also one that needs a sign-in, without its token', async (t) => {
  const { machine, window, provider, signIn } = await open(t);
  const ended = (await signIn('ada')).grant;
  const { grant } = await signIn('grace');
  machine.clock.aheadMs = hour / 2;
  machine.server.end(ended);
  await assert.rejects(window.accounts.renew(ended.id, { reason: 'asked' }));
  machine.clock.aheadMs = 2 * hour;
  const sent = machine.server.refreshes.length;
  const sessions = await provider.getSessions(undefined, {});
  assert.deepEqual(
    sessions.map(({ account, accessToken }) => [account.label, accessToken]),
    [
      ['ada (wiki)', ''],
      ['grace (wiki)', grant.tokens.accessToken.reveal()],
    ],
  );
  assert.equal(machine.server.refreshes.length, sent);
});

test('accounts of another server are not listed', async (t) => {
  const { window, provider, events, signIn } = await open(t);
  await signIn();
  await provider.getSessions(undefined, {});
  window.accounts.setServerUrl('https://other.example/mcp');
  assert.deepEqual(await provider.getSessions(undefined, {}), []);
  assert.deepEqual(await provider.getSessions(['default'], {}), []);
  assert.equal(events.at(-1), 'removed ada (wiki) default');
});

test('a request for one of several accounts gets that account alone', async (t) => {
  const { provider, signIn } = await open(t);
  await signIn('ada', ['default'], 'wiki');
  await signIn('ada', ['default'], 'notes');
  await signIn('grace');
  const all = await provider.getSessions(['default'], {});
  assert.deepEqual(all.map(text), ['ada (notes) default', 'ada (wiki) default', 'grace (wiki) default']);
  for (const { account } of all) {
    const found = await provider.getSessions(['default'], { account });
    assert.deepEqual(
      found.map((session) => session.account),
      [account],
    );
    assert.deepEqual((await provider.getSessions(undefined, { account })).length, 1);
  }
  assert.deepEqual(await provider.getSessions(['default'], { account: { id: 'x', label: 'lin (wiki)' } }), []);
});

test('an account whose token cannot be renewed is left out if another one matches, and fails alone as offline', async (t) => {
  const { machine, provider, signIn } = await open(t);
  const { grant } = await signIn('ada');
  await signIn('grace');
  const [{ account } = assert.fail()] = await provider.getSessions(['default'], {});
  machine.clock.aheadMs = 2 * hour;
  const onlyGrace: (typeof machine.server.next)[0] = ({ id }, respond) => (id === grant.id ? unreachable() : respond());
  // More than the requests below need, as the scheduler tries again too.
  machine.server.next.push(...Array<typeof onlyGrace>(20).fill(onlyGrace));
  assert.deepEqual((await provider.getSessions(['default'], {})).map(text), ['grace (wiki) default']);
  await assert.rejects(provider.getSessions(['default'], { account }), offline);
  assert.deepEqual((await provider.getSessions(undefined, {})).length, 2);
});

test('a request that only accounts match that cannot be renewed fails as offline, so that no sign-in is requested', async (t) => {
  const { machine, provider, signIn } = await open(t);
  await signIn('ada');
  await signIn('grace');
  machine.clock.aheadMs = 2 * hour;
  machine.server.next.push(unreachable, unreachable);
  await assert.rejects(provider.getSessions(['default'], {}), offline);
});

const causes = {
  unreachable: 'mcp.example cannot be reached.',
  timeout: 'mcp.example did not respond in time.',
  certificate: 'The certificate of mcp.example is not trusted on this computer.',
  proxy: 'The proxy did not let the request to mcp.example through.',
} as const;

for (const [code, sentence] of Object.entries(causes)) {
  test(`a request for an account that cannot be renewed because of ${code} fails with a sentence that names this cause`, async (t) => {
    const { machine, provider, signIn } = await open(t);
    await signIn();
    machine.clock.aheadMs = 2 * hour;
    machine.server.next.push(() => {
      throw new Failure('transient', { step: 'token', code: code as keyof typeof causes, host: 'mcp.example' });
    });
    await assert.rejects(
      provider.getSessions(['default'], {}),
      ({ message }: Error) => offline.message.test(message) && message.includes(`It is kept. ${sentence}`),
    );
  });
}

test('an account that the server refuses to renew is used while its token is good, and then fails with that reason', async (t) => {
  const { machine, window, provider, events, signIn } = await open(t);
  const { grant } = await signIn();
  await provider.getSessions(undefined, {});
  events.length = 0;
  machine.server.next.push(refuses);
  await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }));
  assert.deepEqual(events, ['changed ada (wiki) default']);
  const [session] = await provider.getSessions(['default'], {});
  assert.equal(session?.accessToken, grant.tokens.accessToken.reveal());
  machine.server.next.push(refuses);
  machine.clock.aheadMs = 2 * hour;
  await assert.rejects(provider.getSessions(['default'], {}), {
    name: 'needsSignIn',
    message: /^Notion refuses to renew the sign-in\. .* reconnect it\.$/,
  });
  assert.deepEqual((await provider.getSessions(undefined, {})).map(text), ['ada (wiki) default']);
});

test('a request waits five seconds for a renewal, which goes on and is announced', async (t) => {
  const clock = new FakeClock(Date.now());
  const { machine, window, provider, signIn } = await open(t, { clock });
  await signIn();
  await provider.getSessions(undefined, {});
  clock.jump(2 * hour);
  machine.clock.aheadMs = 2 * hour;
  const sent = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  machine.server.next.push(async (_, respond) => {
    sent.resolve();
    await held.promise;
    return respond();
  });
  const waiting = provider.getSessions(['default'], {});
  await sent.promise;
  clock.advance(5_000);
  await assert.rejects(waiting, offline);
  held.resolve();
  await window.waitForEvent('changed ada (wiki)');
  assert.equal((await provider.getSessions(['default'], {})).length, 1);
});

test('an account whose grant turns out to have ended is not reported as offline', async (t) => {
  const { machine, provider, signIn, events } = await open(t);
  const { grant } = await signIn();
  machine.clock.aheadMs = 2 * hour;
  machine.server.end(grant);
  assert.deepEqual(await provider.getSessions(['default'], {}), []);
  assert.equal(events.at(-1), 'changed ada (wiki) default');
});

test('createSession passes on the label of an account of ours only, never one that an extension made up', async (t) => {
  const { provider, signIns, signIn } = await open(t);
  await signIn();
  const [{ account } = assert.fail()] = await provider.getSessions(['default'], {});
  await provider.createSession(['default'], { account });
  await provider.createSession(['default'], { account: { id: 'made up', label: 'Click Continue to update' } });
  await provider.createSession(['default']);
  assert.deepEqual(
    signIns.map(([, label]) => label),
    ['ada (wiki)', undefined, undefined],
  );
});

test('createSession for an account returns the account that signed in, and leaves the requested one as it was', async (t) => {
  const { provider, browser, signIn, window } = await open(t);
  const { grant } = await signIn('ada');
  const [{ account } = assert.fail()] = await provider.getSessions(['default'], {});
  browser.user = 'grace';
  const session = await provider.createSession(['default'], { account });
  assert.equal(session.account.label, 'grace (wiki)');
  assert.equal(window.accounts.find(grant.id)?.grant, grant);
});

test('createSession fails with the error of the sign-in and announces nothing', async (t) => {
  const { provider, events } = await open(t, {}, { signIn: () => Promise.reject(new Error('You denied access.')) });
  await assert.rejects(provider.createSession(['default']), /You denied access\./);
  assert.deepEqual(events, []);
});

test('removeSession signs the account out, and does nothing for a session that is gone already', async (t) => {
  const { machine, provider, events, signIn, warnings, window } = await open(t);
  const { grant } = await signIn();
  await provider.removeSession(grant.id);
  await provider.removeSession(grant.id);
  assert.deepEqual(window.labels, []);
  assert.deepEqual(events.slice(1), ['removed ada (wiki) default']);
  assert.equal(machine.server.revoked.length, 1);
  assert.deepEqual(warnings, []);
});

test('removeSession warns once for each account that the server could not be told of, however often the editor calls', async (t) => {
  const { machine, provider, signIn, warnings, window } = await open(t);
  machine.server.cannotRevoke = true;
  const { id } = (await signIn('ada')).grant;
  await provider.removeSession(id);
  await provider.removeSession(id);
  assert.deepEqual(warnings, ['ada (wiki)']);
  const again = (await signIn('ada')).grant.id;
  const other = (await signIn('grace')).grant.id;
  await Promise.all([again, again, other].map((each) => provider.removeSession(each)));
  // The order in which the server could not be told varies.
  assert.deepEqual(warnings.sort(), ['ada (wiki)', 'ada (wiki)', 'grace (wiki)']);
  assert.deepEqual(window.labels, []);
});

test('removeSession warns once of an account that has two sessions, which the editor removes one after the other', async (t) => {
  // Sign-ins at the same moment that cannot get the lock store the account twice.
  const withoutLocks = { createOpen: () => Promise.reject(new Error('EROFS')) };
  const { machine, provider, signIn, warnings, window } = await open(t, { files: { ...files, ...withoutLocks } });
  machine.server.cannotRevoke = true;
  await Promise.all([signIn(), signIn()]);
  assert.deepEqual(window.labels, ['ada (wiki)', 'ada (wiki)']);
  const ids = window.accounts.list().map(({ grant }) => grant.id);
  for (const id of ids) {
    await provider.removeSession(id);
  }
  assert.deepEqual(warnings.map(withoutCode), ['ada (wiki)']);
  assert.deepEqual(window.labels, []);
});

test('removeSession does not wait until the user has closed its warning', { timeout: 10_000 }, async (t) => {
  const { machine, provider, signIn } = await open(t, {}, { warnNotRevoked: () => new Promise(() => undefined) });
  machine.server.cannotRevoke = true;
  const { grant } = await signIn();
  await provider.removeSession(grant.id);
});

test('a removeSession that fails says so in a plain sentence, and neither it nor the log has the error’s message', async (t) => {
  const { provider, logLines } = await open(
    t,
    {},
    {
      accounts: async () =>
        ({
          list: () => [],
          find: () => ({ grant: { label: 'ada' } }),
          signOut: () => Promise.reject(new TypeError('EACCES /home/ada')),
        }) as never,
    },
  );
  await assert.rejects(provider.removeSession('grant'), {
    message: 'The account could not be signed out on this computer. Try again.',
  });
  assert.match(logLines.join('\n'), /A sign-out failed unexpectedly\. name=TypeError/);
  assert.ok(!logLines.join().includes('ada'));
});
