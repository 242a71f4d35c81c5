import type { TestContext } from 'node:test';
import type { Extension } from 'vscode';
import type { ConnectionReport } from '../../../src/diagnostics/connectionTest.ts';
import type { CommandParts } from '../../../src/editor/commands.ts';
import type { ReadOnlyDocuments } from '../../../src/editor/readOnlyDocuments.ts';
import { Queue } from '../../e2e/driver/queue.ts';
import type { WindowOptions } from '../accounts/machine.ts';
import { ScriptedWindow } from './scriptedWindow.ts';

const { SignInReminder } = await import('../../../src/editor/reminders.ts');

/** A window with the commands’ parts, as the container wires them. */
export async function openCommands(t: TestContext, changes: Partial<CommandParts> = {}, options: WindowOptions = {}) {
  const window = await ScriptedWindow.open(t, options);
  const { accounts, memory, clock, log, flow } = window;
  /** The documents that were shown, each with its title as the first line. */
  const shown = new Queue<string>();
  const documents: Pick<ReadOnlyDocuments, 'show'> = {
    show: async (name, lines) => shown.put([name, ...lines].join('\n')),
  };
  const reminder = new SignInReminder({ accounts, memory, reconnect: (account) => flow.reconnectIfNeeded(account) });
  t.after(() => reminder.dispose());
  const parts: CommandParts = {
    ...{ accounts, signInFlow: flow, reminder, clock, log, documents: documents as ReadOnlyDocuments },
    check: async () => passed,
    diagnostics: async () => 'the report',
    extension: { packageJSON: {} } as Extension<unknown>,
    ...{ consent: undefined, agents: undefined },
    ...changes,
  };
  return { window, parts, shown };
}

/** The report of a test that passes. */
export const passed: ConnectionReport = {
  checks: [{ name: 'server', tookMs: 1 }],
  ...{
    requests: [],
    tools: ['search', 'fetch'],
    notTried: [],
    wasRenewed: false,
    access: new Map(),
  },
};
