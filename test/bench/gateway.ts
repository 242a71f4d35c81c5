// What a call costs through the gateway, through a plain reverse proxy and through
// mcp-remote, against the same MCP server, in turns.
import { at, type Figure, figure } from './figure.ts';
import { type Caller, HttpCaller, StdioCaller } from './gateway/callers.ts';
import { Processes, residentMegabytes } from './gateway/processes.ts';

const rounds = 12;
const callsInRound = 400;
const inFlight = 16;
const windowMs = 1_500;
const windows = 5;
const coldStarts = 11;

type Way = 'direct' | 'plain' | 'ours' | 'remote';

/** Measures everything and leaves nothing running. */
export async function gatewayFigures(): Promise<Figure[]> {
  const processes = await Processes.prepare();
  try {
    // Notion answers in events; JSON shows the hop alone.
    return [...(await figuresFor(processes, 'JSON')), ...(await figuresFor(processes, 'events'))];
  } finally {
    await processes.stopAll();
  }
}

async function figuresFor(processes: Processes, answers: 'JSON' | 'events'): Promise<Figure[]> {
  const server = await processes.start('mcpServer', answers);
  const plain = await processes.start('plainProxy', server.url);
  const ours = await processes.start('ourGateway', server.url);
  const remote = processes.startRemote(server.url);
  const stdio = new StdioCaller(remote);
  await stdio.initialize();
  const open: Record<Way, () => Promise<Caller>> = {
    direct: () => HttpCaller.open(server.url),
    plain: () => HttpCaller.open(plain.url, plain.authorization),
    ours: () => HttpCaller.open(ours.url, ours.authorization),
    remote: async () => stdio,
  };
  const latency = await latencies(open);
  const rates = await callRates(open);
  const memory = {
    ours: residentMegabytes(ours.child),
    plain: residentMegabytes(plain.child),
    remote: residentMegabytes(remote),
  };
  for (const child of [plain.child, ours.child, remote]) {
    await processes.stop(child);
  }
  const cold = answers === 'JSON' ? await coldStartTimes(processes, server.url) : undefined;
  await processes.stop(server.child);

  const added = (samples: readonly number[], direct: readonly number[], quantile: number): number =>
    at(samples, quantile) - at(direct, quantile);
  return (['plain', 'remote'] as const).flatMap((peer) => {
    const title = `(${answers}) vs ${peer === 'plain' ? 'plain undici proxy' : 'mcp-remote'}`;
    const quantiles = [0.5, 0.99].map((quantile) => {
      const [own = Number.NaN, theirs = Number.NaN] = (['ours', peer] as const).map((way) =>
        added(latency[way].flat(), latency.direct.flat(), quantile),
      );
      const noise = latency.ours.map((round, index) => added(round, latency.direct[index] ?? [], quantile));
      return figure(`added latency p${quantile * 100} ${title}`, 'ms', own, theirs, noise);
    });
    return [
      ...quantiles,
      figure(`${inFlight} in flight ${title}`, 'calls/s', at(rates.ours, 0.5), at(rates[peer], 0.5), rates.ours),
      figure(`resident memory ${title}`, 'MB', memory.ours, memory[peer]),
      ...(cold ? [figure(`cold start ${title}`, 'ms', at(cold.ours, 0.5), at(cold[peer], 0.5), cold.ours)] : []),
    ];
  });
}

/** Milliseconds of each call, by way and round; the ways take turns so that the machine's moods hit all alike. */
async function latencies(open: Record<Way, () => Promise<Caller>>): Promise<Record<Way, number[][]>> {
  const samples: Record<Way, number[][]> = { direct: [], plain: [], ours: [], remote: [] };
  const ways = Object.keys(samples) as Way[];
  const callers = new Map(await Promise.all(ways.map(async (way) => [way, await open[way]()] as const)));
  // The first round only warms up.
  for (let round = 0; round <= rounds; round += 1) {
    for (const [way, caller] of callers) {
      const times: number[] = [];
      for (let count = 0; count < callsInRound; count += 1) {
        const startMs = performance.now();
        await caller.call();
        times.push(performance.now() - startMs);
      }
      if (round > 0) {
        samples[way].push(times);
      }
    }
  }
  for (const [way, caller] of callers) {
    if (way !== 'remote') {
      caller.close();
    }
  }
  return samples;
}

/** Calls a second with so many in flight, by way and window. */
async function callRates(open: Record<Way, () => Promise<Caller>>): Promise<Record<Way, number[]>> {
  const rates: Record<Way, number[]> = { direct: [], plain: [], ours: [], remote: [] };
  for (let window = 0; window <= windows; window += 1) {
    for (const way of Object.keys(rates) as Way[]) {
      const callers = await Promise.all(Array.from({ length: inFlight }, () => open[way]()));
      const startMs = performance.now();
      let calls = 0;
      await Promise.all(
        callers.map(async (caller) => {
          while (performance.now() - startMs < windowMs) {
            await caller.call();
            calls += 1;
          }
        }),
      );
      if (window > 0) {
        rates[way].push((calls / (performance.now() - startMs)) * 1000);
      }
      for (const caller of callers) {
        if (way !== 'remote') {
          caller.close();
        }
      }
    }
  }
  return rates;
}

/** Milliseconds from starting a process to its first answer to a tool call. */
async function coldStartTimes(
  processes: Processes,
  serverUrl: string,
): Promise<Record<'ours' | 'plain' | 'remote', number[]>> {
  const times: Record<'ours' | 'plain' | 'remote', number[]> = { ours: [], plain: [], remote: [] };
  for (let round = 0; round < coldStarts; round += 1) {
    for (const name of ['ourGateway', 'plainProxy'] as const) {
      const startMs = performance.now();
      const { child, url, authorization } = await processes.start(name, serverUrl);
      const caller = await HttpCaller.open(url, authorization);
      await caller.call();
      times[name === 'ourGateway' ? 'ours' : 'plain'].push(performance.now() - startMs);
      caller.close();
      await processes.stop(child);
    }
    const startMs = performance.now();
    const child = processes.startRemote(serverUrl);
    const caller = new StdioCaller(child);
    await caller.initialize();
    await caller.call();
    times.remote.push(performance.now() - startMs);
    await processes.stop(child);
  }
  return times;
}
