import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorInfo } from '../../../src/core/errorInfo.ts';
import { Log, type LogSink, redact } from '../../../src/core/log.ts';
import { Secret } from '../../../src/core/secret.ts';

function record(): { lines: string[]; sink: LogSink } {
  const lines: string[] = [];
  const keep = (level: string) => (line: string) => void lines.push(`${level} ${line}`);
  return { lines, sink: { error: keep('error'), warn: keep('warn'), info: keep('info'), debug: keep('debug') } };
}

test('a log line is its sentence followed by the values that are defined', () => {
  const { lines, sink } = record();
  new Log(sink).info('Registered.', { channel: 'uriHandler', status: 201, host: undefined });
  assert.deepEqual(lines, ['info Registered. channel=uriHandler status=201']);
});

test('the log lines of one operation carry its name and a short id', () => {
  const { lines, sink } = record();
  const log = new Log(sink).operation('renewal', { bytes: () => new Uint8Array([0x0a, 0xbc]) });
  log.warn('Failed.', { status: 503 });
  log.debug('Ended.');
  assert.deepEqual(lines, ['warn [renewal 0abc] Failed. status=503', 'debug [renewal 0abc] Ended.']);
});

test('a URL is logged as host and path only, without parts that may be an id or a key', () => {
  const show = (url: string): string => redact(new URL(url));
  assert.equal(show('https://user:pw@mcp.notion.com/token?code=abc#state'), 'mcp.notion.com/token');
  for (const path of ['/.well-known/oauth-authorization-server/mcp', '/.well-known/oauth-protected-resource/mcp']) {
    assert.equal(show(`http://127.0.0.2:4711${path}`), `127.0.0.2:4711${path}`);
  }
  assert.equal(show('https://mcp.example/s/0f8fad5bd9cb469fa16570867728950e/mcp'), 'mcp.example/s/…/mcp');
  assert.equal(show(`https://${'a1'.repeat(20)}.example/${'x'.repeat(50)}`), '….example/…');
});

test('an unexpected error is described by name, code and position, never by its message or a folder', () => {
  const error = Object.assign(new TypeError('no ada@example.com in /home/ada'), { code: 'ENOSPC' });
  const { name, code, at } = errorInfo(error);
  assert.deepEqual({ name, code }, { name: 'TypeError', code: 'ENOSPC' });
  assert.match(at ?? '', /^log\.test\.ts:\d+:\d+$/);
  assert.deepEqual(errorInfo('ada@example.com'), { name: 'string' });
  const windows = Object.assign(new Error('x'), { stack: 'Error: x\n    at run (C:\\Users\\Ada\\extension.cjs:1:23)' });
  assert.equal(errorInfo(windows).at, 'extension.cjs:1:23');
});

test('a secret, a token and the query of a URL never appear in a log line', () => {
  const token = 'b5c1:Zx9:'.padEnd(60, 'kQ7');
  for (const value of [new Secret(token), token, `Bearer ${token}`, `https://h.example/cb?code=${token}&state=abc`]) {
    const text = redact(value);
    assert.ok(!text.includes('kQ7'), text);
    assert.ok(!text.includes('state=abc'), text);
  }
});

test('a logged value cannot start a new line, reverse the text or flood the log', () => {
  const text = redact(`one\ntwo\r\u202ethree\u2028${' word'.repeat(1_000)}`);
  assert.ok(!/[\n\r\u202e\u2028]/.test(text));
  assert.ok(text.length <= 200);
});

test('of a long value only the beginning is read, and no part of a token that it cuts through is logged', () => {
  const token = 'b5c1Zx9kQ7'.repeat(6);
  for (let before = 900; before < 1_100; before++) {
    // The query becomes short, so the end of what is read is among the characters that are logged.
    const text = redact(`?${'q'.repeat(before - 2)} ${token}`);
    assert.ok(!text.includes('b5c1'), text);
  }
  // The query becomes short, so the text behind it would be among the characters that are logged.
  assert.doesNotMatch(redact(`?${'q'.repeat(5_000)} behind`), /behind/);
});

test('an account is logged as its number, which is the same in each operation, and nothing else of it', () => {
  const { lines, sink } = record();
  const log = new Log(sink);
  const ada = { id: '0f8fad5b-d9cb-469f-a165-70867728950e', label: 'Ada' };
  const grace = { id: '7c9e6679-7425-40de-944b-e07fc1f90ae7', label: 'Grace' };
  log.info('Renewed.', { account: ada, generation: 2 });
  log
    .operation('identity', { bytes: () => new Uint8Array([1, 2]) })
    .info('Merged.', { account: grace, duplicate: ada });
  assert.deepEqual(lines, [
    'info Renewed. account=1 generation=2',
    'info [identity 0102] Merged. account=2 duplicate=1',
  ]);
});

test('a server’s request id is readable in the log', () => {
  assert.equal(redact('0f8fad5b-d9cb-469f-a165-70867728950e'), '0f8fad5b-d9cb-469f-a165-70867728950e');
});
