import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { extensions, version } from 'vscode';
import { describeOutcomes, documentedOutcomes, hasResponse, isNoWorse } from '../../unit/gateway/clientOutcome.ts';
import { type Operation, rows } from '../../unit/gateway/clientRows.ts';
import { openGateway } from '../../unit/gateway/gatewayUnderTest.ts';
import { RowServer } from '../../unit/gateway/rowServer.ts';
import type { ConsumerApi, OfferedServer } from '../consumer/protocol.ts';
import { EditorProgram } from './editorProgram.ts';

/** A pair of the editor's MCP servers: one is a scripted server itself, the other the gateway before another one. */
interface Lane {
  direct: EditorProgram;
  gateway: EditorProgram;
}

/** So many rows are tested at a time, because without a response the editor waits for ever, and a row for seconds. */
const concurrency = 12;

/** Directly, several rows are without a response. A scripted server responds within milliseconds. */
const directLimitMs = 3000;
const limitMs = 20_000;

/** The outcomes of each row's tool call, as in CONTRIBUTING.md. */
const found: Record<string, string> = {};

describe('unusual responses of an MCP server to VS Code’s client', { concurrency, timeout: 120_000 }, () => {
  const cleanups: (() => unknown)[] = [];
  const freeLanes: Lane[] = [];

  before(async () => {
    const consumer = extensions.getExtension<ConsumerApi>('seedling-tests.session-consumer');
    const api = await consumer?.activate();
    assert.ok(consumer && api);
    const context = { after: (cleanup: () => Promise<void>) => void cleanups.unshift(cleanup) };
    const offered: OfferedServer[] = [];
    for (let number = 1; number <= concurrency; number += 1) {
      const program = async (label: string, isDirect: boolean): Promise<EditorProgram> => {
        const server = await RowServer.start(label);
        cleanups.push(() => server.stop());
        if (isDirect) {
          offered.push({ label, url: server.url, authorization: 'Bearer token' });
        } else {
          const { gateway } = await openGateway(context, server.url);
          const authorization = `Bearer ${gateway.secretFor('ada').reveal()}`;
          offered.push({ label, url: gateway.urlFor('ada'), authorization });
        }
        return new EditorProgram(
          server,
          `${consumer.id}/${label}`,
          `mcp_${label}_do`,
          isDirect ? directLimitMs : limitMs,
        );
      };
      freeLanes.push({ direct: await program(`d${number}`, true), gateway: await program(`g${number}`, false) });
    }
    const offer = api.offerServers(offered);
    cleanups.unshift(() => offer.dispose());
    await Promise.all(freeLanes.flatMap(({ direct, gateway }) => [direct.toolAppears(), gateway.toolAppears()]));
  });

  after(async () => {
    for (const cleanup of cleanups) {
      await cleanup();
    }
  });

  for (const row of rows) {
    test(`through the gateway VS Code’s client gets what it gets directly or more, and always a response, where the MCP server sends “${row.title}”`, async () => {
      const lane = freeLanes.pop();
      assert.ok(lane);
      try {
        const problems: string[] = [];
        // A session begins with the response to `initialize`.
        const operations: Operation[] = row.session ? ['tools/call'] : ['initialize', 'tools/call'];
        for (const operation of operations) {
          const [direct, gateway] = await Promise.all([
            lane.direct.run(row, operation),
            lane.gateway.run(row, operation),
          ]);
          const outcomes = { direct, gateway };
          if (operation === 'tools/call') {
            found[row.title] = describeOutcomes(outcomes);
          }
          if (!isNoWorse(outcomes) || !hasResponse(outcomes)) {
            problems.push(`${operation}: ${describeOutcomes(outcomes)} (${gateway.detail ?? ''})`);
          }
        }
        assert.deepEqual(problems, []);
      } finally {
        freeLanes.push(lane);
      }
    });
  }
});

test('CONTRIBUTING.md says what becomes of a tool call of VS Code’s client, directly and through the gateway', async (t) => {
  const root = extensions.getExtension('seedling.notion-mcp-auth')?.extensionPath ?? '';
  const markdown = await readFile(join(root, 'CONTRIBUTING.md'), 'utf8');
  const [major, minor] = version.split('.');
  const documented = documentedOutcomes(markdown, `VS Code ${major}.${minor}`);
  if (documented === undefined) {
    t.skip(`it does not describe ${version}`);
  } else {
    assert.deepEqual(documented, found);
  }
});
