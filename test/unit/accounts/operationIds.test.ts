import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../../src/core/clock.ts';
import { Log } from '../../../src/core/log.ts';
import type { Http } from '../../../src/http/client.ts';
import { createGrantRequests } from '../../../src/renewal/grantRequests.ts';
import { Machine } from './machine.ts';

function idIn(lines: string[], operation: string): string {
  const [, id = ''] = new RegExp(`(\\[${operation} [0-9a-f]{4}\\])`).exec(lines.join('\n')) ?? [];
  return id;
}

test('all log lines of a renewal carry its id, and the next renewal has another id', async (t) => {
  const machine = await Machine.start(t);
  const { accounts } = await machine.open();
  const { grant } = await accounts.storeSignIn(machine.server.signIn('ada'));
  const ids: string[] = [];
  for (let count = 0; count < 2; count += 1) {
    machine.logLines.length = 0;
    await accounts.renew(grant.id, { reason: 'asked' });
    const id = idIn(machine.logLines, 'renewal');
    ids.push(id);
    assert.deepEqual(
      machine.logLines.map((line) => line.replace(/ account=.*/, '')),
      [`${id} Renewing.`, `${id} Renewed.`],
    );
  }
  assert.notEqual(ids[0], ids[1]);
});

test('all log lines of a sign-out carry its id', async (t) => {
  const machine = await Machine.start(t);
  const { accounts } = await machine.open();
  const { grant } = await accounts.storeSignIn(machine.server.signIn('ada'));
  machine.logLines.length = 0;
  machine.server.cannotRevoke = true;
  await accounts.signOut(grant.id);
  const id = idIn(machine.logLines, 'sign-out');
  assert.equal(machine.logLines.length, 3);
  assert.ok(id !== '' && machine.logLines.every((line) => line.startsWith(id)), machine.logLines.join('\n'));
});

test('the requests of a renewal or sign-out are logged with the id of that operation', async (t) => {
  const machine = await Machine.start(t);
  const { accounts } = await machine.open();
  const { grant } = await accounts.storeSignIn(machine.server.signIn('ada'));
  const http: Http = async ({ url }) => ({
    status: 200,
    headers: new Headers(),
    body: '{"access_token":"a","token_type":"bearer"}',
    url,
  });
  const endpoints = { ...grant.authorizationServer, revocationEndpoint: 'https://mcp.example/revoke' };
  const requests = createGrantRequests(http, systemClock);
  const lines: string[] = [];
  const keep = (line: string): void => void lines.push(line);
  const log = new Log({ error: keep, warn: keep, info: keep, debug: keep });
  await requests.refresh(grant, log.operation('renewal', { bytes: () => new Uint8Array([1, 2]) }));
  await requests.revoke(
    { ...grant, authorizationServer: endpoints },
    log.operation('sign-out', { bytes: () => new Uint8Array([3, 4]) }),
  );
  assert.match(lines[0] ?? '', /^\[renewal 0102\] POST url=mcp\.example\/token status=200 ms=\d+$/);
  assert.match(lines[1] ?? '', /^\[sign-out 0304\] POST url=mcp\.example\/revoke status=200 ms=\d+$/);
});
