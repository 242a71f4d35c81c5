import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isObject, parseJson } from '../../src/core/json.ts';
import { EventStreamReader } from '../../src/mcp/eventStream.ts';
import { MessageReader, type Outline } from '../../src/mcp/messageReader.ts';
import { withServerTitle } from '../../src/mcp/serverTitle.ts';
import { anyText } from './inputs.ts';
import { type Property, property } from './property.ts';

const space = fc.constantFrom('', '', ' ', '\n', '\r\n\t');
const scalarText = fc.constantFrom('1', '1.0', '-0', '1e2', '9007199254740993', '"1"', '"\\u00e4"', 'null', 'true');
const valueText = fc.oneof(scalarText, fc.json({ maxDepth: 2 }), anyText.map(jsonText));
const otherName = fc.oneof(
  fc.constantFrom('id', 'method', 'result', 'error', 'title', 'serverInfo', '_meta', '__proto__', ''),
  anyText,
);

/** A member as JSON text: a name and a value. */
type Member = [name: string, value: string];

const member: fc.Arbitrary<Member> = fc.oneof(
  fc.tuple(fc.constantFrom('"id"', String.raw`"i\u0064"`), valueText),
  fc.tuple(fc.constant('"method"'), fc.oneof(fc.constantFrom('"m"', '"tools/call"', '1'), anyText.map(jsonText))),
  fc.tuple(fc.constantFrom('"result"', '"error"', '"params"'), valueText),
  fc.tuple(otherName.map(jsonText), valueText),
);
const message = fc.tuple(fc.array(member, { maxLength: 6 }), space).map(([members, gap]) => objectText(members, gap));
const batch = fc
  .tuple(fc.array(fc.oneof({ weight: 4, arbitrary: message }, valueText), { maxLength: 4 }), space)
  .map(([messages, gap]) => `[${gap}${messages.join(`,${gap}`)}${gap}]`);
const body = fc
  .tuple(fc.constantFrom('', '\uFEFF'), space, fc.oneof(message, batch), space)
  .map((parts) => parts.join(''));

/** Texts that are nearly JSON, and bytes that are none. */
const nearlyJson = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom('{', '}', '[', ']', ',', ':', '"', '\\', ' ', '1', '"id"', '"method"') },
      { weight: 2, arbitrary: fc.oneof(valueText, message, batch, anyText) },
    ),
    { maxLength: 12 },
  )
  .map((pieces) => Buffer.from(pieces.join('')));
const damaged = fc
  .tuple(body, fc.nat(), fc.nat({ max: 3 }), fc.constantFrom('', '{', ']', '}', ',', '"', '\\', ':', 'x'))
  .map(([text, at, length, other]) => {
    const start = at % (text.length + 1);
    return Buffer.from(text.slice(0, start) + other + text.slice(start + length));
  });
const anyBody = fc.oneof(damaged, nearlyJson, fc.uint8Array({ maxLength: 60 }));

const line = fc.oneof(
  message.map((text) => `data: ${text.replace(/[\r\n]/g, ' ')}`),
  fc
    .tuple(message, fc.nat({ max: 30 }))
    .map(([text, at]) => `data:${text.slice(0, at)}\ndata: ${text.slice(at)}`.replace(/\r/g, '')),
  fc.constantFrom('', '', '', ':', ': comment', 'data', 'data:', 'data: ping', 'id', 'id: 7', 'id:a: b', 'id: \0'),
  fc.constantFrom('event', 'event: message', 'event:ping', 'retry: 5', 'retry: x', 'retry:99', '\uFEFF', ' data: {}'),
  anyText,
);
const stream = fc
  .array(fc.tuple(line, fc.constantFrom('\n', '\r\n', '\r', '\n\n', '\r\n\r\n', '')), { maxLength: 14 })
  .map((lines) => Buffer.from(lines.flat().join('')));

/** Where to split bytes into pieces. */
const cuts = fc.array(fc.nat({ max: 200 }), { maxLength: 6 });

/** What stands for the title in a response, until it is replaced by the old or the new one. */
const titleMark = '\u0001';
/** What stands for the place where a title is missing, and for that in an object that is empty. */
const missingMark = '\u0002';
const missingInEmptyMark = '\u0003';

const noise: fc.Arbitrary<Member[]> = fc.array(
  fc.tuple(
    otherName.map((name) => jsonText(`x${name}`)),
    valueText,
  ),
  {
    maxLength: 3,
  },
);
const server = fc
  .tuple(noise, fc.boolean(), fc.nat({ max: 3 }), space)
  .map(([others, hasTitle, at, gap]) =>
    hasTitle
      ? objectText(inserted(others, at, ['"title"', titleMark]), gap)
      : objectText(others, gap).replace('{', others.length === 0 ? `{${missingInEmptyMark}` : `{${missingMark}`),
  );
const namedServer = (name: string) => fc.option(server.map((value): Member => [jsonText(name), value]));
/** The response to `initialize` or `server/discover`; members that are repeated later do not count. */
const initialized = fc
  .tuple(noise, noise, noise, namedServer('serverInfo'), namedServer('io.modelcontextprotocol/serverInfo'), space)
  .chain(([around, inResult, inMeta, first, second, gap]) => {
    const meta = objectText(second === null ? inMeta : inserted(inMeta, inMeta.length - 1, second), gap);
    const members = inserted(first === null ? inResult : inserted(inResult, 1, first), 2, ['"_meta"', meta]);
    const overridden: Member = ['"result"', '{"serverInfo":{"title":"x"}}'];
    return fc.boolean().map((isRepeated) => {
      const message = inserted(around, around.length, ['"result"', objectText(members, gap)]);
      return gap + objectText(isRepeated ? [overridden, ...message] : message, gap) + gap;
    });
  });

/** The properties of what reads and changes MCP's messages. */
export const wireProperties: Property[] = [
  property('the messages in a valid body are those that JSON.parse finds, with their ids', [body, cuts], (text, at) => {
    const { outlines, reader } = readMessages(piecesOf(Buffer.from(text), at));
    assert.ok(reader.isComplete);
    assert.equal(
      reader.isBatch,
      text
        .replace(/^\uFEFF/, '')
        .trim()
        .startsWith('['),
    );
    assert.deepEqual(outlines.map(withIdValue), outlinesOf(JSON.parse(text.replace(/^\uFEFF/, ''))));
    for (const { id } of outlines) {
      assert.ok(id === undefined || text.includes(id), 'an id is kept as it was written');
    }
  }),
  property(
    'any bytes are read to the same messages in whatever pieces they arrive, and are complete only if JSON’s structure is',
    [anyBody, cuts],
    (bytes, at) => {
      const whole = readMessages([bytes]);
      const { outlines, reader } = readMessages(piecesOf(bytes, at));
      assert.deepEqual(outlines, whole.outlines);
      assert.equal(reader.isComplete, whole.reader.isComplete);
      assert.equal(reader.isBroken, whole.reader.isBroken);
      assert.ok(!(reader.isComplete && reader.isBroken));
      const value = parseJson(new TextDecoder().decode(bytes));
      if (typeof value === 'object' && value !== null) {
        assert.ok(reader.isComplete);
        assert.deepEqual(outlines.map(withIdValue), outlinesOf(value));
      }
      assert.ok(!reader.isComplete || parseJson(structureOf(bytes)) !== undefined);
    },
  ),
  property(
    'an event stream is read in whatever pieces it arrives as the HTML standard reads it whole',
    [stream, cuts],
    (bytes, at) => {
      const reader = new EventStreamReader();
      const outlines = piecesOf(bytes, at).flatMap((piece) => reader.push(piece));
      const { lastEventId, retryMs } = reader;
      assert.deepEqual({ outlines, lastEventId, retryMs }, readWhole(bytes));
    },
  ),
  property('a server’s title is given, and all else stays as it was written', [initialized, anyText], (text, title) => {
    const before = text
      .replaceAll(titleMark, '{"a":[1.0,"}"]}')
      .replaceAll(missingMark, '')
      .replaceAll(missingInEmptyMark, '');
    const written = JSON.stringify(title);
    const after = text
      .replaceAll(titleMark, () => written)
      .replaceAll(missingMark, () => `"title":${written},`)
      .replaceAll(missingInEmptyMark, () => `"title":${written}`);
    assert.equal(withServerTitle(before, title), after);
    assert.notEqual(parseJson(after), undefined);
  }),
  property('a text in which no server is named keeps its title', [anyBody, anyText], (bytes, title) => {
    const text = Buffer.from(bytes).toString();
    const value = parseJson(text);
    const { result } = isObject(value) ? value : {};
    const { serverInfo, _meta } = isObject(result) ? result : {};
    if (!isObject(serverInfo) && !isObject(_meta)) {
      assert.equal(withServerTitle(text, title), text);
    }
  }),
];

function jsonText(value: unknown): string {
  return JSON.stringify(value);
}

function objectText(members: readonly Member[], gap: string): string {
  return `{${gap}${members.map(([name, value]) => `${name}${gap}:${gap}${value}`).join(`${gap},${gap}`)}${gap}}`;
}

function inserted(list: readonly Member[], at: number, item: Member): Member[] {
  return list.toSpliced(at, 0, item);
}

function piecesOf(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const ends = [...cuts.map((at) => at % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

function readMessages(pieces: readonly Uint8Array[]): { outlines: Outline[]; reader: MessageReader } {
  const reader = new MessageReader();
  return { outlines: pieces.flatMap((piece) => reader.push(piece)), reader };
}

function withIdValue({ id, ...outline }: Outline): unknown {
  return id === undefined ? outline : { ...outline, id: JSON.parse(id) };
}

/** The outlines of a parsed body, with the values of ids. */
function outlinesOf(body: unknown): unknown[] {
  const outlines = (Array.isArray(body) ? body : [body]).map(outlineOf);
  const firstInvalid = outlines.findIndex(({ kind }) => kind === 'invalid');
  return outlines.filter(({ kind }, index) => kind !== 'invalid' || index === firstInvalid);
}

function outlineOf(message: unknown): { kind: Outline['kind']; method?: string; id?: unknown } {
  if (!isObject(message)) {
    return { kind: 'invalid' };
  }
  const { id, method } = message;
  const hasValidId = typeof id === 'string' || typeof id === 'number' || id === null;
  if (typeof method === 'string') {
    if (!Object.hasOwn(message, 'id')) {
      return { kind: 'notification', method };
    }
    return hasValidId ? { kind: 'request', method, id } : { kind: 'invalid', method };
  }
  const hasOutcome = Object.hasOwn(message, 'result') || Object.hasOwn(message, 'error');
  return hasValidId && hasOutcome ? { kind: 'response', id } : { kind: 'invalid' };
}

/** The text without its byte order mark, and with plain strings and numbers in place of its own, which may be invalid. */
function structureOf(bytes: Uint8Array): string {
  return withoutMark(bytes).replace(/"(?:[^"\\]|\\.)*"|[-+.\da-zE]+/gs, (token) => (token[0] === '"' ? '"x"' : '1'));
}

/** A character for each byte, without the byte order mark, or what there is of it. */
function withoutMark(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('latin1')
    .replace(/^\u00ef(?:\u00bb\u00bf?)?/, '');
}

/** Reads a whole event stream by the HTML standard, section 9.2.6. */
function readWhole(bytes: Uint8Array): { outlines: Outline[]; lastEventId?: string; retryMs?: number } {
  const outlines: Outline[] = [];
  let lastEventId: string | undefined;
  let retryMs: number | undefined;
  let event: { id?: string; type: string; data: string[] } = { type: '', data: [] };
  const lines = withoutMark(bytes).split(/\r\n|\n|\r/);
  for (const line of lines.slice(0, -1)) {
    const colon = line.indexOf(':');
    const name = colon === -1 ? line : line.slice(0, colon);
    const rest = colon === -1 ? '' : line.slice(colon + 1);
    const value = rest.replace(/^ /, '');
    if (line === '') {
      const { outlines: found, reader } = readMessages([Buffer.from(event.data.join('\n'), 'latin1')]);
      outlines.push(...(reader.isComplete && ['', 'message'].includes(event.type) ? found : []));
      lastEventId = event.id ?? lastEventId;
      event = { type: '', data: [] };
    } else if (name === 'data') {
      // With the space that the standard removes, which only matters before a byte order mark.
      event.data.push(rest);
    } else if (name === 'event') {
      event.type = value;
    } else if (name === 'id' && !value.includes('\0')) {
      event.id = value;
    } else if (name === 'retry' && /^\d+$/.test(value)) {
      retryMs = Number(value);
    }
  }
  return { outlines, lastEventId: lastEventId === '' ? undefined : lastEventId, retryMs } as ReturnType<
    typeof readWhole
  >;
}
