import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '../../../src/core/secret.ts';
import { Failure, type FailureDetails } from '../../../src/oauth/errors.ts';
import { StepUps } from '../../../src/signIn/stepUps.ts';
import { FakeClock } from '../fakeClock.ts';

function granted(scopes?: string[]) {
  return { id: 'ada', tokens: { accessToken: new Secret('access'), obtainedAtMs: 0, ...(scopes && { scopes }) } };
}

function challenge(details: Partial<FailureDetails>): Failure {
  return new Failure('serverRejected', { step: 'identity', code: 'insufficient_scope', ...details });
}

test('A17: the next sign-in of an account requests the union of its scopes and all that were demanded of it', () => {
  const stepUps = new StepUps(new FakeClock());
  assert.deepEqual(stepUps.scopesFor(granted(['read'])), ['read']);
  assert.equal(stepUps.scopesFor(granted()), undefined);
  stepUps.demand('ada', ['write', 'read']);
  stepUps.demand('ada', ['comments']);
  stepUps.demand('grace', ['admin']);
  assert.deepEqual(stepUps.scopesFor(granted(['read'])), ['read', 'write', 'comments']);
  assert.deepEqual(stepUps.scopesFor(granted()), ['write', 'read', 'comments']);
});

test('A17: scopes that two sign-ins requested in vain are not requested a third time, but others are', () => {
  const stepUps = new StepUps(new FakeClock());
  const opens: boolean[] = [];
  for (let tries = 1; tries <= 3; tries += 1) {
    stepUps.demand('ada', ['write']);
    opens.push(stepUps.isOpen('ada'));
    stepUps.signedIn('ada', stepUps.scopesFor(granted(['read'])));
    assert.equal(stepUps.isOpen('ada'), false);
  }
  assert.deepEqual(opens, [true, true, false]);
  stepUps.demand('ada', ['write', 'comments']);
  assert.deepEqual(stepUps.scopesFor(granted(['read'])), ['read', 'comments']);
});

test('scopes stay demanded until a sign-in of that account requests them', () => {
  const stepUps = new StepUps(new FakeClock());
  stepUps.demand('ada', ['write']);
  stepUps.signedIn('grace', ['write']);
  stepUps.signedIn('ada', ['read']);
  stepUps.signedIn('ada');
  assert.deepEqual(stepUps.scopesFor(granted()), ['write']);
  stepUps.signedIn('ada', ['write']);
  assert.equal(stepUps.scopesFor(granted()), undefined);
});

test('a challenge that names no scopes is worth two sign-ins, and requests none', () => {
  const stepUps = new StepUps(new FakeClock());
  const opens = [1, 2, 3].map(() => {
    stepUps.demand('ada', []);
    const isOpen = stepUps.isOpen('ada');
    assert.equal(stepUps.scopesFor(granted()), undefined);
    stepUps.signedIn('ada');
    return isOpen;
  });
  assert.deepEqual(opens, [true, true, false]);
});

test('a server that makes up scopes does not make the next authorization request grow', () => {
  const stepUps = new StepUps(new FakeClock());
  for (let number = 0; number < 10_000; number += 1) {
    stepUps.demand('ada', [`scope${number}`]);
  }
  assert.equal(stepUps.scopesFor(granted())?.length, 64);
});

test('the scopes of a failed request are remembered if a challenge named them or said that scopes lack', () => {
  const stepUps = new StepUps(new FakeClock());
  for (const error of [
    undefined,
    new Error('bug'),
    challenge({ code: 'invalid_token' }),
    challenge({ code: 'html' }),
  ]) {
    assert.equal(stepUps.learn('ada', error), false);
  }
  assert.equal(stepUps.isOpen('ada'), false);
  assert.equal(stepUps.learn('ada', challenge({ code: 'invalid_token', scopes: ['read'] })), false);
  assert.equal(stepUps.learn('ada', challenge({ scopes: ['write'] })), true);
  assert.deepEqual(stepUps.scopesFor(granted()), ['read', 'write']);
  assert.equal(stepUps.learn('grace', challenge({})), true);
  assert.equal(stepUps.isOpen('grace'), true);
});

test('the MCP server is asked what it demands at most once a minute for each account', async () => {
  const clock = new FakeClock();
  const stepUps = new StepUps(clock);
  const asked: string[] = [];
  const probe = (grantId: string) =>
    stepUps.probe(grantId, async () => {
      asked.push(grantId);
      throw challenge({ scopes: ['write'] });
    });
  assert.deepEqual([await probe('ada'), await probe('ada'), await probe('grace')], [true, false, true]);
  clock.advance(60_000);
  assert.equal(await probe('ada'), true);
  assert.deepEqual(asked, ['ada', 'grace', 'ada']);
  assert.deepEqual(stepUps.scopesFor(granted()), ['write']);
  assert.equal(await new StepUps(clock).probe('ada', async () => ({})), false);
});
