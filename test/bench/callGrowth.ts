import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { listen } from '#platform/listen';
import { createTransport } from '#platform/transport';
import { systemClock } from '../../src/core/clock.ts';
import { displayText } from '../../src/core/displayText.ts';
import { Log } from '../../src/core/log.ts';
import { systemRandomness } from '../../src/core/random.ts';
import { Gateway } from '../../src/gateway/gateway.ts';
import { NetworkWatch } from '../../src/http/networkWatch.ts';
import { ScriptedAccounts } from '../unit/calls/scriptedAccounts.ts';
import { type Figure, figure } from './figure.ts';
import { HttpCaller } from './gateway/callers.ts';
import { heapMegabytes } from './heap.ts';

const calls = 18_000;
const earlyCalls = 1_000;

/** What many calls through the gateway leave behind, compared with the first calls. */
export async function callGrowthFigures(): Promise<Figure[]> {
  let openConnections = 0;
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end('data: {"jsonrpc":"2.0","id":1,"result":{}}\n\n');
    });
  });
  server.on('connection', (socket) => {
    openConnections += 1;
    socket.on('close', () => {
      openConnections -= 1;
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const accounts = new ScriptedAccounts();
  accounts.add('ada', `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, 'token');
  const gateway = await openGateway(accounts);
  const caller = await HttpCaller.open(gateway.urlFor('ada'), `Bearer ${gateway.secretFor('ada').reveal()}`);
  let early = Number.NaN;
  for (let count = 1; count <= calls; count += 1) {
    await caller.call();
    if (count === earlyCalls) {
      early = heapMegabytes();
    }
  }
  const late = heapMegabytes();
  const left = openConnections;
  caller.close();
  await gateway.close();
  server.close();
  return [
    figure(`heap after ${calls} calls vs after ${earlyCalls}`, 'MB', late, early),
    figure(`connections to the MCP server after ${calls} calls`, '', left, Number.NaN),
  ];
}

async function openGateway(accounts: ScriptedAccounts): Promise<Gateway> {
  if (listen === undefined) {
    throw new Error('this platform has no gateway');
  }
  const ignore = (): void => undefined;
  const gateway = new Gateway({
    accounts,
    transport: createTransport(),
    network: new NetworkWatch({ clock: systemClock, addresses: () => new Set() }),
    reminders: { signInNeeded: ignore, insufficientScope: ignore },
    scopesDemanded: ignore,
    permission: () => 'allowed',
    toolCalled: ignore,
    consentNeeded: ignore,
    sentence: ({ kind }) => displayText(kind, 60),
    listen,
    clock: systemClock,
    randomness: systemRandomness,
    log: new Log({ error: console.error, warn: console.error, info: ignore, debug: ignore }),
  });
  await gateway.listen();
  return gateway;
}
