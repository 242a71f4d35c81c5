// node test/stress/window.ts <options>: one window without the editor. It manages accounts as the extension does.
import { files as platformFiles } from '#platform/files';
import { createPlatformHttp } from '#platform/transport';
import { Accounts } from '../../src/accounts/accounts.ts';
import type { Account } from '../../src/accounts/registry.ts';
import { type Clock, systemClock } from '../../src/core/clock.ts';
import { Log } from '../../src/core/log.ts';
import { systemRandomness } from '../../src/core/random.ts';
import type { Files } from '../../src/platform/contract.ts';
import { createGrantRequests, type GrantRequests } from '../../src/renewal/grantRequests.ts';
import { fingerprint } from './front.ts';
import { fastLocks, type Step, scaledDown, type WindowOptions, type WindowReport } from './protocol.ts';
import { secretsAt } from './secrets.ts';

const options = JSON.parse(process.argv[2] ?? '{}') as WindowOptions;
const secrets = await secretsAt(options.storagePort);
const requests = killableRequests(
  createGrantRequests(createPlatformHttp({ userAgent: options.userAgent }), systemClock),
);
const accounts = new Accounts({
  secrets,
  files: killableFiles(platformFiles as Files),
  directory: `${options.directory}/journal`,
  lockTiming: { ...fastLocks, ...(options.takeoverAgeMs !== undefined && { takeoverAgeMs: options.takeoverAgeMs }) },
  requests,
  identify: requests.identify,
  clock: skewed(systemClock),
  randomness: systemRandomness,
  log: new Log({ error: sendLogLine, warn: sendLogLine, info: sendLogLine, debug: sendLogLine }),
  openedAtMs: Date.now(),
  usage: { get: () => true, set: () => undefined },
  serverUrl: options.serverUrl,
});
accounts.onDidChange(({ added, changed, removed }) => {
  // Only a complete report shows that an account was removed.
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

/** Reports the accounts in `changed`, or all accounts without it. */
function report(changed?: Account[], requestId?: number): void {
  const message: WindowReport = {
    isComplete: changed === undefined,
    accounts: (changed ?? accounts.list()).map(({ grant, state }) => ({
      id: grant.id,
      state,
      generation: grant.generation,
      lifeSeconds: grant.tokens.expiresInSeconds ?? 0,
      token: fingerprint(grant.tokens.accessToken.reveal()),
      ...(grant.tokens.refreshToken && { refreshToken: fingerprint(grant.tokens.refreshToken.reveal()) }),
    })),
    ...(requestId !== undefined && { requestId }),
  };
  process.send?.(message);
}

function sendLogLine(line: string): void {
  process.send?.(line);
}

function killSelfAt(step: Step): void {
  if (options.killAt === step) {
    process.kill(process.pid, 'SIGKILL');
  }
}

function killableFiles(files: Files): Files {
  return {
    ...files,
    create: async (path, text) => {
      const isCreated = await files.create(path, text);
      if (path.endsWith('.reserved')) {
        killSelfAt('reserve');
      }
      return isCreated;
    },
    createOpen: async (path, text) => {
      const file = await files.createOpen(path, text);
      if (file !== undefined) {
        killSelfAt('lock');
      }
      return file;
    },
    rename: async (from, to) => {
      if (!from.endsWith('.reserved')) {
        return files.rename(from, to);
      }
      killSelfAt('commit');
      await files.rename(from, to);
      killSelfAt('stored');
    },
    remove: async (path) => {
      if (path.endsWith('.lock')) {
        killSelfAt('unlock');
      }
      await files.remove(path);
    },
  };
}

function killableRequests(requests: GrantRequests): GrantRequests {
  return {
    ...requests,
    refresh: async (grant) => {
      killSelfAt('send');
      const tokens = scaledDown(await requests.refresh(grant));
      killSelfAt('response');
      return tokens;
    },
  };
}

function skewed(clock: Clock): Clock {
  return { ...clock, nowMs: () => clock.nowMs() + (options.clockSkewMs ?? 0) };
}
