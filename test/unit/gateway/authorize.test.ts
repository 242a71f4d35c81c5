import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemRandomness } from '../../../src/core/random.ts';
import { CallerAuthorizer, type IncomingRequest } from '../../../src/gateway/authorize.ts';

const host = '127.0.0.1:4711';

test('who shows the secret at the account’s path is let in as that account', () => {
  const { authorizer, visitor } = open();
  assert.equal(authorizer.authorize(visitor), 'ada');
});

const changes: Record<string, (visitor: IncomingRequest, secretOfGrace: string) => IncomingRequest> = {
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
    const { authorizer, visitor } = open();
    assert.equal(authorizer.authorize(change(visitor, authorizer.secretFor('grace').reveal())), undefined);
  });
}

test('an account that nobody asked a secret for has no door', () => {
  const { authorizer, visitor } = open();
  assert.equal(authorizer.authorize({ ...visitor, url: '/lin/mcp' }), undefined);
});

function open(): { authorizer: CallerAuthorizer; visitor: IncomingRequest } {
  const authorizer = new CallerAuthorizer(host, systemRandomness);
  const authorization = `Bearer ${authorizer.secretFor('ada').reveal()}`;
  return { authorizer, visitor: { url: authorizer.pathFor('ada'), headers: { host, authorization } } };
}
