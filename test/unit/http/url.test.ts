import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDirect, isLoopback, isSecure } from '../../../src/http/url.ts';

const onThisComputer = [
  'http://127.0.0.1:1/',
  'https://127.1.2.3/',
  'http://localhost:8080/',
  'http://LOCALHOST/',
  'http://[::1]:1/',
  'http://0x7f.1/',
  'http://2130706433/',
];

const elsewhere = [
  'https://mcp.notion.com/mcp',
  'https://127.0.0.1.example.com/',
  'https://localhost.example.com/',
  'https://mylocalhost/',
  'https://sub.localhost/',
  'https://localhost./',
  'https://[::ffff:127.0.0.1]/',
  'https://0.0.0.0/',
  'https://10.0.0.1/',
  'https://128.0.0.1/',
];

for (const text of onThisComputer) {
  test(`${text} is reached directly, also over http`, () => {
    const url = new URL(text);
    assert.equal(isLoopback(url.hostname), true);
    assert.equal(isDirect(url), true);
    assert.equal(isSecure(url), true);
  });
}

for (const text of elsewhere) {
  test(`${text} is the host's to carry, and never over http`, () => {
    const url = new URL(text);
    assert.equal(isLoopback(url.hostname), false);
    assert.equal(isDirect(url), false);
    assert.equal(isSecure(url), true);
    assert.equal(isSecure(new URL(text.replace('https:', 'http:'))), false);
  });
}

test('other schemes and addresses with a password are not secure, wherever they lead', () => {
  for (const text of ['ftp://127.0.0.1/', 'ws://127.0.0.1/', 'file:///etc/hosts', 'https://me@example.com/']) {
    assert.equal(isSecure(new URL(text)), false, text);
  }
});
