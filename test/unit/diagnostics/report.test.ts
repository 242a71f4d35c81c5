import assert from 'node:assert/strict';
import { test } from 'node:test';
import { displayText } from '../../../src/core/displayText.ts';
import { Secret } from '../../../src/core/secret.ts';
import type { ConnectionReport } from '../../../src/diagnostics/connectionTest.ts';
import { type DiagnosticFacts, diagnosticsText } from '../../../src/diagnostics/report.ts';
import type { Grant } from '../../../src/grants/grant.ts';
import { Failure, type FailureKind } from '../../../src/oauth/errors.ts';

const nowMs = Date.UTC(2026, 5, 1);
/** Secret and personal values, which occur in every field that could contain one. */
const privateValues = [
  'zebra-secret',
  'Ada Lovelace',
  'ada@example.com',
  'yak-id',
  'mcp.walrus.example',
  '/home/ada',
  'lemur',
];
const [secret = '', name = '', email = '', id = '', host = '', path = '', code = ''] = privateValues;

function failure(kind: FailureKind = 'serverRejected'): Failure {
  return new Failure(kind, {
    step: 'token',
    code: 'invalid_request',
    status: 400,
    host,
    lookedAt: [`https://${host}${path}`],
    missing: secret,
    serverReason: displayText(`${name} ${secret}`, 1000),
    cause: new Error(path),
  });
}

function report(changes: Partial<ConnectionReport> = {}): ConnectionReport {
  return {
    checks: [
      { name: 'server', tookMs: 3 },
      { name: 'discovery', tookMs: 12 },
      { name: 'token', tookMs: 4, failure: failure() },
    ],
    requests: [
      { check: 'server', url: new URL(`https://${host}/x`), outcome: 200, tookMs: 3 },
      {
        check: 'discovery',
        url: new URL(`https://${host}/.well-known/oauth-protected-resource${path}?${secret}`),
        outcome: 200,
        tookMs: 5,
      },
      { check: 'discovery', url: new URL(`https://${host}${path}/mcp`), outcome: 401, tookMs: 1 },
      {
        check: 'discovery',
        url: new URL(`https://other.${host}/.well-known/oauth-authorization-server`),
        outcome: 'timeout',
        tookMs: 7,
      },
    ],
    identity: { userId: id, userName: name, userEmail: email, workspaceId: id, workspaceName: name },
    notTried: [],
    wasRenewed: false,
    tools: [name, secret],
    access: new Map([
      [name, { status: secret, link: displayText(`https://${host}${path}`, 1000), restrictedParameters: [name] }],
    ]),
    clockSkewSeconds: -2,
    ...changes,
  };
}

const grant: Grant = {
  id,
  generation: 7,
  serverUrl: `https://${host}${path}`,
  resource: `https://${host}${path}`,
  authorizationServer: {
    issuer: `https://${host}`,
    authorizationEndpoint: `https://${host}/a`,
    tokenEndpoint: `https://${host}/t`,
  },
  client: { clientId: secret, authMethod: 'none' },
  tokens: {
    accessToken: new Secret(secret),
    refreshToken: new Secret(secret),
    obtainedAtMs: nowMs - 90_000,
    expiresInSeconds: 3_600,
    scopes: [secret],
  },
  identity: { userId: id, userName: name, userEmail: email, workspaceId: id, workspaceName: name },
  label: `${name} (${email})`,
  askedScopes: [secret],
  signedInAtMs: nowMs - 3 * 86_400_000,
};

function facts(changes: Partial<DiagnosticFacts> = {}): DiagnosticFacts {
  return {
    nowMs,
    versions: { extension: '0.1.0', editor: '1.139.1', node: '24.1.0' },
    uriScheme: 'vscode',
    platform: 'linux-x64',
    remoteName: 'ssh-remote',
    hostEnvironment: {
      host: 'workspace',
      remote: true,
      web: false,
      portableOnWindows: false,
      clientConfigured: false,
      setting: 'auto',
    },
    isNotionsServer: false,
    proxies: [{ where: 'editor setting', url: `http://${name}:${secret}@${host}:8080` }],
    proxySupport: 'override',
    storage: {
      hasJournal: true,
      isKeyLost: false,
      watchWorks: true,
      files: {
        grants: new Map([[id, { records: 2, reserved: 0, isLocked: true }]]),
        tombstones: 3,
        isStoring: false,
      },
      lastFailures: new Map([[id, failure('transient')]]),
    },
    problems: new Set(),
    server: report({ checks: [{ name: 'server', tookMs: 3 }] }),
    accounts: [
      { number: 1, account: { grant, state: 'healthy' }, renewalProblem: 'offline', report: report() },
      {
        number: 3,
        account: {
          grant: { ...grant, id: 'other', needsSignIn: { reason: 'ended', serverCode: code } },
          state: 'needsSignIn',
        },
        renewalProblem: undefined,
      },
    ],
    ...changes,
  };
}

test('a diagnostics report contains everything that an issue needs, and nothing secret or personal', () => {
  const text = diagnosticsText(facts());
  assert.deepEqual(text.split('\n').slice(2), [
    'extension 0.1.0, editor 1.139.1 (vscode, desktop), node 24.1.0',
    'host workspace, remote ssh-remote, platform linux-x64',
    'server custom, client registered at sign-in',
    'channels (auto): uriHandler yes; loopback asked (browser on another machine or no listening); paste yes',
    'proxy: yes (editor setting, http), support override',
    'storage: journal yes (in <data>, 3 signed out), secret storage, watch works yes, problems none',
    'chain without an account: server 3 ms',
    '  discovery: oauth-protected-resource/<path> 200 5 ms, <path> 401 1 ms, oauth-authorization-server (another origin) timeout 7 ms',
    '  clock skew -2 s',
    'accounts: 2',
    '',
    'account 1: healthy, offline, generation 7, identity yes',
    '  signed in 3 days ago; token 90 s old, life 3600 s, renewable yes, client none',
    '  last failure: transient/token/invalid_request/400',
    '  journal: lock held, records 2, reserved 0',
    '  chain: server 3 ms, discovery 12 ms, token 4 ms FAILED serverRejected/token/invalid_request/400',
    '  discovery: oauth-protected-resource/<path> 200 5 ms, <path> 401 1 ms, oauth-authorization-server (another origin) timeout 7 ms',
    '  tools 2, known server fault no, clock skew -2 s',
    '',
    'account 3: needsSignIn (ended, server said unregistered_error), generation 7, identity yes',
    '  signed in 3 days ago; token 90 s old, life 3600 s, renewable yes, client none',
    '  last failure: none',
    '  journal: no record',
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

test('a diagnostics report is complete without accounts and with an invalid server URL', () => {
  const server = new Failure('misconfigured', { step: 'discovery', code: 'server_url_empty' });
  const text = diagnosticsText(facts({ accounts: [], server, proxies: [] }));
  assert.match(text, /chain without an account: misconfigured\/discovery\/server_url_empty\naccounts: 0\n$/);
  assert.match(text, /proxy: no, support override/);
});

test('a diagnostics report marks a check that was cut off', () => {
  const cutOff = new Failure('cancelled', { step: 'authorization', code: 'cancelled' });
  const text = diagnosticsText(
    facts({ server: report({ checks: [{ name: 'server', tookMs: 20_000, failure: cutOff }], requests: [] }) }),
  );
  assert.match(text, /chain without an account: server 20000 ms FAILED cut off\n {2}discovery: nothing asked/);
});

test('a diagnostics report quotes the authorization server’s error code if there was one and it is registered', () => {
  const needsSignIn = [{ reason: 'ended', serverCode: 'invalid_grant' }, { reason: 'noRefreshToken' }] as const;
  const accounts = needsSignIn.map((each, index) => ({
    number: index + 1,
    account: { grant: { ...grant, needsSignIn: each }, state: 'needsSignIn' as const },
    renewalProblem: undefined,
  }));
  const text = diagnosticsText(facts({ accounts }));
  assert.match(text, /account 1: needsSignIn \(ended, server said invalid_grant\),/);
  assert.match(text, /account 2: needsSignIn \(noRefreshToken\),/);
});
