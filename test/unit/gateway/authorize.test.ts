import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemRandomness } from '../../../src/core/random.ts';
import { CallerAuthorizer, type IncomingRequest } from '../../../src/gateway/authorize.ts';

const host = '127.0.0.1:4711';

test('a request with an account’s secret at that account’s path is authorized for the account', () => {
  const { authorizer, request } = open();
  assert.equal(authorizer.authorize(request), 'ada');
});

const changes: Record<string, (request: IncomingRequest, secretOfGrace: string) => IncomingRequest> = {
  'without a path': ({ headers }) => ({ headers }),
  'at another path': (request) => ({ ...request, url: '/ada/mcp/' }),
  'at another account’s path': (request) => ({ ...request, url: '/grace/mcp' }),
  'without a secret': ({ url }) => ({ url, headers: { host } }),
  'with an empty secret': ({ url }) => ({ url, headers: { host, authorization: '' } }),
  'with another account’s secret': ({ url }, secret) => ({ url, headers: { host, authorization: `Bearer ${secret}` } }),
  'without a host': ({ url, headers: { authorization } }) => ({ url, headers: { authorization } }),
  'with another port': ({ url, headers }) => ({ url, headers: { ...headers, host: '127.0.0.1:4712' } }),
  'with an origin': ({ url, headers }) => ({ url, headers: { ...headers, origin: 'null' } }),
};

for (const [name, change] of Object.entries(changes)) {
  test(`a request ${name} is not authorized`, () => {
    const { authorizer, request } = open();
    assert.equal(authorizer.authorize(change(request, authorizer.secretFor('grace').reveal())), undefined);
  });
}

test('a request for an account whose secret was never created is not authorized', () => {
  const { authorizer, request } = open();
  assert.equal(authorizer.authorize({ ...request, url: '/lin/mcp' }), undefined);
});

function open(): { authorizer: CallerAuthorizer; request: IncomingRequest } {
  const authorizer = new CallerAuthorizer(host, systemRandomness);
  const authorization = `Bearer ${authorizer.secretFor('ada').reveal()}`;
  return { authorizer, request: { url: authorizer.pathFor('ada'), headers: { host, authorization } } };
}
