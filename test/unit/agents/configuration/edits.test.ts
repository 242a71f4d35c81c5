import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'smol-toml';
import { removeServer, serversIn, setServer } from '../../../../src/agents/configuration/servers.ts';

const json = { format: 'json', serversKey: 'mcpServers' } as const;
const toml = { format: 'toml', serversKey: 'mcp_servers' } as const;
const entry = { command: '/home/ada/"x"\n/notion-mcp-bridge', args: ['--account', 'notion-ada'] };

/** A name that is not ours, and that every parser keeps. */
const name = fc
  .string({ unit: 'grapheme', maxLength: 8 })
  .filter((text) => !['__proto__', 'notion-ada'].includes(text));
const server = fc.record(
  { command: fc.string(), args: fc.array(fc.string(), { maxLength: 3 }) },
  { noNullPrototype: true },
);
const servers = fc.dictionary(name, server);
const others = fc.dictionary(
  name.filter((text) => !/^mcp_?[sS]ervers$/.test(text)),
  fc.oneof(fc.string(), fc.integer(), fc.boolean(), servers),
);
const layout = fc.record({
  unit: fc.constantFrom('', ' ', '   ', '\t'),
  lineEnd: fc.constantFrom('\n', '\r\n'),
  mark: fc.constantFrom('', '\uFEFF'),
  end: fc.constantFrom('', '\n', '\n\n'),
});

test('in any JSON with servers, removing what was added restores each byte', () => {
  fc.assert(
    fc.property(others, servers, layout, (rest, existing, { unit, lineEnd, mark, end }) => {
      const content = JSON.stringify({ ...rest, mcpServers: existing }, null, unit) + end;
      const text = mark + content.replaceAll('\n', lineEnd);
      const after = setServer(text, json, 'notion-ada', entry);
      assert.deepEqual(Object.fromEntries(serversIn(after, json)), { ...existing, 'notion-ada': entry });
      assert.equal(removeServer(after, json, 'notion-ada'), text);
    }),
    { numRuns: 500 },
  );
});

test('in any JSON, adding a server keeps every line that was there, except for a comma', () => {
  fc.assert(
    fc.property(others, layout, (rest, { unit, lineEnd, mark, end }) => {
      const text = mark + (JSON.stringify(rest, null, unit || '  ') + end).replaceAll('\n', lineEnd);
      const after = setServer(text, json, 'notion-ada', entry).split(lineEnd);
      let at = 0;
      // The last two lines may be one that the server was put into.
      for (const line of Object.keys(rest).length === 0 ? [] : text.split(lineEnd)) {
        at = after.findIndex((each, index) => index >= at && (each === line || each === `${line},`)) + 1;
        assert.ok(at > 0, `${JSON.stringify(line)} is missing in ${after.join('\n')}`);
      }
    }),
    { numRuns: 500 },
  );
});

test('in any TOML, removing what was added restores each byte', () => {
  fc.assert(
    fc.property(others, servers, layout, (rest, existing, { lineEnd, mark, end }) => {
      const hasServers = Object.keys(existing).length > 0;
      const content = stringify({ ...rest, ...(hasServers && { mcp_servers: existing }) }).trimEnd() + end;
      const text = mark + content.replaceAll('\n', lineEnd);
      const after = setServer(text, toml, 'notion-ada', entry);
      const restored = removeServer(after, toml, 'notion-ada');
      // A last line without an end keeps the one that it got.
      assert.ok(restored === text || /^\r?\n$/.test(restored.replace(text, () => '')), JSON.stringify(restored));
    }),
    { numRuns: 500 },
  );
});
