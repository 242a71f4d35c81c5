import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Log } from '../../../src/core/log.ts';
import { logConnection } from '../../../src/diagnostics/logConnection.ts';
import { Failure } from '../../../src/oauth/errors.ts';

test('the log has each check of a connection test with its time, and why one failed', () => {
  const lines: string[] = [];
  const keep = (level: string) => (line: string) => void lines.push(`${level} ${line}`);
  const log = new Log({ error: keep('error'), warn: keep('warn'), info: keep('info'), debug: keep('debug') });
  const failure = new Failure('serverRejected', {
    step: 'token',
    code: 'invalid_scope',
    status: 400,
    host: 'a.example',
  });
  logConnection(
    log.operation('test', { bytes: () => new Uint8Array([1, 2]) }),
    {
      checks: [
        { name: 'server', tookMs: 3 },
        { name: 'token', tookMs: 4, failure },
      ],
      requests: [],
      tools: [],
      notTried: ['initialize', 'tools'],
      wasRenewed: false,
      access: new Map(),
      clockSkewSeconds: -2,
    },
    { id: 'ada' },
  );
  assert.deepEqual(lines, [
    'info [test 0102] Check passed. check=server ms=3',
    'warn [test 0102] Check failed. check=token ms=4 kind=serverRejected step=token code=invalid_scope status=400',
    'info [test 0102] Check not tried. check=initialize',
    'info [test 0102] Check not tried. check=tools',
    'info [test 0102] The connection was tested. account=1 passed=1 failed=1 tools=0 wasRenewed=false clockSkewSeconds=-2',
  ]);
});
