import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemRandomness } from '../../../src/core/random.ts';
import { Admission, type Visitor } from '../../../src/gateway/authorize.ts';

const host = '127.0.0.1:4711';

test('who shows the secret at the account’s path is let in as that account', () => {
  const { admission, visitor } = open();
  assert.equal(admission.admit(visitor), 'ada');
});

const changes: Record<string, (visitor: Visitor, secretOfGrace: string) => Visitor> = {
  'without a path': ({ headers }) => ({ headers }),
  'at another path': (visitor) => ({ ...visitor, url: '/ada/mcp/' }),
  'at another account’s path': (visitor) => ({ ...visitor, url: '/grace/mcp' }),
  'without a secret': ({ url }) => ({ url, headers: { host } }),
  'with an empty secret': ({ url }) => ({ url, headers: { host, authorization: '' } }),
  'with another account’s secret': ({ url }, secret) => ({ url, headers: { host, authorization: `Bearer ${secret}` } }),
  'without a host': ({ url, headers: { authorization } }) => ({ url, headers: { authorization } }),
  'with another port': ({ url, headers }) => ({ url, headers: { ...headers, host: '127.0.0.1:4712' } }),
  'with an origin': ({ url, headers }) => ({ url, headers: { ...headers, origin: 'null' } }),
};

for (const [name, change] of Object.entries(changes)) {
  test(`a request ${name} is not let in`, () => {
    const { admission, visitor } = open();
    assert.equal(admission.admit(change(visitor, admission.secretFor('grace').reveal())), undefined);
  });
}

test('an account that nobody asked a secret for has no door', () => {
  const { admission, visitor } = open();
  assert.equal(admission.admit({ ...visitor, url: '/lin/mcp' }), undefined);
});

function open(): { admission: Admission; visitor: Visitor } {
  const admission = new Admission(host, systemRandomness);
  const authorization = `Bearer ${admission.secretFor('ada').reveal()}`;
  return { admission, visitor: { url: admission.pathFor('ada'), headers: { host, authorization } } };
}
