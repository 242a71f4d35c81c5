import assert from 'node:assert/strict';
import { test } from 'node:test';
import { env } from '../vscode.ts';

const { describeAgents, formatUse } = await import('../../../../src/editor/messages/agentUse.ts');

const at = (year: number, month: number, day: number, hour: number, minute = 0): number =>
  new Date(year, month - 1, day, hour, minute).getTime();
const nowMs = at(2026, 3, 1, 14, 30);

for (const [name, atMs, english, german] of [
  ['of this day', at(2026, 3, 1, 14, 2), 'today 2:02 PM', 'today 14:02'],
  ['of the first minute of this day', at(2026, 3, 1, 0, 0), 'today 12:00 AM', 'today 0:00'],
  ['of the day before, in another month', at(2026, 2, 28, 23, 59), 'yesterday 11:59 PM', 'yesterday 23:59'],
  ['of this year', at(2026, 2, 27, 9, 5), 'February 27 at 9:05 AM', '27. Februar um 9:05'],
  ['of another year', at(2025, 3, 1, 14, 2), 'March 1, 2025 at 2:02 PM', '1. März 2025 um 14:02'],
] as const) {
  test(`a use ${name} is told as people say it, in the editor’s language`, (t) => {
    t.after(() => {
      env.language = 'en';
    });
    // Some versions put a narrow space before AM.
    assert.equal(formatUse(atMs, nowMs).replaceAll('\u202f', ' '), english);
    env.language = 'de';
    assert.equal(formatUse(atMs, nowMs), german);
  });
}

test('the list of agents tells when each last called, and is cut', () => {
  const uses = [
    { agent: 'codex', permission: 'allowed', usedAtMs: at(2026, 3, 1, 14, 2) },
    { agent: 'claude-code', permission: 'allowed' },
  ] as const;
  assert.equal(describeAgents(uses, nowMs).replaceAll('\u202f', ' '), 'Codex (today 2:02 PM), Claude Code');
  const many = Array.from({ length: 50 }, (_, index) => ({ agent: `agent-${index}`, permission: 'allowed' as const }));
  assert.ok(describeAgents(many, nowMs).length <= 200);
});
