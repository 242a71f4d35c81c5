import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTestbed, type Testbed } from '../e2e/testbed.ts';
import type { OfferedProgram, OfferedServer } from '../editor/consumer/protocol.ts';
import { Authority } from '../unit/http/authority.ts';
import { startProxy } from '../unit/http/connectProxy.ts';
import { at, type Figure, figure, median } from './figure.ts';
import { Processes } from './gateway/processes.ts';
import { startFarServer } from './network/farServer.ts';
import { type Link, startLink } from './network/link.ts';

const oneWayMs = 50;
const serverTimes = [0, 500];
/** In seconds. Ours closes a connection that was idle for 30 s, so the call after the last pause is a first one. */
const pauses = [0, 6, 12, 25, 35];
const firstCallPause = 35;
const parallelCalls = 4;
const password = 'open sesame';
const programs = ['ours', 'editor alone', 'mcp-remote'] as const;
type Program = (typeof programs)[number];
const paths = ['direct', 'behind a proxy'] as const;
type Path = (typeof paths)[number];

/** One program's way to one server. */
interface Lane {
  program: Program;
  path: Path;
  serverMs: number;
  tool: string;
  endedMs: number;
}

interface Samples {
  ms: number[];
  cpuMs: number[];
  connections: number;
}

/**
 * The time of a tool call from a chat to a server 50 ms away, after pauses, in a real extension host: through our
 * gateway, with the editor's own MCP client, and through mcp-remote. All wait for the same pause at the same time, and
 * then call one after the other. each of `samples` rounds takes about 3 minutes.
 */
export async function networkFigures(samples: number): Promise<Figure[]> {
  await using cleanups = new AsyncDisposableStack();
  const scope = { after: (end: () => unknown) => cleanups.defer(async () => void (await end())) };
  const authority = await Authority.create(scope);
  const names = serverTimes.flatMap((serverMs) => paths.map((path) => `DNS:${hostOf({ path, serverMs })}`));
  const port = await startFarServer(scope, await authority.issue([...names, 'IP:127.0.0.1'].join()));
  const proxy = await startProxy(scope, { password, port });
  const links: Record<Path, Link> = {
    direct: await startLink(scope, port, oneWayMs),
    'behind a proxy': await startLink(scope, Number(new URL(proxy.url).port), oneWayMs),
  };
  const proxyUrl = `http://someone:${encodeURIComponent(password)}@127.0.0.1:${links['behind a proxy'].port}`;
  const processes = await Processes.prepare();
  scope.after(() => processes.stopAll());
  const testbed = await startTestbed({
    settings: {
      'http.systemCertificatesNode': true,
      'http.proxy': proxyUrl,
      'http.noProxy': serverTimes.map((serverMs) => hostOf({ path: 'direct', serverMs })),
    },
    environment: { SSL_CERT_FILE: authority.certFile },
  });
  scope.after(() => testbed.stop());
  await testbed.consumer.mapTestNames();

  const remote = processes.remoteCommand();
  const serversOf = async (lane: Lane): Promise<OfferedServer | OfferedProgram> => {
    const label = labelOf(lane);
    const portOfUrl = lane.path === 'direct' ? links.direct.port : 443;
    const url = `https://${hostOf(lane)}:${portOfUrl}/${label}/${lane.serverMs}`;
    switch (lane.program) {
      case 'ours':
        return { label, ...(await testbed.consumer.openGateway(url)) };
      case 'editor alone':
        return { label, url, authorization: 'Bearer token' };
      case 'mcp-remote': {
        // A process of its own, which cannot know the names of the test.
        const address = `https://127.0.0.1:${portOfUrl}/${label}/${lane.serverMs}`;
        const proxied = lane.path === 'direct' ? {} : { HTTPS_PROXY: proxyUrl, https_proxy: proxyUrl };
        return {
          label,
          ...remote(address, lane.path === 'direct' ? [] : ['--enable-proxy']),
          env: {
            MCP_REMOTE_CONFIG_DIR: join(processes.directory, label),
            NODE_EXTRA_CA_CERTS: authority.certFile,
            ...proxied,
          },
        };
      }
    }
  };
  const lanes = paths.flatMap((path) =>
    serverTimes.flatMap((serverMs) =>
      programs.map((program): Lane => {
        const lane = { program, path, serverMs, tool: '', endedMs: 0 };
        return { ...lane, tool: `mcp_${labelOf(lane)}_do` };
      }),
    ),
  );
  await testbed.consumer.offerServers(await Promise.all(lanes.map(serversOf)));
  for (const lane of lanes) {
    await startServer(testbed, lane);
  }

  const figures: Figure[] = [];
  for (const path of paths) {
    const ofPath = lanes.filter((lane) => lane.path === path);
    for (const pause of pauses) {
      const title = pause === firstCallPause ? 'first call' : pause === 0 ? 'back to back' : `${pause} s`;
      const measured = await measure(testbed, ofPath, links[path], { pause, samples });
      figures.push(...figuresOf(title, path, measured));
      if (pause !== firstCallPause) {
        assert.equal(measured.get('ours')?.get(0)?.connections, 0, `connections of ours, ${title}, ${path}`);
      }
    }
    const measured = await measure(testbed, ofPath, links[path], { pause: 6, samples, count: parallelCalls });
    figures.push(...figuresOf(`${parallelCalls} in parallel`, path, measured));
  }
  return figures;
}

type Measured = Map<Program, Map<number, Samples>>;

/** Calls each lane's tool after each pause. The first calls after it open the connections that the pause is to close. */
async function measure(
  { consumer }: Testbed,
  lanes: Lane[],
  link: Link,
  { pause, samples, count = 1 }: { pause: number; samples: number; count?: number },
): Promise<Measured> {
  const measured: Measured = new Map(programs.map((program) => [program, new Map()]));
  for (let round = 0; round <= samples; round += 1) {
    for (const lane of lanes) {
      if (round > 0) {
        await sleep(Math.max(0, lane.endedMs + pause * 1000 - performance.now()));
      }
      if (pause === 0) {
        await consumer.timeCalls(lane.tool, count);
      }
      const before = link.opened();
      const { ms, cpuMs } = await consumer.timeCalls(lane.tool, count);
      lane.endedMs = performance.now();
      if (round > 0) {
        const ofProgram = measured.get(lane.program) ?? assert.fail();
        const all = ofProgram.get(lane.serverMs) ?? { ms: [], cpuMs: [], connections: 0 };
        all.ms.push(ms - lane.serverMs);
        all.cpuMs.push(cpuMs);
        all.connections += link.opened() - before;
        ofProgram.set(lane.serverMs, all);
      }
    }
  }
  return measured;
}

/** Times are without the server's own. */
function figuresOf(title: string, path: Path, measured: Measured): Figure[] {
  return programs.slice(1).flatMap((peer) =>
    serverTimes.flatMap((serverMs) => {
      const of = (program: Program): Samples => measured.get(program)?.get(serverMs) ?? assert.fail();
      const [own, other] = [of('ours'), of(peer)];
      const at500 = serverMs === 0 ? '' : `, server takes ${serverMs} ms`;
      const name = `network: ${title}, ${path}${at500}, vs ${peer}`;
      const perCall = ({ connections, ms }: Samples): number => connections / ms.length;
      return [
        figure(name, 'ms', median(own.ms), median(other.ms), own.ms),
        figure(`${name}, p95`, 'ms', at(own.ms, 0.95), at(other.ms, 0.95)),
        figure(`${name}, new connections`, '', perCall(own), perCall(other)),
        // mcp-remote is a process of its own.
        ...(peer === 'editor alone'
          ? [figure(`${name}, CPU of the extension host`, 'ms', median(own.cpuMs), median(other.cpuMs))]
          : []),
      ];
    }),
  );
}

/** One for each server time, as a client shares its connections to a server. */
function hostOf({ path, serverMs }: Pick<Lane, 'path' | 'serverMs'>): string {
  return `${path === 'direct' ? 'direct' : 'proxied'}${serverMs}.test`;
}

/** At most 12 characters, from which the editor makes the names of tools. */
function labelOf({ program, path, serverMs }: Pick<Lane, 'program' | 'path' | 'serverMs'>): string {
  return `${program.charAt(0)}${path.charAt(0)}${serverMs}`;
}

async function startServer({ consumer }: Testbed, lane: Lane): Promise<void> {
  const id = `seedling-tests.session-consumer/${labelOf(lane)}`;
  while (!(await consumer.toolNames()).includes(lane.tool)) {
    await consumer.command('workbench.mcp.startServer', id);
    await sleep(200);
  }
}
