// node test/bench/gateway.ts [--json]: what a call costs through the gateway, through a plain reverse proxy and through
// mcp-remote, against the same MCP server, in turns.
import { type Caller, HttpCaller, StdioCaller } from './gateway/callers.ts';
import { Processes, residentMegabytes } from './gateway/processes.ts';

/** One figure; `ratio` is ours over the peer's. */
export interface Figure {
  figure: string;
  unit: string;
  ours: number;
  peer: number;
  ratio: number;
  /** Smallest and largest of our rounds. */
  noise?: [number, number];
}

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
    const server = await processes.start('mcpServer');
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
    const cold = await coldStartTimes(processes, server.url);

    const figures: Figure[] = [];
    for (const peer of ['plain', 'remote'] as const) {
      const name = peer === 'plain' ? 'plain undici proxy' : 'mcp-remote';
      for (const quantile of [0.5, 0.99]) {
        const added = (way: Way): number => at(latency[way].flat(), quantile) - at(latency.direct.flat(), quantile);
        const noise = latency.ours.map(
          (round, index) => at(round, quantile) - at(latency.direct[index] ?? [], quantile),
        );
        figures.push(figure(`added latency p${quantile * 100} vs ${name}`, 'ms', added('ours'), added(peer), noise));
      }
      figures.push(
        figure(
          `calls with ${inFlight} in flight vs ${name}`,
          'calls/s',
          at(rates.ours, 0.5),
          at(rates[peer], 0.5),
          rates.ours,
        ),
      );
      figures.push(figure(`resident memory vs ${name}`, 'MB', memory.ours, memory[peer]));
      figures.push(
        figure(`cold start to the first answer vs ${name}`, 'ms', at(cold.ours, 0.5), at(cold[peer], 0.5), cold.ours),
      );
    }
    return figures;
  } finally {
    await processes.stopAll();
  }
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

function figure(name: string, unit: string, ours: number, peer: number, samples: number[] = []): Figure {
  const noise: [number, number] = [Math.min(...samples), Math.max(...samples)];
  return { figure: name, unit, ours, peer, ratio: ours / peer, ...(samples.length > 0 && { noise }) };
}

/** The value below which that part of the samples lies. */
function at(samples: readonly number[], quantile: number): number {
  const sorted = [...samples].sort((one, other) => one - other);
  return sorted[Math.min(Math.floor(sorted.length * quantile), sorted.length - 1)] ?? Number.NaN;
}

if (process.argv[1] === import.meta.filename) {
  const figures = await gatewayFigures();
  console.table(
    figures.map(({ figure, unit, ours, peer, ratio, noise }) => ({
      figure,
      ours: ours.toFixed(2),
      peer: peer.toFixed(2),
      unit,
      ratio: ratio.toFixed(2),
      'ours, min to max': noise?.map((value) => value.toFixed(2)).join(' to ') ?? '',
    })),
  );
  if (process.argv.includes('--json')) {
    console.log(
      JSON.stringify(
        Object.fromEntries(figures.map(({ figure, ours, peer, ratio }) => [figure, { ours, peer, ratio }])),
      ),
    );
  }
}
