import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Account } from '../../../src/accounts/registry.ts';
import { ServerUrlNotice } from '../../../src/editor/serverUrlNotice.ts';
import type { Grant } from '../../../src/grants/grant.ts';
import { FakeClock } from '../fakeClock.ts';

const notion = 'https://mcp.notion.com/mcp';

/** A window with accounts, by label, and the servers that they belong to. */
function opened(belongs: Record<string, string>) {
  const state = { serverUrl: notion, focused: true };
  const clock = new FakeClock();
  const shown: string[][] = [];
  const accounts = {
    list: () =>
      Object.entries(belongs).map(
        ([label, serverUrl]): Account => ({
          grant: { id: label, label } as Grant,
          state: serverUrl === state.serverUrl ? 'healthy' : 'dormant',
        }),
      ),
  };
  const notice = new ServerUrlNotice({
    accounts,
    clock,
    isFocused: () => state.focused,
    show: (labels) => shown.push(labels),
  });
  const change = (serverUrl: string) => {
    state.serverUrl = serverUrl;
    notice.changed();
  };
  return { state, clock, shown, change, notice };
}

test('a server URL that puts accounts to sleep is told once, however often it changes while it is written', () => {
  const { clock, shown, change } = opened({ ada: notion, grace: notion, other: 'https://b.example/mcp' });
  for (const url of ['', 'h', 'https://c', 'https://c.example/mcp']) {
    change(url);
    clock.advance(1_000);
  }
  assert.deepEqual(shown, []);
  clock.advance(1_000);
  assert.deepEqual(shown, [['ada', 'grace']], 'and not those that slept before');
  change('https://d.example/mcp');
  clock.advance(60_000);
  assert.equal(shown.length, 1, 'they sleep on');
});

test('changed back before anybody could read it, it is not told; changed again later, it is', () => {
  const { clock, shown, change } = opened({ ada: notion });
  change('https://c.example/mcp');
  change(notion);
  clock.advance(60_000);
  assert.deepEqual(shown, []);
  change('https://c.example/mcp');
  clock.advance(60_000);
  change(notion);
  clock.advance(60_000);
  change('https://c.example/mcp');
  clock.advance(60_000);
  assert.deepEqual(shown, [['ada'], ['ada']]);
});

test('of several windows only the one that is looked at tells', () => {
  const { state, clock, shown, change } = opened({ ada: notion });
  state.focused = false;
  change('https://c.example/mcp');
  clock.advance(60_000);
  state.focused = true;
  change('https://d.example/mcp');
  clock.advance(60_000);
  assert.deepEqual(shown, []);
});

test('nothing is told after the end', () => {
  const { clock, shown, change, notice } = opened({ ada: notion });
  change('https://c.example/mcp');
  notice.dispose();
  clock.advance(60_000);
  assert.deepEqual(shown, []);
});
