import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Account } from '../../../src/accounts/registry.ts';
import { systemRandomness } from '../../../src/core/random.ts';
import { Secret } from '../../../src/core/secret.ts';
import { encodeGrant } from '../../../src/grants/codec.ts';
import type { Grant } from '../../../src/grants/grant.ts';
import { Failure } from '../../../src/oauth/errors.ts';
import type { Files } from '../../../src/platform/contract.ts';
import { encrypt, type JournalKey, newKey } from '../../../src/storage/encryption.ts';
import { files, Machine, type Window } from '../accounts/machine.ts';

// The states that the storage of one account can be in, generated from what can be there. schema.md describes them.
const keys = ['kept', 'lost', 'replaced'] as const;
const records = ['readable', 'missing', 'truncated', 'of a newer version', 'unreadable', 'a directory'] as const;
const times = ['before the window was opened', 'since then', 'in the future'] as const;
const copies = ['as new', 'older', 'missing', 'damaged'] as const;

interface State {
  key: (typeof keys)[number];
  /** The newest record in the journal. */
  record: (typeof records)[number];
  /** When the record was written. */
  time: (typeof times)[number];
  /** The copy in the secret store, compared with the newest record. */
  copy: (typeof copies)[number];
  isSignedOut: boolean;
  /** Whether the installation remembers that it has accounts. */
  isRemembered: boolean;
}

/** What the user has to do, in this order, until the account works. */
type Step = 'reload' | 'sign in' | 'update';

function* states(): Generator<State> {
  for (const key of keys) {
    for (const record of records) {
      for (const copy of copies) {
        // The time counts only for a record whose key is missing.
        for (const time of key !== 'kept' && record === 'readable' ? times : times.slice(0, 1)) {
          for (const [isSignedOut, isRemembered] of [
            [false, true],
            [false, false],
            [true, true],
          ] as const) {
            yield { key, record, time, copy, isSignedOut, isRemembered };
          }
        }
      }
    }
  }
}

/** What schema.md says about a state. */
function expectedSteps({ key, record, time, copy, isSignedOut, isRemembered }: State): Step[] {
  const hasRecord = record !== 'missing' && record !== 'a directory';
  const steps: Step[] = [];
  if (isSignedOut || !(hasRecord || isRemembered)) {
    return ['sign in'];
  }
  const isReadable = key === 'kept' && (record === 'readable' || record === 'of a newer version');
  if (isReadable) {
    return record === 'readable' ? [] : ['update'];
  }
  if (record === 'readable' && time === 'since then') {
    steps.push('reload');
  }
  // The older copy holds a refresh token that was spent.
  return copy === 'as new' ? steps : [...steps, 'sign in'];
}

const ada = 'ada (wiki)';
const withoutWatch: Files = { ...files, watch: () => ({ close: () => undefined }) };
const minute = 60_000;

/** A machine whose account was signed in and renewed once, and then brought into `state`. */
async function machineIn(t: TestContext, state: State): Promise<{ machine: Machine; disk: Files; grant: Grant }> {
  const machine = await Machine.start(t);
  const window = await machine.open({ files: withoutWatch });
  const { grant: signedIn } = await window.accounts.storeSignIn(machine.server.signIn('ada'));
  const grant = await window.accounts.renew(signedIn.id, { reason: 'asked' });
  machine.clock.aheadMs = 60 * minute;
  const { contents } = machine.secrets;
  const name = (await readdir(machine.directory)).find((each) => each.startsWith(`${grant.id}.2.`)) ?? '';
  const path = join(machine.directory, name);
  const [keyName = ''] = [...contents.keys()].filter((each) => each.startsWith('journalKey.'));
  const key = { id: keyName.slice('journalKey.'.length), key: new Secret(contents.get(keyName) ?? '') };
  await setRecord(machine, state, path, grant, key);
  if (state.key !== 'kept') {
    contents.delete(keyName);
  }
  if (state.key === 'replaced') {
    const other = newKey(systemRandomness);
    contents.set(`journalKey.${other.id}`, other.key.reveal());
  }
  const copyName = `grant.${grant.id}`;
  switch (state.copy) {
    case 'as new':
      contents.set(copyName, encodeGrant(grant));
      break;
    case 'missing':
      contents.delete(copyName);
      break;
    case 'damaged':
      contents.set(copyName, '{"version":1');
  }
  if (state.isSignedOut) {
    await writeFile(join(machine.directory, `${grant.id}.gone`), '');
  }
  machine.hasAccounts = state.isRemembered;
  const isFaulty = (at: string): boolean => state.record === 'unreadable' && at === path;
  const disk: Files = {
    ...withoutWatch,
    read: (at) => (isFaulty(at) ? Promise.reject(Object.assign(new Error('broken'), { code: 'EIO' })) : files.read(at)),
  };
  return { machine, disk, grant };
}

async function setRecord(
  machine: Machine,
  { record, time }: State,
  path: string,
  grant: Grant,
  key: JournalKey,
): Promise<void> {
  switch (record) {
    case 'missing':
      await rm(path);
      return;
    case 'a directory':
      await rm(path);
      await mkdir(path);
      return;
    case 'truncated':
      await writeFile(path, (await readFile(path, 'utf8')).slice(0, 400));
      break;
    case 'of a newer version': {
      const text = JSON.stringify({ ...JSON.parse(encodeGrant(grant)), version: 2 });
      const header = { version: 2, keyId: key.id, grantId: grant.id, generation: grant.generation };
      await writeFile(path, await encrypt(text, header, key, systemRandomness));
    }
  }
  const writtenAtMs = {
    'before the window was opened': machine.clock.nowMs() - 30 * minute,
    'since then': machine.clock.nowMs(),
    'in the future': machine.clock.nowMs() + 24 * 60 * minute,
  }[time];
  await utimes(path, writtenAtMs / 1_000, writtenAtMs / 1_000);
}

/** Does what the user is told until the account works. Returns what that took. */
async function followAdvice(machine: Machine, disk: Files): Promise<Step[]> {
  const steps: Step[] = [];
  let window = await machine.open({ files: disk });
  for (;;) {
    const account = window.accounts.list()[0];
    if (window.accounts.problems.has('stale') || account?.why === 'stale') {
      assert.ok(!steps.includes('reload'), 'a second reload');
      steps.push('reload');
      machine.clock.aheadMs += minute;
      window = await machine.open({ files: disk });
    } else if (account?.why === 'newer') {
      return [...steps, 'update'];
    } else if (account !== undefined && (await works(window, account))) {
      return steps;
    } else {
      assert.ok(!steps.includes('sign in'), 'a second sign-in');
      steps.push('sign in');
      await window.accounts.storeSignIn(machine.server.signIn('ada'));
    }
  }
}

/** Whether the account renews. If it does not, the user must have been told that a sign-in helps. */
async function works(window: Window, { grant }: Account): Promise<boolean> {
  try {
    await window.accounts.renew(grant.id, { reason: 'asked' });
    return true;
  } catch (error) {
    assert.ok(error instanceof Failure);
    const account = window.accounts.find(grant.id);
    assert.ok(account?.state === 'needsSignIn' || account?.why === 'unreadable', `${account?.state}: ${error}`);
    return false;
  }
}

for (const record of records) {
  test(`every state of the storage with a record that is ${record} ends well if the user does what is said`, async (t) => {
    const problems: string[] = [];
    for (const state of states()) {
      if (state.record !== record) {
        continue;
      }
      const { machine, disk } = await machineIn(t, state);
      const description = JSON.stringify(state);
      try {
        const steps = await followAdvice(machine, disk);
        assert.deepEqual(steps, expectedSteps(state));
        machine.clock.aheadMs += 10 * minute;
        const restarted = await machine.open({ files: disk });
        // That a key is lost stays true, and is told once: see the tests of the reminders.
        const told = [...restarted.accounts.problems].filter((problem) => problem !== 'keyLost');
        assert.deepEqual(told, [], 'after a restart');
        assert.deepEqual(restarted.labels, [ada]);
        if (!steps.includes('update')) {
          assert.ok(await works(restarted, restarted.only()), 'after a restart');
        }
      } catch (error) {
        problems.push(`${description}: ${error instanceof Error ? error.message : error}`);
      }
    }
    assert.deepEqual(problems, []);
  });
}
