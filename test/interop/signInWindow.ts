import { createPlatformHttp } from '#platform/transport';
import type { Accounts } from '../../src/accounts/accounts.ts';
import { Log, type LogSink } from '../../src/core/log.ts';
import { systemRandomness as randomness } from '../../src/core/random.ts';
import { HttpFailure } from '../../src/http/errors.ts';
import type { ChannelName } from '../../src/signIn/channel.ts';
import type { SignInResult } from '../../src/signIn/exchange.ts';
import { PendingSignIns } from '../../src/signIn/pending.ts';
import { SignIn } from '../../src/signIn/signIn.ts';
import type { NotionServer } from '../notion/server.ts';
import { FakeClock } from '../unit/fakeClock.ts';

const redirectUri = 'http://127.0.0.1:50123/callback';
const http = createPlatformHttp({ userAgent: 'test' });

/** One window's sign-ins, whose functions are bound to it. The test plays the browser and its user. */
export class SignInWindow {
  /** The authorization URLs that were opened in the browser. */
  readonly openedUrls: string[] = [];
  /** The hosts that the user was asked to confirm: `<MCP host> <authorization host>`. */
  readonly confirmedHosts: string[] = [];
  readonly openedChannels: ChannelName[] = [];
  readonly pending: PendingSignIns;
  readonly signIn: SignIn;
  readonly clock = new FakeClock(Date.now());
  readonly logLines: string[] = [];
  /** Called in each pause before a request is sent again; by default, the pause passes. */
  onPause = async (): Promise<void> => void this.clock.advanceToNextTimer();
  readonly #log = new Log(collectingSink(this.logLines));
  readonly #notion: NotionServer;
  readonly #waiting: (() => void)[] = [];

  constructor(notion: NotionServer, accounts: Accounts, channels: ChannelName[]) {
    this.#notion = notion;
    const log = this.#log;
    this.pending = new PendingSignIns(log);
    this.signIn = new SignIn({
      http,
      accounts,
      pending: this.pending,
      channels: () => channels,
      openChannel: async (name) => {
        this.openedChannels.push(name);
        // Named as the URI handler, so that `pending.receive` delivers the callbacks of every channel.
        return { name: 'uriHandler', redirectUri: `${redirectUri}?channel=${name}`, close: () => undefined };
      },
      configuredClient: () => undefined,
      clientIssuers: new Map(),
      openBrowser: async (url) => {
        this.openedUrls.push(url);
        for (const resume of this.#waiting.splice(0)) {
          resume();
        }
        return true;
      },
      defaultServerUrl: 'https://mcp.notion.com/mcp',
      clientName: 'Test',
      clock: this.clock,
      randomness,
    });
  }

  readonly run = (signal = new AbortController().signal): Promise<SignInResult> =>
    this.signIn.run({
      log: this.#log.operation('sign-in', randomness),
      serverUrl: new URL(this.#notion.mcpUrl),
      scopes: ['default'],
      signal,
      onStage: (stage) => {
        if (stage === 'serverBusy' || stage === 'unreachable') {
          // The sign-in sets its timer after this call.
          setImmediate(() => void this.onPause());
        }
      },
      confirmHosts: async (mcpHost, authorizationHost) => {
        this.confirmedHosts.push(`${mcpHost} ${authorizationHost}`);
        return true;
      },
      confirmClient: async () => false,
    });

  /** Takes the server down. Resolves once requests of this process are refused, also those on a pooled connection. */
  async stopServer(): Promise<void> {
    await this.#notion.stopListening();
    const url = new URL(this.#notion.origin);
    const isRefused = (error: unknown): boolean => error instanceof HttpFailure && !error.wasSent;
    while (!(await http({ method: 'GET', url }).then(() => false, isRefused))) {}
  }

  /** Waits until the browser was opened `count` times; resolves to the authorization URLs. */
  readonly waitForBrowser = async (count: number): Promise<string[]> => {
    while (this.openedUrls.length < count) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return this.openedUrls;
  };
}

/** A log sink that appends each line, with its level, to `lines`. */
function collectingSink(lines: string[]): LogSink {
  const add = (level: string) => (line: string) => void lines.push(`${level} ${line}`);
  return { error: add('error'), warn: add('warn'), info: add('info'), debug: add('debug') };
}
