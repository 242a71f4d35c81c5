import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Log } from '../../../src/core/log.ts';
import { systemRandomness } from '../../../src/core/random.ts';
import type { Grant } from '../../../src/grants/grant.ts';
import type { Files } from '../../../src/platform/contract.ts';
import { newKey } from '../../../src/storage/encryption.ts';
import { GrantStore } from '../../../src/storage/grantStore.ts';
import { Journal } from '../../../src/storage/journal.ts';
import { Locks } from '../../../src/storage/lock.ts';
import { SecretStore } from '../../../src/storage/secretStore.ts';
import { files } from '../accounts/machine.ts';
import { FakeClock } from '../fakeClock.ts';
import { TokenServer } from '../renewal/tokenServer.ts';
import { MemorySecretStorage } from './memorySecrets.ts';

const signIn = new TokenServer(() => 0).signIn('ada');

/** A stored grant of this generation. */
export function grantOf(generation: number, id = 'grant'): Grant {
  return { ...signIn, id, generation, label: `ada ${id}`, signedInAtMs: 0 };
}

/** Secret store, journal and the store over both, in a directory of their own; without a disk, the secret store alone. */
export async function openStorage(t: TestContext, wanted: Files | 'none' = files) {
  const disk = wanted === 'none' ? undefined : wanted;
  const directory = await mkdtemp(join(tmpdir(), 'storage-'));
  t.after(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  const lines: string[] = [];
  const line = (text: string): void => void lines.push(text);
  const log = new Log({ error: line, warn: line, info: line, debug: line });
  const clock = new FakeClock();
  const secrets = new MemorySecretStorage();
  const secretStore = new SecretStore(secrets.window());
  const key = newKey(systemRandomness);
  await secretStore.storeKey(key);
  const journal =
    disk && new Journal({ files: disk, directory, clock, randomness: systemRandomness, openedAtMs: clock.nowMs() });
  journal?.addKeys([key]);
  const store = new GrantStore({
    secretStore,
    ...(disk && journal && { disk: { journal, locks: new Locks(disk, directory, clock, systemRandomness) } }),
    clock,
    randomness: systemRandomness,
    log,
    usage: { get: () => true, set: () => undefined },
  });
  return { directory, secrets, secretStore, journal, store, clock, log, lines };
}
