import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headersForCaller, headersForServer } from '../../../src/gateway/headers.ts';

const kept = { 'content-type': 'application/json', 'mcp-session-id': 's', 'content-encoding': 'gzip' };

test('what a caller may say reaches the server, and nothing that says who it is or where it came from', () => {
  const refused = {
    authorization: 'Bearer secret',
    cookie: 'a=b',
    origin: 'https://example.test',
    referer: 'https://example.test',
    host: '127.0.0.1:1',
    forwarded: 'for=1.2.3.4',
    'x-forwarded-for': '1.2.3.4',
    'x-real-ip': '1.2.3.4',
    via: '1.1 proxy',
    connection: 'keep-alive',
    'keep-alive': 'timeout=5',
    'proxy-authorization': 'Basic x',
    te: 'trailers',
    trailer: 'x',
    'transfer-encoding': 'chunked',
    upgrade: 'websocket',
    'content-length': '5',
    'accept-encoding': 'br',
  };
  const accepted = {
    ...kept,
    accept: 'application/json',
    'last-event-id': '1',
    'user-agent': 'Code',
    'mcp-param-x': 'y',
  };
  assert.deepEqual(headersForServer({ ...refused, ...accepted }), accepted);
});

test('what a server may say reaches the caller, and nothing that would start a sign-in, set a cookie or let a page in', () => {
  const refused = {
    'www-authenticate': 'Bearer',
    'set-cookie': ['a=b'],
    'access-control-allow-origin': '*',
    'access-control-expose-headers': '*',
    'content-length': '5',
    'transfer-encoding': 'chunked',
    connection: 'close',
    location: 'https://example.test',
    'alt-svc': 'h3=":443"',
    'strict-transport-security': 'max-age=1',
  };
  const accepted = { ...kept, allow: 'GET', 'cache-control': 'no-store' };
  assert.deepEqual(headersForCaller({ ...refused, ...accepted }), accepted);
});

test('a header that Connection names goes no further', () => {
  assert.deepEqual(headersForServer({ ...kept, connection: 'close, MCP-Session-Id' }), {
    'content-type': 'application/json',
    'content-encoding': 'gzip',
  });
});
