import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headersForCaller, headersForServer } from '../../../src/gateway/headers.ts';

const passedBothWays = { 'content-type': 'application/json', 'mcp-session-id': 's' };

test('only allowed request headers reach the MCP server, and none that reveal the caller or its origin', () => {
  const dropped = {
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
    'content-encoding': 'gzip',
  };
  const passed = {
    ...passedBothWays,
    accept: 'application/json',
    'last-event-id': '1',
    'user-agent': 'Code',
    'mcp-param-x': 'y',
  };
  assert.deepEqual(headersForServer({ ...dropped, ...passed }), passed);
});

test('only allowed response headers reach the caller: no challenge, cookie or CORS permission', () => {
  const dropped = {
    'www-authenticate': 'Bearer',
    'set-cookie': ['a=b'],
    'access-control-allow-origin': '*',
    'access-control-expose-headers': '*',
    'content-length': '5',
    'content-encoding': 'gzip',
    'transfer-encoding': 'chunked',
    connection: 'close',
    location: 'https://example.test',
    'alt-svc': 'h3=":443"',
    'strict-transport-security': 'max-age=1',
  };
  const passed = { ...passedBothWays, allow: 'GET', 'cache-control': 'no-store' };
  assert.deepEqual(headersForCaller({ ...dropped, ...passed }), passed);
});

test('a header named in the Connection header is not forwarded', () => {
  assert.deepEqual(headersForServer({ ...passedBothWays, connection: 'close, MCP-Session-Id' }), {
    'content-type': 'application/json',
  });
});
