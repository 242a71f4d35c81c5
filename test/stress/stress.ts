import type { Replay } from './ledger.ts';
import { type Step, type StorageOrders, steps } from './protocol.ts';
import { randomFrom } from './random.ts';
import type { ServerKind } from './servers.ts';
import { Swarm, type WindowProcess } from './swarm.ts';

export interface StressOptions {
  seed: number;
  /** Ends when the server has rotated so many tokens, or when the time is over. */
  rotations: number;
  limitMs: number;
  processes: number;
  accounts: number;
  server: ServerKind;
  storage: StorageOrders['kind'];
  /** Windows are only stopped and cut off, never killed, and no answer is lost: then nothing may be. */
  noKill: boolean;
}

export interface Tally {
  rotations: number;
  refreshRequests: number;
  /** Renewals that a window did not have to send, because it found under the lock that another had. */
  adoptions: number;
  kills: number;
  stops: number;
  faults: number;
  /** Answers that the server had acted on and that no window got: the connection broke, or the window was killed. */
  lostAnswers: number;
  /** Accounts that need their person although the server ended nothing and no answer of theirs was lost, or that are gone. */
  signOuts: number;
  /** Accounts that a strict server ended because the token that an answer was lost for came again. */
  unavoidableSignOuts: number;
  /** Refresh tokens that were presented although a window had what they had been exchanged for. */
  replays: number;
  /** The same after an answer that was lost: there is no other token to present. */
  unavoidableReplays: number;
  /** Windows that do not hold the tokens that the others hold. */
  astray: number;
}

const tokenLifeSeconds = 2;
/** Well below the time after which a window is taken for dead, whatever else the machine does. */
const longestStopMs = 3_000;

/** Kills windows at random moments and at each step of a renewal, stops them, breaks the network, sets a clock wrong. */
export async function stress(options: StressOptions): Promise<Tally & { evidence: string[] }> {
  const { seed, rotations, limitMs, processes, accounts, server, storage, noKill } = options;
  const random = randomFrom(seed);
  const swarm = await Swarm.start({ accounts, lifeSeconds: tokenLifeSeconds, server, storage, seed });
  const { front } = swarm.server;
  const done = { kills: 0, stops: 0, faults: 0 };
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
    // A fast machine has rotated enough before anything was lost, and then it has shown nothing.
    const isTooEasy = () => !noKill && (done.kills === 0 || front.ledger.lostAnswers === 0);
    while ((front.ledger.rotations < rotations || isTooEasy()) && performance.now() < endMs) {
      await pause(50 + random() * 200);
      const fault = random();
      const index = Math.floor(random() * alive.length);
      const victim = alive[index] as WindowProcess;
      if (!victim.isAlive) {
        alive.splice(index, 1);
        done.kills += 1;
        open(random() < 0.3 ? steps[Math.floor(random() * steps.length)] : undefined);
      } else if (fault < 0.06 && !noKill) {
        victim.child.kill('SIGKILL');
      } else if (fault < 0.12) {
        done.stops += 1;
        victim.child.kill('SIGSTOP');
        setTimeout(() => victim.child.kill('SIGCONT'), random() * longestStopMs).unref();
      } else if (fault < 0.3) {
        done.faults += 1;
        front.fault(randomFault(random, noKill));
      } else if (swarm.waitingForTheirPerson > accounts / 4) {
        // A strict server has ended many, and the others alone would be too easy.
        await swarm.signInAgain();
      }
    }
    front.faults.clear();
    for (const window of alive) {
      window.child.kill('SIGCONT');
    }
    await Promise.all(alive.map((window) => (noKill ? window.end() : window.kill())));
    const judged = await judge(swarm, processes, accounts, server);
    const replays = front.ledger.replays();
    const avoidable = replays.filter(({ isUnavoidable }) => !isUnavoidable);
    return {
      rotations: front.ledger.rotations,
      refreshRequests: front.ledger.refreshes.length,
      adoptions: swarm.logged('Another window has renewed'),
      ...done,
      lostAnswers: front.ledger.lostAnswers,
      ...judged,
      replays: avoidable.length,
      unavoidableReplays: replays.length - avoidable.length,
      evidence: [...judged.evidence, ...avoidable.flatMap((replay) => evidenceOf(replay, swarm))],
    };
  } finally {
    await swarm.stop();
  }
}

/** In peace: every account is renewed once more, and all windows hold the same tokens. */
async function judge(swarm: Swarm, windows: number, accounts: number, server: ServerKind) {
  // Long enough that nothing changes while all are asked.
  swarm.server.setTokenLife(3_600);
  const judges = Array.from({ length: windows }, () => swarm.open());
  const first = judges[0] as WindowProcess;
  await first
    .reports((accounts) => accounts.every(({ state, lifeSeconds }) => state === 'needsSignIn' || lifeSeconds > 60))
    .catch(() => undefined);
  const reports = [];
  for (const window of judges) {
    await window.reports(() => true);
    reports.push(await window.look());
  }
  const found = reports[0] ?? [];
  const truth = JSON.stringify(found);
  const ill = found.filter(({ state }) => state !== 'healthy');
  const unavoidable = server === 'oidc' ? ill.filter(({ id }) => swarm.hasLostAnswer(id)) : [];
  const avoidable = ill.filter((account) => !unavoidable.includes(account));
  return {
    signOuts: accounts - found.length + avoidable.length + swarm.signOuts.avoidable.length,
    unavoidableSignOuts: unavoidable.length + swarm.signOuts.unavoidable,
    astray: reports.filter((report) => JSON.stringify(report) !== truth).length,
    evidence: [...avoidable.map(({ id }) => id), ...swarm.signOuts.avoidable].flatMap((id) => swarm.linesOf(id)),
  };
}

/** Both requests, and what windows logged of the account between them and shortly before and after. */
function evidenceOf({ earlier, refresh }: Replay, swarm: Swarm): string[] {
  const aroundMs = 15_000;
  const lines = swarm.linesOf(swarm.accountOf(refresh.spent) ?? 'unknown').filter((line) => {
    const atMs = Number.parseInt(line, 10);
    return atMs > earlier.beganAtMs - aroundMs && atMs < refresh.beganAtMs + aroundMs;
  });
  return ['A spent token came again:', JSON.stringify(earlier), JSON.stringify(refresh), ...lines];
}

function randomFault(random: () => number, noKill: boolean): Parameters<Swarm['server']['front']['fault']>[0] {
  const faults = [
    { kind: 'drop', when: 'before' },
    { kind: 'stall' },
    { kind: 'answer', status: 503, body: '<html>Down</html>' },
    { kind: 'answer', status: 429, body: '', headers: { 'retry-after': '1' } },
    { kind: 'answer', status: 200, body: '<html>Sign in to this network</html>' },
    ...(noKill ? [] : [{ kind: 'drop', when: 'after' } as const]),
  ] as const;
  return faults[Math.floor(random() * faults.length)] ?? faults[0];
}

function pause(spanMs: number): Promise<void> {
  return new Promise((end) => setTimeout(end, spanMs));
}
