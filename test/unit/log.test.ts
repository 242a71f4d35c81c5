import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Log, type LogSink, redact } from '../../src/log.ts';
import { Secret } from '../../src/secret.ts';

function record(): { lines: string[]; sink: LogSink } {
  const lines: string[] = [];
  const keep = (level: string) => (line: string) => void lines.push(`${level} ${line}`);
  return { lines, sink: { error: keep('error'), warn: keep('warn'), info: keep('info'), debug: keep('debug') } };
}

test('a line is its sentence, then the values that are there', () => {
  const { lines, sink } = record();
  new Log(sink).info('Registered.', { channel: 'uriHandler', status: 201, host: undefined });
  assert.deepEqual(lines, ['info Registered. channel=uriHandler status=201']);
});

test('the lines of a child carry its name', () => {
  const { lines, sink } = record();
  new Log(sink).child('renewal 7').warn('Failed.', { status: 503 });
  assert.deepEqual(lines, ['warn [renewal 7] Failed. status=503']);
});

test('a secret, a token and the query of a URL never get into a line', () => {
  const token = 'b5c1:Zx9:'.padEnd(60, 'kQ7');
  for (const value of [new Secret(token), token, `Bearer ${token}`, `https://h.example/cb?code=${token}&state=abc`]) {
    const text = redact(value);
    assert.ok(!text.includes('kQ7'), text);
    assert.ok(!text.includes('state=abc'), text);
  }
});

test('a value cannot begin a line of its own, reverse the text, or fill the log', () => {
  const text = redact(`one\ntwo\r\u202ethree\u2028${' word'.repeat(1_000)}`);
  assert.ok(!/[\n\r\u202e\u2028]/.test(text));
  assert.ok(text.length <= 200);
});

test('the id of a grant can be read in the log', () => {
  assert.equal(redact('0f8fad5b-d9cb-469f-a165-70867728950e'), '0f8fad5b-d9cb-469f-a165-70867728950e');
});
