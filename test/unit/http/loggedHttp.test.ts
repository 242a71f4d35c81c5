import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Log } from '../../../src/core/log.ts';
import { type HttpRequest, type HttpResponse, withLogging } from '../../../src/http/client.ts';
import { HttpFailure } from '../../../src/http/errors.ts';
import { FakeClock } from '../fakeClock.ts';

const secret = 'Zm9vYmFyYmF6cXV4cXV1eA';
const request: HttpRequest = {
  method: 'POST',
  url: new URL(`https://mcp.example/token?code=${secret}`),
  headers: { authorization: `Bearer ${secret}` },
  body: `refresh_token=${secret}`,
};

function logged(respond: () => Promise<HttpResponse>) {
  const lines: string[] = [];
  const keep = (level: string) => (line: string) => void lines.push(`${level} ${line}`);
  const log = new Log({ error: keep('error'), warn: keep('warn'), info: keep('info'), debug: keep('debug') });
  const clock = new FakeClock();
  const http = withLogging(
    async () => {
      clock.advance(42);
      return respond();
    },
    log,
    clock,
  );
  return { http, lines };
}

function response(headers: Record<string, string>): HttpResponse {
  return { status: 200, headers: new Headers(headers), body: `{"access_token":"${secret}"}`, url: request.url };
}

test('a request is logged with its path, status and duration, and without anything that it carries', async () => {
  const { http, lines } = logged(async () => response({ 'set-cookie': secret }));
  await http(request);
  assert.deepEqual(lines, ['debug POST url=mcp.example/token status=200 ms=42']);
});

test('request ids and Retry-After of a response are logged only if they have the expected form', async () => {
  const headers = {
    'x-request-id': '0f8fad5b-d9cb-469f-a165-70867728950e',
    'cf-ray': '8c1f2a3b4c5d6e7f-FRA',
    'retry-after': '30',
  };
  const genuine = logged(async () => response(headers));
  await genuine.http(request);
  assert.match(
    genuine.lines[0] ?? '',
    /x-request-id=0f8fad5b-d9cb-469f-a165-70867728950e cf-ray=8c1f2a3b4c5d6e7f-FRA retry-after=30$/,
  );
  const hostile = logged(async () => response({ 'x-request-id': secret, 'cf-ray': secret, 'retry-after': secret }));
  await hostile.http(request);
  assert.deepEqual(hostile.lines, ['debug POST url=mcp.example/token status=200 ms=42']);
});

test('a failed request is logged with the kind of its failure, which the caller receives unchanged', async () => {
  const failure = new HttpFailure('timeout', 'mcp.example');
  const { http, lines } = logged(() => Promise.reject(failure));
  await assert.rejects(http(request), (error) => error === failure);
  assert.deepEqual(lines, ['debug POST url=mcp.example/token failed=timeout ms=42']);
});
