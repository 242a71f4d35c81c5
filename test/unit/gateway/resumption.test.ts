import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { FakeClock } from '../fakeClock.ts';
import { rpc } from './gatewayUnderTest.ts';
import { breakOff, events, ofText, openPosting } from './posting.ts';
import { type Received, respondWithResult } from './scriptedServer.ts';

test('a broken event stream is resumed after its last event, and the caller gets the response once', async (t) => {
  const clock = new ResumingClock();
  const { server, post } = await openPosting(t, clock);
  for (const [first, retryMs] of [
    [breakOff(events, 'id: a\nretry: 250\ndata:\n\ndata: {"jsonrpc"'), 250],
    [ofText(events, 'id: a\ndata:\n\n'), 1_000],
  ] as const) {
    server.received.length = 0;
    server.script = (response, received) =>
      received.method === 'POST' ? first(response) : ofText(events, 'id: b\ndata: {"id":1,"result":{}}\n\n')(response);
    clock.pauses = [];
    assert.deepEqual(await post(rpc(1, 'tools/call'), { 'mcp-session-id': 's' }), [{ id: 1, result: {} }]);
    assert.equal(clock.pauses[0], retryMs);
    const { headers } = server.received[1] as Received;
    assert.deepEqual(
      [headers['last-event-id'], headers['mcp-session-id'], headers.accept],
      ['a', 's', 'text/event-stream'],
    );
    assert.equal(server.received.length, 2);
  }
});

test('a stream that cannot be resumed is tried twice, and then ends with an error', async (t) => {
  const clock = new ResumingClock();
  const { server, post } = await openPosting(t, clock);
  server.script = (response, { method }) =>
    method === 'POST' ? ofText(events, 'id: a\ndata:\n\n')(response) : response.writeHead(502).end();
  const [message] = await post(rpc(1, 'tools/call'));
  assert.equal(message?.error?.data?.kind, 'outcomeUnknown');
  assert.equal(server.received.length, 3);
});

test('a server that has forgotten the stream is asked once', async (t) => {
  const { server, post } = await openPosting(t, new ResumingClock());
  server.script = (response, { method }) =>
    method === 'POST' ? ofText(events, 'id: a\ndata:\n\n')(response) : response.writeHead(405).end();
  assert.equal((await post(rpc(1, 'tools/list')))[0]?.error?.data?.kind, 'unreachable');
  assert.equal(server.received.length, 2);
});

test('a GET that cannot resume its stream at the moment keeps its place in it', async (t) => {
  const { server, send } = await openPosting(t);
  server.script = (response) => response.writeHead(503).end();
  const response = await send({ method: 'GET', headers: { 'last-event-id': 'a' } });
  assert.equal(await response.text(), 'retry: 30000\nid: a\ndata:\n\n');
});

test('a tool call whose connection breaks is never sent again, and says that the change may have been made', async (t) => {
  const { server, post } = await openPosting(t);
  for (const script of [breakOff(events, ':\n\n'), (response: ServerResponse) => void response.destroy()]) {
    server.received.length = 0;
    server.script = script;
    const [message] = await post(rpc(1, 'tools/call'));
    assert.deepEqual(message?.error?.data, { kind: 'outcomeUnknown', reason: 'unreachable' });
    assert.equal(server.received.length, 1);
  }
});

test('a request that reads is sent again once if its connection was closed before a response', async (t) => {
  const { server, post } = await openPosting(t);
  server.script = (response, received, number) =>
    number === 1 ? void response.destroy() : respondWithResult(response, received);
  assert.deepEqual(await post(rpc(1, 'tools/list')), [{ jsonrpc: '2.0', id: 1, result: { method: 'tools/list' } }]);
  assert.equal(server.received.length, 2);
  server.received.length = 0;
  server.script = (response) => void response.destroy();
  assert.equal((await post(rpc(1, 'tools/list')))[0]?.error?.data?.kind, 'unreachable');
  assert.equal(server.received.length, 2);
});

/** Lets pauses of at most 30 s, which are those before a stream is resumed, pass at once. */
class ResumingClock extends FakeClock {
  pauses: number[] = [];

  override after(delayMs: number, action: () => void): () => void {
    if (delayMs > 30_000) {
      return super.after(delayMs, action);
    }
    this.pauses.push(delayMs);
    const immediate = setImmediate(action);
    return () => clearImmediate(immediate);
  }
}
