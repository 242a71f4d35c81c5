import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { Bridge } from '../../src/agents/bridge/bridge.ts';
import { ServerCache } from '../../src/agents/bridge/cache.ts';
import { linesOf } from '../../src/agents/bridge/stdio.ts';
import { type WindowConnection, WindowGone } from '../../src/agents/bridge/windowConnection.ts';
import { anyText, anyValue } from './inputs.ts';
import { type Property, property } from './property.ts';

/** Ids as JSON texts. */
const id = fc.oneof(
  fc.constantFrom('0', '1', '1.0', '-0', '9007199254740993', 'null', '""', '"1"', '"\\u0061"'),
  anyText.map((text) => JSON.stringify(text)),
);
const method = fc.oneof(
  fc.constantFrom('initialize', 'server/discover', 'tools/list', 'tools/call', 'ping', 'prompts/get', '__proto__', ''),
  anyText,
);
const params = fc.oneof(
  anyValue,
  fc.constantFrom(
    { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' }, name: 'größer' },
    { protocolVersion: '2025-11-25' },
    { cursor: '' },
  ),
);

/** A line of an agent, with the ids that its requests have. */
interface AgentLine {
  text: string;
  ids: readonly string[];
}

const request = fc.tuple(id, method, params).map(([written, name, value]): AgentLine => {
  const rest = `"params":${JSON.stringify(value) ?? 'null'},"method":${JSON.stringify(name)}`;
  return { text: `{"jsonrpc":"2.0","id":${written},${rest}}`, ids: [written] };
});
const silent = fc.oneof(
  fc.tuple(fc.constantFrom('notifications/initialized', 'notifications/x', 'x'), params).map(([name, value]) => ({
    jsonrpc: '2.0',
    method: name,
    params: value,
  })),
  id.map((written) => ({ method: 'notifications/cancelled', params: { requestId: JSON.parse(written) } })),
  fc.tuple(id, anyValue).map(([written, result]) => ({ id: JSON.parse(written), result: result ?? null })),
);
const agentLine: fc.Arbitrary<AgentLine> = fc.oneof(
  { weight: 6, arbitrary: request },
  { weight: 3, arbitrary: silent.map((message) => ({ text: JSON.stringify(message), ids: [] })) },
  {
    weight: 1,
    arbitrary: fc.array(request, { minLength: 1, maxLength: 3 }).map((requests) => ({
      text: `[${requests.map(({ text }) => text).join()}]`,
      ids: requests.flatMap(({ ids }) => ids),
    })),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('junk', '{', '{}', '[]', '1', 'null', '"x"', '{"id":1,"method":', '{"id":{},"method":"x"}', '\0')
      .map((text) => ({ text, ids: ['null'] })),
  },
  { weight: 1, arbitrary: fc.constant({ text: '', ids: [] }) },
);
const conversation = fc.array(fc.tuple(agentLine, fc.constantFrom('\n', '\r\n')), { maxLength: 8 });
const cuts = fc.array(fc.nat({ max: 2_000 }), { maxLength: 6 });

/** What a window does with a message; in texts `<id>` stands for the id of the request. */
type Response = 'gone' | 'broken' | { status: number; type: string; pieces: string[]; breaksOff: boolean };

const body = fc.oneof(
  fc.constantFrom(
    '{"jsonrpc":"2.0","id":<id>,"result":{}}',
    '{"jsonrpc":"2.0","id":<id>,"result":{"protocolVersion":1,"capabilities":[],"tools":"x"}}',
    '{"jsonrpc":"2.0","id":<id>,"error":{"code":-32085,"message":"sentence","data":{"kind":"x"}}}',
    '{"jsonrpc":"2.0","id":<id>,"error":1}',
    '[{"jsonrpc":"2.0","id":<id>,"result":{}},{"jsonrpc":"2.0","method":"x"}]',
    '{"jsonrpc":"2.0","id":7,"result":{}}',
    '{"jsonrpc":"2.0","method":"notifications/message"}',
    '{"jsonrpc":"2.0","id":<id>,"result"',
  ),
  anyText,
);
const piece = fc.oneof(
  body,
  fc
    .tuple(body, fc.constantFrom('\n\n', '\r\n\r\n', '\r\r', '\n\r\n', '\n'))
    .map(([text, end]) => `data: ${text}${end}`),
  fc.constantFrom('event: other\n', ': x\n', 'data:\n', '\n\n', '\uFEFF'),
);
const response: fc.Arbitrary<Response> = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom('gone' as const, 'broken' as const) },
  {
    weight: 8,
    arbitrary: fc.record({
      status: fc.constantFrom(200, 200, 200, 202, 400, 404, 500),
      type: fc.constantFrom('application/json', 'text/event-stream', 'text/html'),
      pieces: fc.array(piece, { maxLength: 4 }),
      breaksOff: fc.boolean(),
    }),
  },
);

/** The properties of the bridge's two ends. */
export const bridgeProperties: Property[] = [
  property(
    'each request of an agent gets exactly one response with its id, and nothing else is written, while there is no window',
    [conversation, cuts],
    async (lines, at) => {
      const written = await converse(lines, at, async () => 'noWindow');
      assert.deepEqual(written.map(idOf).sort(), expectedIds(lines));
    },
  ),
  property(
    'each request of an agent gets exactly one response with its id, whatever the window responds',
    [conversation, cuts, fc.array(response, { minLength: 1, maxLength: 6 })],
    async (lines, at, responses) => {
      let count = 0;
      const window = {
        close: () => undefined,
        send: async ({ body: sent }: { body?: Uint8Array }) => {
          count += 1;
          return responseOf(responses[count % responses.length] ?? 'gone', sent);
        },
      } as unknown as WindowConnection;
      const written = await converse(lines, at, async () => window);
      const own = written.filter((message) => message.method === undefined);
      assert.deepEqual(own.map(idOf).sort(), expectedIds(lines));
    },
  ),
];

type Written = { id?: unknown; method?: unknown };

/** @returns the messages that the bridge wrote */
async function converse(
  lines: readonly [AgentLine, string][],
  cuts: readonly number[],
  find: () => Promise<WindowConnection | 'noWindow'>,
): Promise<Written[]> {
  const written: Written[] = [];
  const bridge = new Bridge({
    windows: { find, statusOf: async () => 'ready' },
    cache: new ServerCache('/dev/null/cache'),
    send: async (message) => {
      written.push(JSON.parse(message));
    },
    watch: () => () => undefined,
    watchConsent: () => () => undefined,
    silenceMs: () => undefined,
    editor: 'VS Code',
  });
  const bytes = Buffer.from(lines.map(([{ text }, end]) => text + end).join(''));
  const ends = [...cuts.map((at) => at % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  const pieces = ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
  const receiving: Promise<void>[] = [];
  for await (const line of linesOf(Readable.from(pieces))) {
    receiving.push(bridge.receive(line));
  }
  await Promise.all(receiving);
  // What follows a response is still read.
  await new Promise((resolve) => setImmediate(resolve));
  bridge.close();
  return written;
}

function responseOf(response: Response, sent: Uint8Array | undefined): IncomingMessage {
  if (response === 'gone') {
    throw new WindowGone();
  }
  if (response === 'broken') {
    throw new Error('socket hang up');
  }
  const { status, type, pieces, breaksOff } = response;
  const written = /"id":("(?:[^"\\]|\\.)*"|[^,}]+)/.exec(Buffer.from(sent ?? []).toString())?.[1] ?? '0';
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (const text of pieces) {
      yield Buffer.from(text.replaceAll('<id>', () => written));
    }
    if (breaksOff) {
      throw new Error('aborted');
    }
  }
  const headers = { 'content-type': type };
  // Node's own responses do not throw an error that is not listened for.
  const readable = Readable.from(chunks(), { objectMode: false }).on('error', () => undefined);
  return Object.assign(readable, { statusCode: status, headers }) as unknown as IncomingMessage;
}

function idOf({ id: value }: Written): string {
  return JSON.stringify(value) ?? 'none';
}

function expectedIds(lines: readonly [AgentLine, string][]): string[] {
  return lines.flatMap(([{ ids }]) => ids.map((written) => JSON.stringify(JSON.parse(written)))).sort();
}
