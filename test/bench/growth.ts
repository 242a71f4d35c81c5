import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Accounts } from '../../src/accounts/accounts.ts';
import { Log } from '../../src/core/log.ts';
import { systemRandomness } from '../../src/core/random.ts';
import { files } from '../../src/platform/node/files.ts';
import { FakeClock } from '../unit/fakeClock.ts';
import { TokenServer } from '../unit/renewal/tokenServer.ts';
import { MemorySecretStorage } from '../unit/storage/memorySecrets.ts';
import { type Figure, figure, median } from './figure.ts';
import { heapMegabytes } from './heap.ts';

const renewals = 10_000;

/** What a renewal costs on this disk, and what many renewals leave behind, compared with the first renewals. */
export async function growthFigures(): Promise<Figure[]> {
  const home = await mkdtemp(join(tmpdir(), 'growth-'));
  try {
    const clock = new FakeClock();
    const server = new TokenServer(() => clock.nowMs());
    const ignore = (): void => undefined;
    const accounts = new Accounts({
      secrets: new MemorySecretStorage().window(),
      files,
      directory: join(home, 'journal'),
      requests: server.requests,
      identify: server.requests.identify,
      clock,
      randomness: systemRandomness,
      log: new Log({ error: ignore, warn: ignore, info: ignore, debug: ignore }),
      openedAtMs: clock.nowMs(),
      usage: { get: () => true, set: ignore },
      serverUrl: 'https://mcp.example/mcp',
    });
    await accounts.load();
    const { grant } = await accounts.storeSignIn(server.signIn('ada'));
    const times: number[] = [];
    let early = Number.NaN;
    for (let count = 1; count <= renewals; count += 1) {
      clock.advance(1_000);
      const startMs = performance.now();
      await accounts.renew(grant.id, { reason: 'asked' });
      times.push(performance.now() - startMs);
      if (count === 100) {
        early = heapMegabytes();
      }
    }
    const late = heapMegabytes();
    const names = await readdir(join(home, 'journal'));
    await accounts.dispose();
    return [
      figure(
        'lock and journal of a renewal, late vs early',
        'ms',
        median(times.slice(-100)),
        median(times.slice(0, 100)),
        times,
      ),
      figure(`heap after ${renewals} renewals vs after 100`, 'MB', late, early),
      figure(`journal files after ${renewals} renewals`, 'files', names.length, Number.NaN),
    ];
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}
