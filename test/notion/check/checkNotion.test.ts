import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { after, before, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createPlatformHttp } from '#platform/transport';
import { type Clock, systemClock } from '../../../src/core/clock.ts';
import { systemRandomness as randomness } from '../../../src/core/random.ts';
import { approve } from '../approve.ts';
import { contract, type Shape } from '../contract.ts';
import { defaultProfile, type Profile } from '../profile.ts';
import { type NotionServer, startNotionServer } from '../server.ts';
import { type CheckResult, checkNotion } from './checkNotion.ts';
import { findingsTable } from './findings.ts';

const http = createPlatformHttp({ userAgent: 'test' });

/** Pauses between two requests pass at once; the time limits stay. */
const clock: Clock = {
  ...systemClock,
  after: (delayMs, action) => systemClock.after(delayMs < 10_000 ? 0 : delayMs, action),
};

/** What a check sees of a server that differs from the documentation in nothing. */
const agreeing: readonly Shape[] = [
  'resource metadata of /mcp',
  'resource metadata at the root',
  'authorization server metadata',
  'no OpenID configuration',
  '401 challenge',
  'registration response',
  'confidential client by default',
  'Basic together with a client_id in the body',
  'custom-scheme redirect URIs',
  'authorize page of an unknown client',
  'token response',
  'unknown client at /token',
  'refused enterprise assertion',
  'end of earlier access tokens at a refresh',
  'revocation at /token',
  'event stream for one message',
  'tool list',
  'unknown tool',
  'identity',
  'tool access',
  'users',
];

describe('the check of Notion against the contract', () => {
  let notion: NotionServer;

  before(async () => {
    notion = await startNotionServer({ version: 'today' });
  });
  after(() => notion.close());
  beforeEach(() => {
    Object.assign(notion.profile, defaultProfile);
    notion.faults.clear();
    notion.log.clear();
  });

  /** Runs a check whose user allows access. */
  function check(risky = false, signal = new AbortController().signal): Promise<CheckResult> {
    return checkNotion({
      ...{ http, risky, signal, clock, randomness },
      serverUrl: new URL(notion.mcpUrl),
      openBrowser: async (url) => {
        void approve(url).then((callback) => fetch(callback));
      },
    });
  }

  /** The shapes with this result. */
  function shapesThat(result: 'agrees' | 'differs', { findings }: CheckResult): Shape[] {
    return contract.map(({ shape }) => shape).filter((shape) => findings.of(shape).result === result);
  }

  function assertRedacted(output: string): void {
    const { users, workspaces } = notion.directory;
    const personal = [...users, ...workspaces].flatMap(({ id, name }) => [id, name]);
    const parts = notion
      .issuedSecrets()
      .flatMap((secret) => secret.split(/[^\w-]+/).filter((part) => part.length >= 8));
    const forbidden = [...personal, ...users.flatMap(({ email = [] }) => email), ...parts, new URL(notion.origin).host];
    assert.ok(parts.length > 0);
    assert.deepEqual(
      forbidden.filter((each) => output.includes(each)),
      [],
    );
  }

  async function isRevoked(): Promise<boolean> {
    const accessTokens = [...notion.log.secrets].filter((secret) => secret.startsWith('user-ada:'));
    const statuses = await Promise.all(
      accessTokens.map(async (token) => {
        const headers = { authorization: `Bearer ${token}` };
        return (await fetch(notion.mcpUrl, { method: 'POST', headers })).status;
      }),
    );
    return statuses.length > 0 && statuses.every((status) => status === 401);
  }

  test('every shape that a check can see agrees with the default profile, and nothing stays signed in', async () => {
    const result = await check();
    assert.deepEqual(shapesThat('differs', result), [], findingsTable(result.findings));
    assert.deepEqual(shapesThat('agrees', result), agreeing);
    assert.deepEqual([result.failure, result.notRevoked], [undefined, undefined]);
    assert.ok(await isRevoked());
  });

  test('only a risky check presents the previous refresh token', async () => {
    await check();
    assert.equal(notion.requests({ path: '/token', grantType: 'refresh_token', status: 200 }).length, 1);
    const result = await check(true);
    assert.deepEqual(shapesThat('differs', result), []);
    assert.ok(shapesThat('agrees', result).includes('rotation with two valid refresh tokens'));
    assert.ok(await isRevoked());
  });

  const variations: [Partial<Profile>, Shape, string][] = [
    [
      { identity: 'bare' },
      'identity',
      'no metadata; no title; no url; no text; no self. Came: {workspace: {id: string',
    ],
    [{ email: false }, 'identity', 'no self.user.email'],
    [{ toolNames: 'openAi' }, 'tool list', 'no notion-search, notion-fetch but search, fetch'],
    [{ scopes: [] }, 'resource metadata of /mcp', 'no scopes_supported. Came: {resource: string'],
    [{ scopes: [] }, 'authorization server metadata', 'no scopes_supported'],
    [{ customSchemes: 'refused' }, 'custom-scheme redirect URIs', 'status 400'],
    [
      { refreshReuse: 'strict' },
      'rotation with two valid refresh tokens',
      'the previous refresh token is refused, and its use ended the grant',
    ],
    [{ refreshEndsAccessTokens: false }, 'end of earlier access tokens at a refresh', 'the earlier access token is'],
    [{ accessTokenLifeSeconds: 28_800 }, 'token response', 'expires_in: another number. Came: {access_token: string'],
    [{ refreshToken: 'none' }, 'token response', 'no refresh_token. Came: {access_token: string'],
  ];
  for (const [profile, shape, detail] of variations) {
    test(`a check reports a server whose profile is ${JSON.stringify(profile)}, as a difference in “${shape}”`, async () => {
      Object.assign(notion.profile, profile);
      const result = await check(true);
      const finding = result.findings.of(shape);
      assert.equal(finding.result, 'differs');
      assert.ok(finding.detail?.startsWith(detail), finding.detail);
      assertRedacted(findingsTable(result.findings));
      assert.ok(await isRevoked());
    });
  }

  test('a check sees faults that the contract allows, and goes on', async () => {
    const seen: [Partial<Profile>, Shape][] = [
      [{ unknownAtFirst: { client: { requests: 1 } } }, 'credentials that are unknown at first'],
      [{ unknownAtFirst: { accessToken: { requests: 1 } } }, 'credentials that are unknown at first'],
      [{ unknownAtFirst: { refreshToken: { requests: 1 } } }, 'credentials that are unknown at first'],
      [{ identityFailure: { as: 'unauthorized', times: 1 } }, 'credentials that are unknown at first'],
      [{ identityFailure: { as: 'rateLimited', times: 1 } }, 'API error with Retry-After'],
      [{ identityFailure: { as: 'unavailable', times: 1 } }, 'API error with Retry-After'],
      [{ identityFailure: { as: 'serializationFault', times: 1 } }, 'serialization fault'],
      [{ identityFailure: { as: 'toolRateLimit', times: 1 } }, 'rate limit of a tool'],
      [{ refreshToken: 'none', scopes: [] }, 'grant without a refresh token'],
    ];
    for (const [profile, shape] of seen) {
      Object.assign(notion.profile, defaultProfile, profile);
      const result = await check();
      assert.equal(result.findings.of(shape).result, 'agrees', `${shape}\n${findingsTable(result.findings)}`);
      assert.equal(result.findings.of('identity').result, 'agrees', shape);
      assert.equal(result.failure, undefined);
    }
    Object.assign(notion.profile, defaultProfile, { identityFailure: { as: 'unavailable', times: 1_000 } });
    const result = await check();
    assert.equal(result.findings.of('identity').result, 'not seen');
    assert.equal(result.findings.of('revocation at /token').result, 'agrees');
  });

  test('a check reports why the user or the client was refused, and what it saw before', async () => {
    const refusals: [Profile['admission'], Shape][] = [
      ['membersOnly', 'user who is not a member'],
      ['clientNotAllowed', 'client that an admin did not allow'],
    ];
    for (const [admission, shape] of refusals) {
      notion.profile.admission = admission;
      const result = await check();
      assert.equal(result.findings.of(shape).result, 'agrees');
      assert.equal(result.findings.of('registration response').result, 'agrees');
      assert.equal(result.failure?.details.step, 'authorization');
    }
  });

  test('a check that fails in the middle, or is ended there, leaves nothing signed in', async () => {
    notion.fault({ path: '/token', grantType: 'refresh_token' }, { kind: 'respond', status: 500 });
    const failed = await check();
    assert.equal(failed.failure?.kind, 'transient');
    assert.ok(await isRevoked());
    notion.faults.clear();
    const ended = new AbortController();
    const hold = notion.hold({ path: '/mcp' });
    const checking = check(false, ended.signal);
    await hold.held;
    ended.abort();
    assert.equal((await checking).failure?.kind, 'cancelled');
    hold.release();
    assert.ok(await isRevoked());
  });

  test('npm run check:notion prints the address and a table without personal data, and Ctrl+C revokes the sign-in', async () => {
    const folder = fileURLToPath(new URL('.', import.meta.url));
    // On this PATH there is no browser to open.
    const env = { ...process.env, PATH: folder };
    const child = spawn(process.execPath, [`${folder}main.ts`, '--server', notion.mcpUrl], { env });
    const output = text(child.stdout);
    const exited = once(child, 'exit');
    const callback = await approve(await printedAddress(child.stderr));
    const hold = notion.hold({ path: '/mcp' });
    await fetch(callback);
    await hold.held;
    child.kill('SIGINT');
    assert.deepEqual(await exited, [1, null]);
    hold.release();
    const table = await output;
    assert.match(table, /^\| Shape \| Known \| Here \|\n.*\n\| resource metadata of \/mcp \| reported \| agrees \|\n/);
    assert.match(table, /\| token response \| documented \| agrees \|/);
    assertRedacted(table);
    assert.ok(await isRevoked());
  });
});

async function printedAddress(output: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: output })) {
    const url = /Sign in and allow access at (\S+)/.exec(line)?.[1];
    if (url !== undefined) {
      return url;
    }
  }
  throw new Error('the check ended without printing an address');
}
