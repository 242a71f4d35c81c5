import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import {
  authentication,
  ConfigurationTarget,
  commands,
  EventEmitter,
  type ExtensionContext,
  extensions,
  LanguageModelTextPart,
  lm,
  McpHttpServerDefinition,
  McpStdioServerDefinition,
  Uri,
  workspace,
} from 'vscode';
import { callNotion } from './callNotion.ts';
import { mapTestNames, openGatewayTo, post, timeCalls } from './network.ts';
import {
  type Ask,
  type ConsumerApi,
  directoryVariable,
  type History,
  type OfferedProgram,
  type OfferedServer,
  type SessionResult,
} from './protocol.ts';

const providerId = 'notion-mcp';

/** Listens for the tests on 127.0.0.1 and makes their requests to the editor as this extension. */
export async function activate(context: ExtensionContext): Promise<ConsumerApi> {
  const history: History = { startResults: [], sessionChanges: 0 };
  const sessionsChanged = new EventEmitter<void>();
  context.subscriptions.push(
    sessionsChanged,
    authentication.onDidChangeSessions(({ provider }) => {
      if (provider.id === providerId) {
        history.sessionChanges += 1;
        sessionsChanged.fire();
      }
    }),
  );
  const atStart = workspace.getConfiguration('sessionConsumer').get<Ask[]>('askAtStart', []);
  const startRequests = Promise.all(atStart.map(requestSession)).then((results) => {
    history.startResults = results;
  });
  const setTimer = globalThis.setTimeout;
  const server = createServer((request, response) => {
    void serve(request, response, async (path, body) => {
      switch (path) {
        case '/ask':
          return requestSession(body as Ask);
        case '/hasBeside':
          return extensions.getExtension((body as { id: string }).id) !== undefined;
        case '/accounts':
          return authentication.getAccounts(providerId);
        case '/history':
          await startRequests;
          return history;
        case '/changesBeyond': {
          const { count } = body as { count: number };
          return history.sessionChanges > count
            ? undefined
            : new Promise<void>((resolve) => sessionsChanged.event(() => resolve()));
        }
        case '/callNotion': {
          const { url, name, input } = body as { url: string; name: string; input: Record<string, unknown> };
          return callNotion(url, name, input);
        }
        case '/tools':
          return lm.tools.map(({ name }) => name);
        case '/toolsAppear': {
          const { part, count } = body as { part: string; count: number };
          return toolsAppear(part, count);
        }
        case '/callTool': {
          const { name, input } = body as { name: string; input: object };
          const { content } = await lm.invokeTool(name, { input, toolInvocationToken: undefined });
          return content.map((part) => (part instanceof LanguageModelTextPart ? part.value : '')).join('');
        }
        case '/setting': {
          const { name, value } = body as { name: string; value: unknown };
          return workspace.getConfiguration().update(name, value, ConfigurationTarget.Global);
        }
        case '/post':
          return post((body as { url: string }).url);
        case '/openGateway':
          return openGatewayTo((body as { url: string }).url);
        case '/offer':
          context.subscriptions.push(offerServers((body as { servers: OfferedServer[] }).servers));
          return undefined;
        case '/timeCalls': {
          const { name, count } = body as { name: string; count: number };
          return timeCalls(name, count);
        }
        case '/mapTestNames':
          return mapTestNames();
        case '/environment': {
          const { name, value } = body as { name: string; value: string };
          process.env[name] = value;
          return undefined;
        }
        case '/clock': {
          const { minutes } = body as { minutes: number };
          const now = Date.now;
          Date.now = () => now() + minutes * 60_000;
          return undefined;
        }
        case '/timers': {
          const { ofMs, toMs } = body as { ofMs: number; toMs: number };
          const setChanged = (action: () => void, delayMs?: number, ...args: []) =>
            setTimer(action, delayMs === ofMs ? toMs : delayMs, ...args);
          globalThis.setTimeout = Object.assign(setChanged, setTimer);
          return undefined;
        }
        case '/command': {
          const { id, args } = body as { id: string; args: unknown[] };
          return commands.executeCommand(id, ...args);
        }
        default:
          throw new Error(`unknown path ${path}`);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.subscriptions.push({ dispose: () => server.close() }, announce(context, server.address() as AddressInfo));
  return { offerServers };
}

function offerServers(servers: (OfferedServer | OfferedProgram)[]): { dispose(): void } {
  return lm.registerMcpServerDefinitionProvider('sessionConsumer', {
    provideMcpServerDefinitions: () =>
      servers.map((server) =>
        'url' in server
          ? new McpHttpServerDefinition(server.label, Uri.parse(server.url), { Authorization: server.authorization })
          : new McpStdioServerDefinition(server.label, server.command, server.args, server.env),
      ),
  });
}

async function requestSession({ scopes, options }: Ask): Promise<SessionResult> {
  try {
    const session = await authentication.getSession(providerId, scopes, options ?? {});
    return session === undefined
      ? { session: null }
      : {
          session: {
            id: session.id,
            accessToken: session.accessToken,
            account: { ...session.account },
            scopes: [...session.scopes],
          },
        };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

/** Polls, because the editor has no event for new tools. */
function toolsAppear(part: string, count: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (lm.tools.filter(({ name }) => name.includes(part)).length >= count) {
        clearInterval(timer);
        resolve();
      }
    }, 100);
  });
}

/** Writes the port of this window's consumer for the tests. The file is created atomically. */
function announce({ extension }: ExtensionContext, { port }: AddressInfo): { dispose(): void } {
  const directory = process.env[directoryVariable];
  if (directory === undefined) {
    return { dispose: () => undefined };
  }
  mkdirSync(directory, { recursive: true });
  const file = join(directory, `${extension.id}-${process.pid}.json`);
  writeFileSync(`${file}.new`, JSON.stringify({ port, pid: process.pid }));
  renameSync(`${file}.new`, file);
  return { dispose: () => rmSync(file, { force: true }) };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  handle: (path: string, body: unknown) => PromiseLike<unknown>,
): Promise<void> {
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
      chunks.push(chunk as Buffer);
    }
    const text = Buffer.concat(chunks).toString();
    const result = await handle(request.url ?? '', text === '' ? undefined : JSON.parse(text));
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(result ?? null));
  } catch (error) {
    response.writeHead(500).end(error instanceof Error ? error.message : String(error));
  }
}
