import type { Replay } from './ledger.ts';
import { type Step, type StorageOptions, steps } from './protocol.ts';
import { randomFrom } from './random.ts';
import type { ServerKind } from './servers.ts';
import { Swarm } from './swarm.ts';
import type { WindowProcess } from './windowProcess.ts';

export interface StressOptions {
  seed: number;
  /** The test ends after this many token rotations, or when the time limit is reached. */
  rotations: number;
  limitMs: number;
  processes: number;
  accounts: number;
  server: ServerKind;
  storage: StorageOptions['kind'];
  /** Stops windows and breaks connections, but kills no window and loses no response. No sign-in may be lost then. */
  noKill: boolean;
  /** Whether entries that are not the windows' appear in the journal's directory, and files vanish or are unreadable. */
  unkindDisk: boolean;
}

export interface Tally {
  rotations: number;
  refreshRequests: number;
  /** Renewals without a request, because another window had renewed before this one got the lock. */
  adoptions: number;
  kills: number;
  stops: number;
  faults: number;
  diskFaults: number;
  /** Responses with a rotated token that no window received, because the connection broke or the window was killed. */
  lostResponses: number;
  /** Accounts that are missing, or that need sign-in although no response was lost and the server did not end them. */
  signOuts: number;
  /** Accounts that a strict server ended because a token was used again after the response was lost. */
  unavoidableSignOuts: number;
  /** Uses of a refresh token that a window had already exchanged for a newer one. */
  replays: number;
  /** Uses of a spent refresh token after a lost response, when there was no newer one. */
  unavoidableReplays: number;
  /** Windows whose tokens differ from those of the other windows at the end. */
  astray: number;
}

const tokenLifeSeconds = 2;
/** Well below the takeover age of the locks, even on a busy machine. */
const longestStopMs = 3_000;

/** Kills windows at random and at each step of a renewal, stops them, breaks connections and skews clocks. */
export async function stress(options: StressOptions): Promise<Tally & { evidence: string[] }> {
  const { seed, rotations, limitMs, processes, accounts, server, storage, noKill, unkindDisk } = options;
  const random = randomFrom(seed);
  const swarm = await Swarm.start({
    ...{ accounts, lifeSeconds: tokenLifeSeconds, server, storage, seed },
    ...(unkindDisk && { disk: { random: randomFrom(seed + 1), mayBlock: noKill } }),
  });
  const { front } = swarm.server;
  const counts = { kills: 0, stops: 0, faults: 0 };
  try {
    const alive: WindowProcess[] = [];
    const open = (killAt?: Step): void => {
      const clockSkewMs = random() < 0.2 ? 3_600_000 : 0;
      alive.push(swarm.open({ clockSkewMs, ...(killAt && { killAt }) }));
    };
    for (let index = 0; index < processes; index += 1) {
      open();
    }
    const endMs = performance.now() + limitMs;
    // A fast machine may reach the rotations before anything was lost, which would prove nothing.
    const isInconclusive = () =>
      (!noKill && (counts.kills === 0 || front.ledger.lostResponses === 0)) || swarm.disk?.rounds === 0;
    while ((front.ledger.rotations < rotations || isInconclusive()) && performance.now() < endMs) {
      await pause(50 + random() * 200);
      if (swarm.disk !== undefined && random() < 0.3) {
        swarm.disk.strike();
      }
      const fault = random();
      const index = Math.floor(random() * alive.length);
      const victim = alive[index] as WindowProcess;
      if (!victim.isAlive) {
        alive.splice(index, 1);
        counts.kills += 1;
        open(random() < 0.3 ? steps[Math.floor(random() * steps.length)] : undefined);
      } else if (fault < 0.06 && !noKill) {
        victim.child.kill('SIGKILL');
      } else if (fault < 0.12) {
        counts.stops += 1;
        victim.child.kill('SIGSTOP');
        setTimeout(() => victim.child.kill('SIGCONT'), random() * longestStopMs).unref();
      } else if (fault < 0.3) {
        counts.faults += 1;
        front.fault(randomFault(random, noKill));
      } else if (swarm.accountsNeedingSignIn > accounts / 4) {
        // A strict server has ended many accounts, and too few would be left to renew.
        swarm.disk?.restore();
        await swarm.signInAgain();
      }
    }
    front.endFaults();
    swarm.disk?.restore();
    for (const window of alive) {
      window.child.kill('SIGCONT');
    }
    if (noKill && swarm.disk !== undefined) {
      // A window that the disk has made hang would never report, and would hide what else is wrong.
      await Promise.all(alive.map((window) => window.requestReport()));
    }
    await Promise.all(alive.map((window) => (noKill ? window.end() : window.kill())));
    const finalState = await checkFinalState(swarm, processes, accounts, server);
    const replays = front.ledger.replays();
    const avoidable = replays.filter(({ isUnavoidable }) => !isUnavoidable);
    return {
      rotations: front.ledger.rotations,
      refreshRequests: front.ledger.refreshes.length,
      adoptions: swarm.countLogLines('Another window has renewed'),
      ...counts,
      diskFaults: swarm.disk?.lines.length ?? 0,
      lostResponses: front.ledger.lostResponses,
      ...finalState,
      replays: avoidable.length,
      unavoidableReplays: replays.length - avoidable.length,
      evidence: [...finalState.evidence, ...avoidable.flatMap((replay) => evidenceOf(replay, swarm))],
    };
  } finally {
    swarm.disk?.restore();
    await swarm.stop();
  }
}

/** Without faults: every account is renewed once more, and all windows must have the same tokens. */
async function checkFinalState(swarm: Swarm, windows: number, accounts: number, server: ServerKind) {
  // Long enough that no token changes while all windows report.
  swarm.server.setTokenLife(3_600);
  const observers = Array.from({ length: windows }, () => swarm.open());
  const first = observers[0] as WindowProcess;
  await first
    .reports((accounts) => accounts.every(({ state, lifeSeconds }) => state === 'needsSignIn' || lifeSeconds > 60))
    .catch(() => undefined);
  const reports = [];
  for (const window of observers) {
    await window.reports(() => true);
    reports.push(await window.requestReport());
  }
  const found = reports[0] ?? [];
  const expected = JSON.stringify(found);
  const unhealthy = found.filter(({ state }) => state !== 'healthy');
  const unavoidable = server === 'oidc' ? unhealthy.filter(({ id }) => swarm.hasLostResponse(id)) : [];
  const avoidable = unhealthy.filter((account) => !unavoidable.includes(account));
  return {
    signOuts: accounts - found.length + avoidable.length + swarm.signOuts.avoidable.length,
    unavoidableSignOuts: unavoidable.length + swarm.signOuts.unavoidable,
    astray: reports.filter((report) => JSON.stringify(report) !== expected).length,
    evidence: [...avoidable.map(({ id }) => id), ...swarm.signOuts.avoidable].flatMap((id) => swarm.logLinesOf(id)),
  };
}

/** Both requests, and the log lines about the account from shortly before the first until shortly after the second. */
function evidenceOf({ earlier, refresh }: Replay, swarm: Swarm): string[] {
  const aroundMs = 15_000;
  const lines = swarm.logLinesOf(swarm.accountOf(refresh.spent) ?? 'unknown').filter((line) => {
    const atMs = Number.parseInt(line, 10);
    return atMs > earlier.beganAtMs - aroundMs && atMs < refresh.beganAtMs + aroundMs;
  });
  return ['A spent refresh token was used again:', JSON.stringify(earlier), JSON.stringify(refresh), ...lines];
}

function randomFault(random: () => number, noKill: boolean): Parameters<Swarm['server']['front']['fault']>[0] {
  const faults = [
    { kind: 'drop', when: 'before' },
    { kind: 'stall' },
    { kind: 'respond', status: 503, body: '<html>Down</html>' },
    { kind: 'respond', status: 429, body: '', headers: { 'retry-after': '1' } },
    { kind: 'respond', status: 200, body: '<html>Sign in to this network</html>' },
    ...(noKill ? [] : [{ kind: 'drop', when: 'after' } as const]),
  ] as const;
  return faults[Math.floor(random() * faults.length)] ?? faults[0];
}

function pause(spanMs: number): Promise<void> {
  return new Promise((end) => setTimeout(end, spanMs));
}
