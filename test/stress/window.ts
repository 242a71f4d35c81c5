// node test/stress/window.ts <orders>: one window of the editor, without the editor: the accounts, as they are built for it.
import { files as platformFiles } from '#platform/files';
import { createPlatformHttp } from '#platform/transport';
import { Accounts } from '../../src/accounts/accounts.ts';
import type { Account } from '../../src/accounts/registry.ts';
import { type Clock, systemClock } from '../../src/core/clock.ts';
import { Log } from '../../src/core/log.ts';
import { systemRandomness } from '../../src/core/random.ts';
import { accountLabel } from '../../src/grants/names.ts';
import type { Files } from '../../src/platform/contract.ts';
import { createGrantRequests, type GrantRequests } from '../../src/renewal/grantRequests.ts';
import { fingerprint } from './front.ts';
import { fastLocks, type Step, type WindowOrders, type WindowReport } from './protocol.ts';
import { secretsAt } from './secrets.ts';

const orders = JSON.parse(process.argv[2] ?? '{}') as WindowOrders;
const secrets = await secretsAt(orders.storagePort);
const accounts = new Accounts({
  secrets,
  files: mortal(platformFiles as Files),
  directory: `${orders.directory}/journal`,
  lockTiming: { ...fastLocks, ...(orders.takeoverAgeMs !== undefined && { takeoverAgeMs: orders.takeoverAgeMs }) },
  protocol: mortalProtocol(createGrantRequests(createPlatformHttp({ userAgent: orders.userAgent }), systemClock)),
  clock: wrong(systemClock),
  randomness: systemRandomness,
  log: new Log({ error: note, warn: note, info: note, debug: note }),
  openedAtMs: Date.now(),
  serverUrl: orders.serverUrl,
  labelFor: accountLabel,
});
accounts.onDidChange(({ added, changed, removed }) => {
  // Of one that is gone only a whole report tells.
  report(removed.length > 0 ? undefined : [...added, ...changed]);
});
process.on('message', async (message) => {
  if (typeof message === 'number') {
    await accounts.wakeUp();
    report(undefined, message);
  }
  if (message === 'end') {
    await accounts.dispose();
    process.exit();
  }
});
process.on('disconnect', () => process.exit());
await accounts.load();
report();

/** Tells of the accounts in `changed`, else of all. */
function report(changed?: Account[], look?: number): void {
  const message: WindowReport = {
    isWhole: changed === undefined,
    accounts: (changed ?? accounts.list()).map(({ grant, state }) => ({
      id: grant.id,
      state,
      generation: grant.generation,
      lifeSeconds: grant.tokens.expiresInSeconds ?? 0,
      token: fingerprint(grant.tokens.accessToken.reveal()),
      ...(grant.tokens.refreshToken && { refreshToken: fingerprint(grant.tokens.refreshToken.reveal()) }),
    })),
    ...(look !== undefined && { look }),
  };
  process.send?.(message);
}

function note(line: string): void {
  process.send?.(line);
}

function dieIf(step: Step): void {
  if (orders.dieAt === step) {
    process.kill(process.pid, 'SIGKILL');
  }
}

function mortal(files: Files): Files {
  return {
    ...files,
    create: async (path, text) => {
      const made = await files.create(path, text);
      if (path.endsWith('.reserved')) {
        dieIf('reserve');
      }
      return made;
    },
    createOpen: async (path, text) => {
      const file = await files.createOpen(path, text);
      if (file !== undefined) {
        dieIf('lock');
      }
      return file;
    },
    rename: async (from, to) => {
      if (!from.endsWith('.reserved')) {
        return files.rename(from, to);
      }
      dieIf('commit');
      await files.rename(from, to);
      dieIf('stored');
    },
    remove: async (path) => {
      if (path.endsWith('.lock')) {
        dieIf('unlock');
      }
      await files.remove(path);
    },
  };
}

function mortalProtocol(protocol: GrantRequests): GrantRequests {
  return {
    ...protocol,
    refresh: async (grant) => {
      dieIf('send');
      const tokens = await protocol.refresh(grant);
      dieIf('answer');
      return tokens;
    },
  };
}

function wrong(clock: Clock): Clock {
  return { ...clock, nowMs: () => clock.nowMs() + (orders.clockWrongByMs ?? 0) };
}
