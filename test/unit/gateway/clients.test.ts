import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, type TestContext, test } from 'node:test';
import manifest from '../../../package.json' with { type: 'json' };
import { describeOutcomes, documentedOutcomes, hasResponse, isNoWorse, type Outcomes } from './clientOutcome.ts';
import { type Operation, type ResponseRow, rows } from './clientRows.ts';
import { openGateway } from './gatewayUnderTest.ts';
import { RowServer } from './rowServer.ts';
import { SdkProgram } from './sdkProgram.ts';

/** The operations that need a response. */
const requests: readonly Operation[] = ['initialize', 'tools/list', 'tools/call'];

/** The outcomes of each row's tool call, as in CONTRIBUTING.md. */
const found: Record<string, string> = {};

describe('unusual responses of an MCP server to the MCP SDK’s client', { concurrency: 8 }, () => {
  for (const row of rows) {
    test(`through the gateway the MCP SDK’s client gets what it gets directly or more, and always a response, where the MCP server sends “${row.title}”`, async (t) => {
      const problems = operationsFor(row).map(async (operation) => {
        const outcomes = await runBoth(t, row, operation);
        if (operation === 'tools/call') {
          found[row.title] = describeOutcomes(outcomes);
        }
        const isFine = isNoWorse(outcomes) && (!requests.includes(operation) || hasResponse(outcomes));
        return isFine ? [] : [`${operation}: ${describeOutcomes(outcomes)} (${outcomes.gateway.detail ?? ''})`];
      });
      assert.deepEqual((await Promise.all(problems)).flat(), []);
    });
  }
});

test('CONTRIBUTING.md says what becomes of a tool call of the MCP SDK’s client, directly and through the gateway', async () => {
  const markdown = await readFile(new URL('../../../CONTRIBUTING.md', import.meta.url), 'utf8');
  const [major, minor] = manifest.devDependencies['@modelcontextprotocol/sdk'].split('.');
  assert.deepEqual(documentedOutcomes(markdown, `MCP SDK ${major}.${minor}`), found);
});

function operationsFor({ session, resumedAt = 0 }: ResponseRow): Operation[] {
  const operations: Operation[] = [...requests, 'notifications/initialized'];
  // The gateway lets a client open its stream again only after half a minute, which is too long for a test.
  if (resumedAt <= 1) {
    operations.push('GET');
  }
  // A session begins with the response to `initialize`.
  return operations.filter((operation) => !(session && operation === 'initialize'));
}

async function runBoth(t: TestContext, row: ResponseRow, operation: Operation): Promise<Outcomes> {
  const directServer = await startServer(t);
  const direct = await new SdkProgram(t, directServer, directServer.url, 'token').run(row, operation);
  const server = await startServer(t);
  const { gateway } = await openGateway(t, server.url);
  const program = new SdkProgram(t, server, gateway.urlFor('ada'), gateway.secretFor('ada').reveal());
  // The gateway itself may send a request more than once before it responds. A stream stays open without a response.
  const isPatient = operation !== 'GET' || direct.kind === 'result';
  const throughGateway = await program.run(row, operation, { isPatient });
  assert.equal(server.isTokenLeaked, false, 'the token was sent to another origin');
  return { direct, gateway: throughGateway };
}

async function startServer(t: TestContext): Promise<RowServer> {
  const server = await RowServer.start();
  t.after(() => server.stop());
  return server;
}
