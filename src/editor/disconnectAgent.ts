import { agentName } from '../agents/agentNames.ts';
import type { AgentConnection } from '../agents/configuration/contract.ts';
import { ConfigurationProblem } from '../agents/configuration/problem.ts';
import type { Agents } from '../agents/contract.ts';
import { type DisplayText, displayText } from '../core/displayText.ts';
import { displayNames } from '../notion/identity.ts';
import type { CommandParts } from './commands.ts';
import { longestHandle, notPossibleMessage, notRemovedMessage, pathName } from './messages/agentConnection.ts';
import { l10n } from './messages/l10n.ts';
import { editorName } from './messages/names.ts';
import { pick } from './messages/quickPick.ts';
import { confirm, openFile, reportUnexpected, showFailure, showNote, showWarning } from './messages/show.ts';

/** `Notion MCP: Disconnect an Agent`: takes an account away from an agent, and out of its configuration. */
export async function disconnectAgent(parts: CommandParts): Promise<void> {
  const { agents } = parts;
  if (agents === undefined) {
    void showWarning(notPossibleMessage('web', editorName()));
    return;
  }
  const connected = await (await agents.connections()).connected();
  if (connected.length === 0) {
    void showNote({ sentence: l10n.t('No agent is connected.'), actions: ['connectAgent'] });
    return;
  }
  const choices = connected.map((connection) => ({
    label: agentName(connection.agent),
    description: workspaceOf(parts, connection),
    detail: placeOf(connection),
    connection,
  }));
  const title = l10n.t('Disconnect which agent?');
  const picked = await pick(choices, { title, placeHolder: l10n.t('Choose an agent') });
  if (picked !== undefined && (await isConfirmed(parts, picked.connection))) {
    await disconnect(parts, agents, picked.connection);
  }
}

function isConfirmed(parts: CommandParts, connection: AgentConnection): Promise<boolean> {
  const { agent, name } = connection;
  return confirm(
    l10n.t('Disconnect {0} from {1}?', agentName(agent), workspaceOf(parts, connection)),
    l10n.t({
      message: 'The server {0} is removed from {1}, and {2} can no longer use this account.',
      comment: ['{0} is the name of a server, {1} the path of a file or the name of an editor, {2} that of an agent.'],
      args: [displayText(name, longestHandle), placeOf(connection), agentName(agent)],
    }),
    l10n.t('Disconnect'),
    l10n.t('Stay Connected'),
  );
}

async function disconnect(parts: CommandParts, agents: Agents, connection: AgentConnection): Promise<void> {
  const { agent, handle, path } = connection;
  // First of all the agent may no longer use the account, whatever becomes of the file.
  await agents.consent.forget(handle, agent);
  try {
    await (await agents.connections()).disconnect(connection);
  } catch (error) {
    if (!(error instanceof ConfigurationProblem)) {
      throw error;
    }
    parts.log.warn('An agent’s configuration was not changed.', { agent, kind: error.kind });
    const tryAgain = () => void reportUnexpected(parts.log, () => disconnect(parts, agents, connection));
    void showFailure(notRemovedMessage(error.kind, connection), { tryAgain, openFile: () => openFile(path) });
    return;
  }
  void showNote({
    sentence: l10n.t('Disconnected {0} from {1}.', agentName(agent), workspaceOf(parts, connection)),
    actions: [],
  });
}

/** Where a connection's server is: in a file, or in the editor itself. */
function placeOf({ agent, path, isRegistered }: AgentConnection): DisplayText {
  return isRegistered ? agentName(agent) : pathName(path);
}

/** The workspace of a connection; its handle after a sign-out. */
function workspaceOf({ accounts }: CommandParts, { handle }: AgentConnection): DisplayText {
  const account = accounts.list().find(({ grant }) => grant.serverNames?.handle === handle);
  const identity = account?.grant.identity;
  return (identity && displayNames(identity).workspace) || displayText(handle, longestHandle);
}
