import type { CommandName } from './commandNames.ts';
import { type CommandParts, refresh, signIn, signOut, testConnection } from './commands.ts';
import { connectAgent } from './connectAgent.ts';
import { copyDiagnostics } from './copyDiagnostics.ts';
import { disconnectAgent } from './disconnectAgent.ts';
import { manageAccounts } from './manageAccounts.ts';
import { reportUnexpected } from './messages/show.ts';

export type CommandTable = Readonly<Record<CommandName, () => Promise<void>>>;

/** The implementation of each command, by the part of its name after the dot. None rejects. */
export function commandTable(parts: CommandParts): CommandTable {
  const command = (run: (parts: CommandParts) => Promise<void>) => () => reportUnexpected(parts.log, () => run(parts));
  return {
    signIn: command(signIn),
    signOut: command(signOut),
    refresh: command(refresh),
    manageAccounts: command(manageAccounts),
    connectAgent: command(connectAgent),
    disconnectAgent: command(disconnectAgent),
    testConnection: command(testConnection),
    copyDiagnostics: command(copyDiagnostics),
  };
}
