/** The commands that need the container, by the part of their name after `notionMcp.`. */
export const commandNames = [
  'signIn',
  'signOut',
  'refresh',
  'manageAccounts',
  'connectAgent',
  'disconnectAgent',
  'testConnection',
  'copyDiagnostics',
] as const;

export type CommandName = (typeof commandNames)[number];
