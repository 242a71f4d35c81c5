import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Account } from '../../../src/accounts/registry.ts';
import { Log } from '../../../src/core/log.ts';
import { Secret } from '../../../src/core/secret.ts';
import type { ConnectionReport } from '../../../src/diagnostics/connectionTest.ts';
import { diagnosticsText } from '../../../src/diagnostics/report.ts';
import { type FailureSummary, type SignInAttempt, SignInHistory } from '../../../src/diagnostics/signInHistory.ts';
import { Failure } from '../../../src/oauth/errors.ts';
import { FakeClock } from '../fakeClock.ts';
import {
  code,
  email,
  facts,
  failure,
  grant,
  host,
  name,
  nowMs,
  path,
  privateValues,
  report,
  secret,
} from './diagnosticFacts.ts';

test('a diagnostics report contains everything that an issue needs, and nothing secret or personal', () => {
  const text = diagnosticsText(facts());
  assert.deepEqual(text.split('\n'), [
    'Notion MCP Authentication diagnostics, 2026-06-01 02:00:00 +02:00',
    '',
    'extension 0.1.0, editor 1.139.1 (vscode, desktop), node 24.1.0',
    'extension host workspace, remote ssh-remote, platform linux-x64',
    'MCP server: custom',
    'client: registered by each sign-in',
    'sign-in channels: setting auto; tried uriHandler, paste; loopback only if selected (browser on another machine or no listening)',
    'proxy: yes (editor setting, http), support override',
    'storage: journal and secret storage; changes by other windows noticed at once; accounts signed out: 3; problems none',
    '',
    'checks without an account: server 3 ms',
    '  discovery: MCP server 401 1 ms, oauth-protected-resource/<path> 200 5 ms, <path> 404 2 ms, oauth-authorization-server (another origin) timeout 7 ms',
    '  clock skew: -2 s',
    '',
    'last sign-ins: 2, of all windows',
    '  2026-06-01 01:00:00 sign-in 0abc: discovery, channel uriHandler, waiting for the browser, channel loopback, waiting for the browser, response received; signed in as account 3 after 42 s',
    '  2026-06-01 01:59:00 sign-in 1def: discovery, channel paste, waiting for the browser; not ended, or its window was closed or reloaded before',
    '',
    'accounts: 2, numbered as in the log',
    '',
    'account 1: healthy, generation 7, identity known',
    '  signed in 3 days ago, public client',
    '  access token issued 90 s ago for 3600 s, refresh token stored',
    '  last renewal of this window: FAILED, transient at token: invalid_request, HTTP 400',
    '  journal: lock held, records 2, reserved 0',
    '  agents: editor allowed, last call 180 s ago; codex denied; other unknown',
    '  checks: server 3 ms, discovery 12 ms, token 4 ms FAILED (serverRejected at token: invalid_request, HTTP 400), not tried initialize tools identity access',
    '',
    'account 3: needsSignIn (ended, server said unregistered_error), generation 7, identity known',
    '  signed in 3 days ago, public client',
    '  access token issued 90 s ago for 3600 s, refresh token stored',
    '  journal: no record',
    '  checks: none in this state',
    '',
  ]);
  assert.deepEqual(
    privateValues.filter((value) => text.includes(value)),
    [],
  );
});

test('a diagnostics report includes names from the editor or the system only if they look like such names', () => {
  const text = diagnosticsText(
    facts({
      versions: { extension: name, editor: email, node: path },
      uriScheme: email,
      platform: path,
      remoteName: `ssh-remote+${host}`,
      proxySupport: secret,
      proxies: [{ where: 'environment', url: `${code}://${host}` }],
    }),
  );
  assert.deepEqual(
    privateValues.filter((value) => text.includes(value)),
    [],
  );
  assert.match(text, /proxy: yes \(environment, unknown kind\), support other/);
});

test('a diagnostics report has no private value of a sign-in, however it failed', async () => {
  let attempts: readonly SignInAttempt[] = [];
  const set = (all: readonly SignInAttempt[]): void => {
    attempts = all;
  };
  const history = new SignInHistory({ get: () => attempts, set }, new FakeClock(nowMs));
  const line = () => undefined;
  const log = new Log({ error: line, warn: line, info: line, debug: line });
  const errors = [failure(), failure('cancelled'), new TypeError(`${name} ${secret}`), name];
  for (const [index, error] of errors.entries()) {
    const run = history.record(
      log.operation('sign-in', { bytes: () => new Uint8Array([0, index]) }),
      async (reached) => {
        reached('discovering');
        throw error;
      },
    );
    await assert.rejects(run, (thrown) => thrown === error);
  }
  await history.record(log, async () => ({ grant, reconnected: false }));
  const foreign = { name, startedAtMs: 0, steps: [host as 'paste'] };
  const text = diagnosticsText(facts({ attempts: [foreign, ...attempts] }));
  assert.match(text, /sign-in 0000: discovery; FAILED after 0 s, serverRejected at token: invalid_request, HTTP 400\n/);
  assert.match(text, /sign-in 0001: discovery; cancelled after 0 s \(invalid_request\)\n/);
  assert.match(text, /sign-in 0002: discovery; unexpected error after 0 s\n/);
  assert.match(text, /other: before discovery; signed in as account 1 after 0 s\n/);
  assert.match(text, /other: channel other; not ended/);
  assert.deepEqual(
    privateValues.filter((value) => text.includes(value)),
    [],
  );
});

test('a diagnostics report is complete without accounts, sign-ins and journal, and with an invalid server URL', () => {
  const server = new Failure('misconfigured', { step: 'discovery', code: 'server_url_empty' });
  const { storage } = facts();
  const { files: _, ...withoutFiles } = storage;
  const text = diagnosticsText(
    facts({ accounts: [], attempts: [], server, proxies: [], storage: { ...withoutFiles, hasJournal: false } }),
  );
  assert.match(
    text,
    /checks without an account: none, misconfigured at discovery: server_url_empty\n\nlast sign-ins: none\n\naccounts: none\n$/,
  );
  assert.match(text, /proxy: no, support override/);
  assert.match(text, /storage: secret storage, no journal; problems none\n/);
});

test('a diagnostics report has local times with what they are ahead of or behind UTC', () => {
  const title = (utcOffsetMinutes: number) => diagnosticsText(facts({ utcOffsetMinutes })).split('\n')[0];
  assert.match(title(-210) ?? '', /2026-05-31 20:30:00 -03:30$/);
  assert.match(title(0) ?? '', /2026-06-01 00:00:00 \+00:00$/);
});

test('a diagnostics report has each problem of the storage once, also one that arose after the window was opened', () => {
  const { storage } = facts();
  const problems = (isKeyLost: boolean) =>
    /; problems (.*)\n/.exec(
      diagnosticsText(facts({ problems: new Set(['stale', 'keyLost']), storage: { ...storage, isKeyLost } })),
    )?.[1];
  assert.deepEqual([problems(false), problems(true)], ['stale, keyLost', 'stale, keyLost']);
  assert.match(
    diagnosticsText(facts({ storage: { ...storage, isKeyLost: true, watchWorks: false } })),
    /changes by other windows looked for each minute; .*; problems keyLost\n/,
  );
});

test('a diagnostics report names a reason or a status only where it adds something', () => {
  const attempt = (outcome: FailureSummary) => {
    const end = { tookMs: 2_000, outcome };
    return diagnosticsText(facts({ attempts: [{ name: 'sign-in 0abc', startedAtMs: nowMs, steps: [], end }] }));
  };
  const step = 'authorization';
  assert.match(attempt({ kind: 'cancelled', step, code: 'cancelled' }), /discovery; cancelled after 2 s\n/);
  assert.match(
    attempt({ kind: 'cancelled', step, code: 'browser_limit' }),
    /; cancelled after 2 s \(browser_limit\)\n/,
  );
  assert.match(attempt({ kind: 'transient', step, code: 'http_503', status: 503 }), /authorization: http_503\n/);
  assert.match(attempt({ kind: 'transient', step, code: 'html', status: 503 }), /authorization: html, HTTP 503\n/);
});

test('a diagnostics report marks a check that was cut off', () => {
  const cutOff = new Failure('cancelled', { step: 'authorization', code: 'cancelled' });
  const text = diagnosticsText(
    facts({
      server: report({ checks: [{ name: 'server', tookMs: 20_000, failure: cutOff }], requests: [], notTried: [] }),
    }),
  );
  assert.match(
    text,
    /checks without an account: server 20000 ms FAILED \(took too long\)\n {2}discovery: no request\n/,
  );
});

test('a diagnostics report says why an account is in its state', () => {
  const refusal = { code: 'invalid_scope', count: 2, retryAtMs: nowMs } as const;
  const states: [Account, string][] = [
    [
      { grant: { ...grant, needsSignIn: { reason: 'ended', serverCode: 'invalid_grant' } }, state: 'needsSignIn' },
      'needsSignIn (ended, server said invalid_grant)',
    ],
    [{ grant: { ...grant, needsSignIn: { reason: 'idle' } }, state: 'needsSignIn' }, 'needsSignIn (idle)'],
    [{ grant: { ...grant, refusal }, state: 'serverRejected' }, 'serverRejected (refused 2 times, invalid_scope)'],
    // What a grant of another server once was says nothing of why it is not used.
    [{ grant: { ...grant, refusal }, state: 'dormant' }, 'dormant (of another server than the configured one)'],
    [{ grant, state: 'readOnly', why: 'newer' }, 'readOnly (newer)'],
    [{ grant, state: 'expired' }, 'expired'],
  ];
  for (const [account, expected] of states) {
    const text = diagnosticsText(facts({ accounts: [{ number: 2, account, agents: [] }] }));
    assert.ok(text.includes(`\naccount 2: ${expected}, generation 7`), text);
  }
});

test('a diagnostics report counts tools only if they could be listed, and repeats discovery only where it failed', () => {
  const account = (checks: ConnectionReport['checks']) =>
    diagnosticsText(
      facts({
        accounts: [{ number: 1, account: { grant, state: 'healthy' }, report: report({ checks }), agents: [] }],
      }),
    )
      .split('\naccounts: ')
      .at(-1) ?? '';
  const passed = account([
    { name: 'discovery', tookMs: 1 },
    { name: 'tools', tookMs: 1 },
  ]);
  assert.match(passed, /tools: 2/);
  assert.doesNotMatch(passed, /discovery:/);
  const failed = account([
    { name: 'discovery', tookMs: 1, failure: failure() },
    { name: 'tools', tookMs: 1, failure: failure() },
  ]);
  assert.doesNotMatch(failed, /tools: /);
  assert.match(failed, /discovery: MCP server 401/);
});

test('a diagnostics report says of a client how it authenticates, and of channels which are tried', () => {
  const client = { clientId: secret, authMethod: 'client_secret_basic', clientSecret: new Secret(secret) } as const;
  const { hostEnvironment } = facts();
  const text = diagnosticsText(
    facts({
      hostEnvironment: { ...hostEnvironment, clientConfigured: true, setting: 'uriHandler' },
      accounts: [{ number: 1, account: { grant: { ...grant, client }, state: 'healthy' }, agents: [] }],
    }),
  );
  assert.match(text, /client: configured in the settings\n/);
  assert.match(text, /setting uriHandler; tried none; uriHandler impossible here \(fixed registration/);
  assert.match(text, /signed in 3 days ago, client authenticates by client_secret_basic\n/);
});
