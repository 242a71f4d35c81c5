import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Account } from '../../../src/accounts/registry.ts';
import { ServerUrlNotice } from '../../../src/editor/serverUrlNotice.ts';
import type { Grant } from '../../../src/grants/grant.ts';
import { FakeClock } from '../fakeClock.ts';

const notion = 'https://mcp.notion.com/mcp';

/** Opens a window whose accounts belong to the given servers, by account label. */
function openWindow(serverByLabel: Record<string, string>) {
  const state = { serverUrl: notion, focused: true };
  const clock = new FakeClock();
  const shown: string[][] = [];
  const accounts = {
    list: () =>
      Object.entries(serverByLabel).map(
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

test('a new server URL that makes accounts dormant shows one notice, however often it changes during typing', () => {
  const { clock, shown, change } = openWindow({ ada: notion, grace: notion, other: 'https://b.example/mcp' });
  for (const url of ['', 'h', 'https://c', 'https://c.example/mcp']) {
    change(url);
    clock.advance(1_000);
  }
  assert.deepEqual(shown, []);
  clock.advance(1_000);
  assert.deepEqual(shown, [['ada', 'grace']], 'an account that was dormant before must not be listed');
  change('https://d.example/mcp');
  clock.advance(60_000);
  assert.equal(shown.length, 1, 'accounts that stay dormant must not cause another notice');
});

test('a server URL that is changed back at once shows no notice, and one that stays shows it each time', () => {
  const { clock, shown, change } = openWindow({ ada: notion });
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

test('a window shows no notice for accounts that became dormant while it was not focused', () => {
  const { state, clock, shown, change } = openWindow({ ada: notion });
  state.focused = false;
  change('https://c.example/mcp');
  clock.advance(60_000);
  state.focused = true;
  change('https://d.example/mcp');
  clock.advance(60_000);
  assert.deepEqual(shown, []);
});

test('a disposed notice of a changed server URL is never shown', () => {
  const { clock, shown, change, notice } = openWindow({ ada: notion });
  change('https://c.example/mcp');
  notice.dispose();
  clock.advance(60_000);
  assert.deepEqual(shown, []);
});
