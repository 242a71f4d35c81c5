import type { AgentUse } from '../../../src/agents/consent.ts';
import { displayText } from '../../../src/core/displayText.ts';
import { Secret } from '../../../src/core/secret.ts';
import type { ConnectionReport } from '../../../src/diagnostics/connectionTest.ts';
import type { DiagnosticFacts } from '../../../src/diagnostics/report.ts';
import type { Grant } from '../../../src/grants/grant.ts';
import { Failure, type FailureKind } from '../../../src/oauth/errors.ts';

export const nowMs = Date.UTC(2026, 5, 1);
/** Secret and personal values, which occur in every field that could contain one. */
export const privateValues = [
  'zebra-secret',
  'Ada Lovelace',
  'ada@example.com',
  'yak-id',
  'mcp.walrus.example',
  '/home/ada',
  'lemur',
];
export const [secret = '', name = '', email = '', id = '', host = '', path = '', code = ''] = privateValues;

/** A failure with private values in all that it may tell. */
export function failure(kind: FailureKind = 'serverRejected'): Failure {
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

/** What a connection test reports whose check of the token failed. */
export function report(changes: Partial<ConnectionReport> = {}): ConnectionReport {
  return {
    checks: [
      { name: 'server', tookMs: 3 },
      { name: 'discovery', tookMs: 12 },
      { name: 'token', tookMs: 4, failure: failure() },
    ],
    requests: [
      { check: 'server', url: new URL(`https://${host}/x`), outcome: 200, tookMs: 3 },
      { check: 'discovery', url: new URL(`https://${host}${path}/mcp`), outcome: 401, tookMs: 1 },
      {
        check: 'discovery',
        url: new URL(`https://${host}/.well-known/oauth-protected-resource${path}?${secret}`),
        outcome: 200,
        tookMs: 5,
      },
      { check: 'discovery', url: new URL(`https://${host}${path}/metadata`), outcome: 404, tookMs: 2 },
      {
        check: 'discovery',
        url: new URL(`https://other.${host}/.well-known/oauth-authorization-server`),
        outcome: 'timeout',
        tookMs: 7,
      },
    ],
    identity: { userId: id, userName: name, userEmail: email, workspaceId: id, workspaceName: name },
    notTried: ['initialize', 'tools', 'identity', 'access'],
    wasRenewed: false,
    tools: [name, secret],
    access: new Map([
      [name, { status: secret, link: displayText(`https://${host}${path}`, 1000), restrictedParameters: [name] }],
    ]),
    clockSkewSeconds: -2,
    ...changes,
  };
}

export const grant: Grant = {
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

/** A user may give an agent any id. */
const agents: AgentUse[] = [
  { agent: 'editor', permission: 'allowed', usedAtMs: nowMs - 180_000 },
  { agent: 'codex', permission: 'denied' },
  { agent: code, permission: 'unknown' },
];

/** The facts of a window with two accounts, with a private value wherever there may be one. */
export function facts(changes: Partial<DiagnosticFacts> = {}): DiagnosticFacts {
  return {
    nowMs,
    utcOffsetMinutes: 120,
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
    server: report({ checks: [{ name: 'server', tookMs: 3 }], notTried: [] }),
    attempts: [
      {
        name: 'sign-in 0abc',
        startedAtMs: nowMs - 3_600_000,
        steps: ['discovering', 'uriHandler', 'waitingForBrowser', 'loopback', 'waitingForBrowser', 'finishing'],
        end: { tookMs: 42_400, outcome: { account: 3 } },
      },
      { name: 'sign-in 1def', startedAtMs: nowMs - 60_000, steps: ['discovering', 'paste', 'waitingForBrowser'] },
    ],
    accounts: [
      {
        number: 3,
        agents: [],
        account: {
          grant: { ...grant, id: 'other', needsSignIn: { reason: 'ended', serverCode: code } },
          state: 'needsSignIn',
        },
      },
      { number: 1, account: { grant, state: 'healthy' }, report: report(), agents },
    ],
    ...changes,
  };
}
