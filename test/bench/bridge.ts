// What the bridge's process costs, and a call through it, beside the gateway alone and mcp-remote.
import { once } from 'node:events';
import { join } from 'node:path';
import { at, type Figure, figure } from './figure.ts';
import { HttpCaller, StdioCaller } from './gateway/callers.ts';
import { Processes, residentMegabytes } from './gateway/processes.ts';

const starts = 15;
const rounds = 12;
const callsInRound = 400;

/** Measures everything and leaves nothing running. */
export async function bridgeFigures(): Promise<Figure[]> {
  const processes = await Processes.prepare();
  try {
    const server = await processes.start('mcpServer', 'JSON');
    const directory = join(processes.directory, 'journal');
    const gateway = await processes.start('ourGateway', server.url, directory);
    const start = {
      ours: await startTimes(processes, () => processes.startBridge(directory)),
      remote: await startTimes(processes, () => processes.startRemote(server.url)),
    };
    const bridge = processes.startBridge(directory);
    const remote = processes.startRemote(server.url);
    const callers = {
      http: await HttpCaller.open(gateway.url, gateway.authorization),
      bridge: new StdioCaller(bridge),
      remote: new StdioCaller(remote),
    };
    await callers.bridge.initialize();
    await callers.remote.initialize();
    const fresh = { ours: residentMegabytes(bridge), remote: residentMegabytes(remote) };
    const samples: Record<keyof typeof callers, number[][]> = { http: [], bridge: [], remote: [] };
    // The first round only warms up.
    for (let round = 0; round <= rounds; round += 1) {
      for (const name of ['http', 'bridge', 'remote'] as const) {
        const times: number[] = [];
        for (let count = 0; count < callsInRound; count += 1) {
          const startMs = performance.now();
          await callers[name].call();
          times.push(performance.now() - startMs);
        }
        if (round > 0) {
          samples[name].push(times);
        }
      }
    }
    const used = { ours: residentMegabytes(bridge), remote: residentMegabytes(remote) };
    const added = (name: 'bridge' | 'remote', quantile: number): number =>
      at(samples[name].flat(), quantile) - at(samples.http.flat(), quantile);
    const noise = samples.bridge.map((times, round) => at(times, 0.5) - at(samples.http[round] ?? [], 0.5));
    return [
      figure(
        'bridge: start to its initialize result vs mcp-remote',
        'ms',
        at(start.ours, 0.5),
        at(start.remote, 0.5),
        start.ours,
      ),
      figure('bridge: resident memory once initialized vs mcp-remote', 'MB', fresh.ours, fresh.remote),
      figure('bridge: resident memory after 5,200 calls vs mcp-remote', 'MB', used.ours, used.remote),
      figure(
        'bridge: latency p50 beyond the gateway’s vs mcp-remote',
        'ms',
        added('bridge', 0.5),
        added('remote', 0.5),
        noise,
      ),
      figure(
        'bridge: latency p99 beyond the gateway’s vs mcp-remote',
        'ms',
        added('bridge', 0.99),
        added('remote', 0.99),
      ),
    ];
  } finally {
    await processes.stopAll();
  }
}

/** Milliseconds from the start of a process to its response to `initialize`. */
async function startTimes(processes: Processes, start: () => ReturnType<Processes['startBridge']>): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < starts; round += 1) {
    const startMs = performance.now();
    const child = start();
    const caller = new StdioCaller(child);
    await Promise.race([
      caller.initialize(),
      once(child, 'exit').then(() => Promise.reject(new Error('it has ended'))),
    ]);
    times.push(performance.now() - startMs);
    await processes.stop(child);
  }
  return times;
}
