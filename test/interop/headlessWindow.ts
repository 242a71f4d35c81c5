import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { files } from '#platform/files';
import { createPlatformHttp, createTransport } from '#platform/transport';
import { Accounts } from '../../src/accounts/accounts.ts';
import { accountHttp } from '../../src/calls/accountHttp.ts';
import { systemClock as clock } from '../../src/core/clock.ts';
import { displayText } from '../../src/core/displayText.ts';
import { Log, type LogSink } from '../../src/core/log.ts';
import { systemRandomness as randomness } from '../../src/core/random.ts';
import type { RunningGateway } from '../../src/gateway/contract.ts';
import { openGateway } from '../../src/gateway/gateway.ts';
import type { Grant } from '../../src/grants/grant.ts';
import { NetworkWatch } from '../../src/http/networkWatch.ts';
import { readIdentity } from '../../src/notion/identity.ts';
import type { ConfiguredClient } from '../../src/oauth/registration.ts';
import { createGrantRequests } from '../../src/renewal/grantRequests.ts';
import { StepUps } from '../../src/signIn/stepUps.ts';
import { MemorySecretStorage } from '../unit/storage/memorySecrets.ts';
import { HeadlessSignIn } from './headlessSignIn.ts';

export interface HeadlessWindowOptions {
  serverUrl: URL;
  redirectUri: string;
  client?: ConfiguredClient | undefined;
  log?: LogSink;
}

/** One window of the extension without an editor: its sign-in, accounts, renewal and gateway, on a real disk. */
export class HeadlessWindow {
  readonly accounts: Accounts;
  readonly gateway: RunningGateway;
  readonly #directory: string;
  readonly #signIn: HeadlessSignIn;
  readonly #stepUps: StepUps;

  private constructor(
    directory: string,
    accounts: Accounts,
    gateway: RunningGateway,
    signIn: HeadlessSignIn,
    stepUps: StepUps,
  ) {
    this.#directory = directory;
    this.#signIn = signIn;
    this.#stepUps = stepUps;
    this.accounts = accounts;
    this.gateway = gateway;
  }

  static async open(options: HeadlessWindowOptions): Promise<HeadlessWindow> {
    const directory = await mkdtemp(join(tmpdir(), 'headless-window-'));
    const log = new Log(options.log ?? silent);
    const http = createPlatformHttp({ userAgent: 'notion-mcp-auth/test' });
    const stepUps = new StepUps(clock);
    let hasAccounts = false;
    const accounts = new Accounts({
      secrets: new MemorySecretStorage().window(),
      files,
      directory: join(directory, 'journal'),
      requests: createGrantRequests(http, clock),
      identify: ({ id, serverUrl }) => readIdentity(accountHttp({ accounts, clock }, id, http), new URL(serverUrl)),
      clock,
      randomness,
      log,
      openedAtMs: clock.nowMs(),
      usage: {
        get: () => hasAccounts,
        set: (value) => {
          hasAccounts = value;
        },
      },
      serverUrl: options.serverUrl.href,
    });
    await accounts.load();
    const gateway = await openGateway({
      accounts: {
        find: (id) => accounts.find(id)?.grant,
        fresh: (id, waitMs) => accounts.fresh(id, waitMs),
        renew: (id, why) => accounts.renew(id, why),
      },
      permission: () => 'allowed',
      toolCalled: () => undefined,
      consentNeeded: () => undefined,
      transport: createTransport(),
      network: new NetworkWatch({ clock, addresses: () => new Set() }),
      sentence: ({ kind, host }) => displayText(`${kind} at ${host}`, 200),
      reminders: { signInNeeded: () => undefined, insufficientScope: () => undefined },
      scopesDemanded: (id, scopes) => stepUps.demand(id, scopes),
      clock,
      randomness,
      log,
    });
    if (gateway === undefined) {
      throw new Error('The gateway cannot listen here.');
    }
    const signIn = new HeadlessSignIn({ ...options, http, accounts, log });
    return new HeadlessWindow(directory, accounts, gateway, signIn, stepUps);
  }

  /** Signs in, or signs an account in again, with the scopes that it lacks. @throws Failure */
  async signIn(account?: Grant): Promise<Grant> {
    const scopes = account && this.#stepUps.scopesFor(account);
    const { grant } = await this.#signIn.run(scopes);
    this.#stepUps.signedIn(grant.id, scopes);
    return grant;
  }

  async close(): Promise<void> {
    await this.gateway.close();
    await this.accounts.dispose();
    await rm(this.#directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

const silent: LogSink = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };
