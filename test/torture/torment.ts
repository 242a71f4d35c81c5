import { type Step, steps } from './protocol.ts';
import { Swarm, type WindowProcess } from './swarm.ts';

export interface TormentOptions {
  seed: number;
  /** Ends when the server has rotated so many tokens, or when the time is over. */
  rotations: number;
  limitMs: number;
  processes: number;
  accounts: number;
}

export interface Torment {
  rotations: number;
  refreshRequests: number;
  /** Renewals that a window did not have to send, because it found under the lock that another had. */
  adoptions: number;
  kills: number;
  stops: number;
  faults: number;
  /** Answers that the server had acted on before the connection broke. */
  lostAnswers: number;
  /** Accounts that need their person although the server ended nothing, or that are gone. */
  signOuts: number;
  /** Refresh tokens that the server refused. */
  replays: number;
  /** Windows that do not hold the tokens that the others hold. */
  astray: number;
  evidence: string[];
}

/** Kills windows at random moments and at each step of a renewal, stops them, breaks the network, sets a clock wrong. */
export async function torment({ seed, rotations, limitMs, processes, accounts }: TormentOptions): Promise<Torment> {
  const random = randomFrom(seed);
  const swarm = await Swarm.start({ accounts, lifeSeconds: 2 });
  const done = { kills: 0, stops: 0, faults: 0, lostAnswers: 0 };
  try {
    const alive: WindowProcess[] = [];
    const open = (dieAt?: Step): void => {
      const clockWrongByMs = random() < 0.2 ? 3_600_000 : 0;
      alive.push(swarm.open({ clockWrongByMs, ...(dieAt && { dieAt }) }));
    };
    for (let index = 0; index < processes; index += 1) {
      open();
    }
    const endMs = performance.now() + limitMs;
    while (swarm.renewals < rotations && performance.now() < endMs) {
      await pause(100 + random() * 400);
      const deed = random();
      const index = Math.floor(random() * alive.length);
      const victim = alive[index] as WindowProcess;
      if (!victim.isAlive) {
        alive.splice(index, 1);
        done.kills += 1;
        open(random() < 0.5 ? steps[Math.floor(random() * steps.length)] : undefined);
      } else if (deed < 0.15) {
        victim.child.kill('SIGKILL');
      } else if (deed < 0.25) {
        done.stops += 1;
        victim.child.kill('SIGSTOP');
        setTimeout(() => victim.child.kill('SIGCONT'), random() * 4_000).unref();
      } else if (deed < 0.5) {
        const next = fault(random);
        done.faults += 1;
        done.lostAnswers += next.kind === 'drop' && next.when === 'after' ? 1 : 0;
        swarm.notion.fault({ path: '/token', times: 1 }, next);
      }
    }
    swarm.notion.faults.clear();
    for (const window of alive) {
      window.child.kill('SIGCONT');
    }
    await Promise.all(alive.map((window) => window.kill()));
    const counts = {
      rotations: swarm.renewals,
      refreshRequests: swarm.refreshRequests,
      adoptions: swarm.logged('Another window has renewed'),
    };
    return { ...counts, ...done, ...(await judge(swarm, processes, accounts)), replays: swarm.refusals };
  } finally {
    await swarm.stop();
  }
}

/** In peace: every account is renewed once more, and all windows hold the same tokens. */
async function judge(
  swarm: Swarm,
  windows: number,
  accounts: number,
): Promise<Pick<Torment, 'signOuts' | 'astray' | 'evidence'>> {
  // Long enough that nothing changes while all are asked.
  swarm.notion.accessTokenLifeSeconds = 3_600;
  const judges = Array.from({ length: windows }, () => swarm.open());
  const first = judges[0] as WindowProcess;
  await first
    .reports((report) => report.accounts.every(({ state, lifeSeconds }) => state === 'needsSignIn' || lifeSeconds > 60))
    .catch(() => undefined);
  const reports = [];
  for (const window of judges) {
    await window.reports(() => true);
    reports.push(await window.look());
  }
  const truth = JSON.stringify(reports[0]?.accounts);
  const healthy = reports[0]?.accounts.filter(({ state }) => state === 'healthy') ?? [];
  return {
    signOuts: accounts - healthy.length,
    astray: reports.filter((report) => JSON.stringify(report.accounts) !== truth).length,
    evidence: swarm.windows.flatMap(({ lines }) => lines.filter((line) => /needs to be signed in/.test(line))),
  };
}

function fault(random: () => number): Parameters<Swarm['notion']['fault']>[1] {
  const faults = [
    { kind: 'drop', when: 'before' },
    { kind: 'drop', when: 'after' },
    { kind: 'answer', status: 503, body: '<html>Down</html>' },
    { kind: 'answer', status: 429, body: '', headers: { 'retry-after': '1' } },
    { kind: 'answer', status: 200, body: '<html>Sign in to this network</html>' },
  ] as const;
  return faults[Math.floor(random() * faults.length)] ?? faults[0];
}

function pause(spanMs: number): Promise<void> {
  return new Promise((end) => setTimeout(end, spanMs));
}

/** Mulberry32: the same seed, the same deeds (though processes keep their own time). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
