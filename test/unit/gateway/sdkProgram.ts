import type { TestContext } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport, StreamableHTTPError } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport as SdkTransport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { ErrorCode, McpError, ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import type { Outcome } from './clientOutcome.ts';
import type { Operation, ResponseRow } from './clientRows.ts';
import type { RowServer } from './rowServer.ts';

/** How long the client itself waits for a response. */
const timeout = 10_000;

interface Connection {
  client: Client;
  transport: StreamableHTTPClientTransport;
  /** Resolves when the server has sent a notification on the GET stream. */
  notified: Promise<void>;
}

type Result = Pick<Outcome, 'kind' | 'detail'> & { error?: unknown };

/** A program on the MCP SDK's client. If it loses its session, it opens a new one, as VS Code does. */
export class SdkProgram {
  readonly #t: TestContext;
  readonly #server: RowServer;
  readonly #url: URL;
  readonly #token: string;

  /** Uses the scripted server at `url`, which is its own or the gateway's, until the end of the test. */
  constructor(t: TestContext, server: RowServer, url: string, token: string) {
    this.#t = t;
    this.#server = server;
    this.#url = new URL(url);
    this.#token = token;
  }

  /**
   * Performs an operation to which the server responds as the row says. If it has no result yet when two further
   * requests have got theirs, it counts as without a response, unless `isPatient`: then the client's time-out decides.
   */
  async run(row: ResponseRow, operation: Operation, { isPatient = false } = {}): Promise<Outcome> {
    this.#server.play(row, operation);
    let connection = this.#create();
    // JSON has no stream to come on.
    const isDecoded = row.compressed === 'events' || (row.compressed === 'JSON' && operation !== 'GET');
    const takesTime = row.resumedAt !== undefined || isDecoded;
    let result = await this.#perform(operation, connection, isPatient || takesTime);
    if (connection.transport.sessionId !== undefined && isLostSession(result.error)) {
      connection = this.#create();
      result = await this.#perform(operation, connection, true);
      result = result.kind === 'result' ? { kind: 'new session' } : result;
    }
    this.#server.beHealthy();
    if (connection.client.getServerVersion() === undefined || operation === 'notifications/initialized') {
      // The client is not connected, or not for sure.
      connection = this.#create();
      await this.#connect(connection);
    }
    const next = await resultOf(call(connection));
    const { kind, detail } = result;
    return { kind, isNextGood: next.kind === 'result', ...(detail !== undefined && { detail }) };
  }

  #create(): Connection {
    const client = new Client({ name: 'test', version: '1' });
    this.#t.after(() => client.close());
    const notified = Promise.withResolvers<void>();
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => notified.resolve());
    const transport = new StreamableHTTPClientTransport(this.#url, {
      requestInit: { headers: { authorization: `Bearer ${this.#token}` } },
      reconnectionOptions: {
        initialReconnectionDelay: 1,
        maxReconnectionDelay: 1,
        reconnectionDelayGrowFactor: 1,
        maxRetries: 2,
      },
    });
    return { client, transport, notified: notified.promise };
  }

  #perform(operation: Operation, connection: Connection, isPatient: boolean): Promise<Result> {
    const results = [resultOf(this.#request(operation, connection))];
    if (!isPatient) {
      results.push(this.#silence(connection));
    }
    return Promise.race(results);
  }

  async #request(operation: Operation, connection: Connection): Promise<void> {
    await this.#connect(connection);
    if (operation === 'tools/list') {
      await connection.client.listTools({}, { timeout });
    } else if (operation === 'tools/call') {
      await call(connection);
    } else if (operation === 'GET') {
      await Promise.race([connection.notified, rejectLate()]);
    }
  }

  async #connect({ client, transport }: Connection): Promise<void> {
    // The SDK's types do not support `exactOptionalPropertyTypes`.
    await client.connect(transport as SdkTransport, { timeout });
  }

  /** Resolves when the server has responded as the row says, and after that to two further requests. */
  async #silence({ client }: Connection): Promise<Result> {
    await this.#server.played;
    for (let number = 1; number <= 2; number += 1) {
      await client.ping({ timeout }).catch(() => undefined);
    }
    return { kind: 'no response' };
  }
}

async function call({ client }: Connection): Promise<void> {
  await client.callTool({ name: 'do' }, undefined, { timeout });
}

/** @throws McpError as the client does for a request that has no response */
function rejectLate(): Promise<never> {
  return new Promise((_resolve, reject) => {
    const late = new McpError(ErrorCode.RequestTimeout, 'no notification');
    AbortSignal.timeout(timeout).addEventListener('abort', () => reject(late));
  });
}

function resultOf(promise: Promise<void>): Promise<Result> {
  return promise.then(
    () => ({ kind: 'result' }),
    (error: unknown) => {
      const isTimeout = error instanceof McpError && error.code === ErrorCode.RequestTimeout;
      const kind = isTimeout ? 'no response' : error instanceof McpError ? 'error' : 'failure';
      return { kind, detail: String(error), error };
    },
  );
}

/** Whether VS Code would open a new session after this error in a session (modelcontextprotocol/typescript-sdk#389). */
function isLostSession(error: unknown): boolean {
  return error instanceof StreamableHTTPError && (error.code === 400 || error.code === 404);
}
