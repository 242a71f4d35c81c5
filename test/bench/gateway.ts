// The cost of a call through the gateway, a plain reverse proxy and mcp-remote, measured in turn against the same MCP
// server.
import { at, type Figure, figure } from './figure.ts';
import { type Caller, HttpCaller, StdioCaller } from './gateway/callers.ts';
import { Processes, residentMegabytes } from './gateway/processes.ts';

const rounds = 12;
const callsInRound = 400;
const inFlight = 16;
const intervalMs = 1_500;
const intervals = 5;
const coldStarts = 11;

type Route = 'direct' | 'plain' | 'ours' | 'remote';

/** Measures everything and leaves nothing running. */
export async function gatewayFigures(): Promise<Figure[]> {
  const processes = await Processes.prepare();
  try {
    // Notion responds with event streams; JSON shows the cost of the hop alone.
    return [...(await figuresFor(processes, 'JSON')), ...(await figuresFor(processes, 'events'))];
  } finally {
    await processes.stopAll();
  }
}

async function figuresFor(processes: Processes, format: 'JSON' | 'events'): Promise<Figure[]> {
  const server = await processes.start('mcpServer', format);
  const plain = await processes.start('plainProxy', server.url);
  const ours = await processes.start('ourGateway', server.url);
  const remote = processes.startRemote(server.url);
  const stdio = new StdioCaller(remote);
  await stdio.initialize();
  const open: Record<Route, () => Promise<Caller>> = {
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
  const cold = format === 'JSON' ? await coldStartTimes(processes, server.url) : undefined;
  await processes.stop(server.child);

  const added = (samples: readonly number[], direct: readonly number[], quantile: number): number =>
    at(samples, quantile) - at(direct, quantile);
  return (['plain', 'remote'] as const).flatMap((peer) => {
    const title = `(${format}) vs ${peer === 'plain' ? 'plain undici proxy' : 'mcp-remote'}`;
    const quantiles = [0.5, 0.99].map((quantile) => {
      const [own = Number.NaN, theirs = Number.NaN] = (['ours', peer] as const).map((route) =>
        added(latency[route].flat(), latency.direct.flat(), quantile),
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

/** Milliseconds per call, by route and round. The routes take turns, so that other load affects all of them alike. */
async function latencies(open: Record<Route, () => Promise<Caller>>): Promise<Record<Route, number[][]>> {
  const samples: Record<Route, number[][]> = { direct: [], plain: [], ours: [], remote: [] };
  const routes = Object.keys(samples) as Route[];
  const callers = new Map(await Promise.all(routes.map(async (route) => [route, await open[route]()] as const)));
  // The first round only warms up.
  for (let round = 0; round <= rounds; round += 1) {
    for (const [route, caller] of callers) {
      const times: number[] = [];
      for (let count = 0; count < callsInRound; count += 1) {
        const startMs = performance.now();
        await caller.call();
        times.push(performance.now() - startMs);
      }
      if (round > 0) {
        samples[route].push(times);
      }
    }
  }
  for (const [route, caller] of callers) {
    if (route !== 'remote') {
      caller.close();
    }
  }
  return samples;
}

/** Calls per second with `inFlight` calls at a time, by route and interval. */
async function callRates(open: Record<Route, () => Promise<Caller>>): Promise<Record<Route, number[]>> {
  const rates: Record<Route, number[]> = { direct: [], plain: [], ours: [], remote: [] };
  for (let interval = 0; interval <= intervals; interval += 1) {
    for (const route of Object.keys(rates) as Route[]) {
      const callers = await Promise.all(Array.from({ length: inFlight }, () => open[route]()));
      const startMs = performance.now();
      let calls = 0;
      await Promise.all(
        callers.map(async (caller) => {
          while (performance.now() - startMs < intervalMs) {
            await caller.call();
            calls += 1;
          }
        }),
      );
      if (interval > 0) {
        rates[route].push((calls / (performance.now() - startMs)) * 1000);
      }
      for (const caller of callers) {
        if (route !== 'remote') {
          caller.close();
        }
      }
    }
  }
  return rates;
}

/** Milliseconds from the start of a process to the result of its first tool call. */
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
