import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { Failure } from '../../../src/oauth/errors.ts';
import type { Files } from '../../../src/platform/contract.ts';
import { FaultInjector, type FaultKind, faultsAt } from './faultInjection.ts';
import { files, Machine, type Window } from './machine.ts';

/** What a window does while it is struck. The promise tells whether it came to its end. */
interface Scene {
  /** Done in peace beforehand, by another window. */
  before: (window: Window, machine: Machine) => Promise<unknown>;
  /** What the server thinks of a refresh token that comes twice matters. */
  refreshes?: true;
  act: (window: Window, machine: Machine) => Promise<unknown>;
  /** The accounts that must be there afterwards, by whether `act` came to its end. */
  after: (cameToItsEnd: boolean) => { there: string[]; mayBeThere: string[] };
}

const ada = 'ada (wiki)';
const grace = 'grace (wiki)';
const signIn = (user: string) => (window: Window, machine: Machine) =>
  window.accounts.storeSignIn(machine.server.signIn(user));
const only = (window: Window) => window.only().grant.id;

const scenes: Record<string, Scene> = {
  'a first sign-in': {
    before: async () => undefined,
    act: signIn('ada'),
    after: (ended) => ({ there: ended ? [ada] : [], mayBeThere: [ada] }),
  },
  'a second account’s sign-in': {
    before: signIn('grace'),
    act: signIn('ada'),
    after: (ended) => ({ there: ended ? [ada, grace] : [grace], mayBeThere: [ada, grace] }),
  },
  'a renewal': {
    refreshes: true,
    before: signIn('ada'),
    act: (window) => window.accounts.renew(only(window), { reason: 'asked' }),
    after: () => ({ there: [ada], mayBeThere: [ada] }),
  },
  'signing in again': {
    before: signIn('ada'),
    act: signIn('ada'),
    after: () => ({ there: [ada], mayBeThere: [ada] }),
  },
  'a sign-out': {
    before: signIn('ada'),
    act: (window) => window.accounts.signOut(only(window)),
    after: (ended) => ({ there: [], mayBeThere: ended ? [] : [ada] }),
  },
};

for (const kind of ['mild', 'strict'] as const) {
  describe(`at a ${kind} server, whatever call of it fails, hangs or is the last`, () => {
    for (const [name, scene] of Object.entries(scenes).filter(([, { refreshes }]) => refreshes || kind === 'mild')) {
      test(`${name} leaves accounts that work`, async (t) => {
        const peaceful = await play(t, scene, kind, 0, 'throws before');
        const strikes = peaceful.calls.flatMap((call, index) =>
          faultsAt(call).map((fault) => [index + 1, fault] as const),
        );
        // The window ends right after.
        strikes.push([peaceful.calls.length + 1, 'dies before']);
        assert.ok(peaceful.calls.length > 15, 'every port is wrapped');
        const troubles: string[] = [];
        await inTurns(strikes, 24, async ([at, fault]) => {
          const { calls, trouble } = await play(t, scene, kind, at, fault);
          if (trouble !== undefined && !(kind === 'strict' && answerWasLost(calls, at, fault))) {
            troubles.push(`${fault} call ${at}, ${calls[at - 1]}: ${trouble}`);
          }
        });
        assert.deepEqual(troubles, []);
      });
    }
  });
}

/** Plays a scene in which the window is struck, and then looks at the accounts through another window. */
async function play(t: TestContext, scene: Scene, kind: 'mild' | 'strict', at: number, fault: FaultKind) {
  const machine = await Machine.start(t);
  machine.server.kind = kind;
  // A window that hangs under the lock gives it up soon, so that nobody waits for long here.
  machine.lockTiming = { heartbeatMs: 10, pollMs: 10, takeoverAgeMs: 60, longestHoldMs: 40 };
  await scene.before(await machine.open({ files: deaf }), machine);
  const injector = new FaultInjector(at, fault);
  const flushed = new Map(machine.secrets.contents);
  const window = machine.openUnloaded({
    files: injector.wrap('files', closedAfter(t)),
    secrets: injector.wrap('secrets', machine.secrets.window()),
    protocol: injector.wrap('protocol', machine.server.protocol),
    clock: injector.wrapClock(machine.clock),
  });
  const acting = window.accounts.load().then(() => scene.act(window, machine));
  const ending = acting.then(
    () => true,
    (error: unknown) => {
      assert.ok(error instanceof Failure || !fault.startsWith('throws') || isOwn(error), String(error));
      return false;
    },
  );
  const cameToItsEnd = await Promise.race([
    ending,
    ...(fault.startsWith('throws') ? [] : [injector.struck.then(() => false)]),
  ]);
  const { calls } = injector;
  if (!fault.startsWith('hangs')) {
    injector.kill();
  }
  if (fault === 'dies unflushed') {
    machine.secrets.restore(flushed);
  }
  const trouble = await troubleWith(machine, scene.after(cameToItsEnd)).catch((error: unknown) => String(error));
  injector.kill();
  return { calls, trouble };
}

/** What the person would complain about, once the token has run out. */
async function troubleWith(machine: Machine, { there, mayBeThere }: ReturnType<Scene['after']>) {
  const heir = await machine.open({ files: deaf });
  machine.clock.aheadMs += machine.server.lifeSeconds * 1_000;
  const missing = there.filter((label) => !heir.labels.includes(label));
  const tooMany = heir.labels.filter((label) => !mayBeThere.includes(label));
  if (missing.length > 0 || tooMany.length > 0) {
    return `there are ${heir.labels.join() || 'none'}`;
  }
  for (const { grant } of heir.accounts.list()) {
    try {
      await heir.accounts.renew(grant.id, { reason: 'expiry' });
    } catch (error) {
      return `${grant.label} does not renew: ${error}`;
    }
  }
  return undefined;
}

/** Whether the server acted on the refresh token and its answer never got beyond the window: nobody can help that. */
function answerWasLost(calls: readonly string[], at: number, fault: FaultKind): boolean {
  const refresh = calls.indexOf('protocol.refresh') + 1;
  if (refresh === 0 || at < refresh) {
    return false;
  }
  const stored = calls.indexOf('files.rename', refresh) + 1;
  const isBefore = fault.endsWith('before');
  if (at === refresh) {
    return !isBefore;
  }
  return !fault.startsWith('throws') && (stored === 0 || at < stored || (at === stored && isBefore));
}

function isOwn(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('struck at');
}

/** A dead window’s lock stays open; its file must not, as nobody else ends this process. */
function closedAfter(t: TestContext): Files {
  return {
    ...deaf,
    createOpen: async (path, text) => {
      const file = await files.createOpen(path, text);
      t.after(() => file?.close());
      return file;
    },
  };
}

const deaf = { ...files, watch: () => ({ close: () => undefined }) };

/** Runs `action` for each of `all`, so many at a time. */
async function inTurns<T>(all: readonly T[], atOnce: number, action: (one: T) => Promise<void>): Promise<void> {
  const left = [...all];
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        await action(next);
      }
    }),
  );
}
