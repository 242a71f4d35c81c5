import { env } from 'vscode';
import { agentName } from '../../agents/agentNames.ts';
import type { AgentConnection } from '../../agents/configuration/contract.ts';
import type { ConfigurationProblemKind } from '../../agents/configuration/problem.ts';
import { type DisplayText, displayText } from '../../core/displayText.ts';
import type { Message } from './actions.ts';
import { l10n } from './l10n.ts';

const longestPath = 200;
const longestList = 200;
export const longestHandle = 64;

/** The path of a file on this computer. */
export function pathName(path: string): DisplayText {
  return displayText(path, longestPath);
}

/** The paths of files on this computer. */
export function pathNames(paths: readonly string[]): DisplayText {
  return displayText(paths.join(', '), longestPath);
}

/** Agents by their names, in the editor's language. */
export function agentNames(agents: readonly string[]): DisplayText {
  const list = new Intl.ListFormat(env.language, { type: 'conjunction' }).format(agents.map(agentName));
  return displayText(list, longestList);
}

/**
 * Tells that agents were connected, and what their test has shown. `toRestart` are those that read their configurations
 * only when they start.
 */
export function connectedMessage(
  agents: readonly string[],
  toRestart: readonly string[],
  tools: number,
  workspace: DisplayText,
): Message {
  const args = [agentNames(agents), tools, workspace];
  return {
    sentence:
      toRestart.length === 0
        ? l10n.t({
            message: '{0} can use Notion: {1} tools of {2}.',
            comment: ['{0} is the name of an agent or of several, {1} a number, {2} the name of a workspace.'],
            args,
          })
        : l10n.t({
            message: '{0} can use Notion: {1} tools of {2}. Restart {3} to see them.',
            comment: ['{0} and {3} are names of agents, {1} is a number, {2} the name of a workspace.'],
            args: [...args, agentNames(toRestart)],
          }),
    // Without a button the editor would show only the beginning.
    actions: ['manageAccounts'],
  };
}

/** Tells that the bridge of an agent has no tools. */
export function notReachedMessage(agent: string): Message {
  return {
    sentence: l10n.t(
      '{0} was not connected, because a test could not reach Notion’s tools. Nothing was changed; test the connection.',
      agentName(agent),
    ),
    actions: ['testConnection', 'tryAgain', 'showLog'],
  };
}

/** Tells why agents cannot be connected from here. */
export function notPossibleMessage(reason: 'web' | 'sandboxed' | 'notInstalled', editor: DisplayText): Message {
  switch (reason) {
    case 'web':
      return {
        sentence: l10n.t('Agents can be connected where {0} runs on a computer, not in a browser alone.', editor),
        actions: ['showExtension'],
      };
    case 'sandboxed':
      return {
        sentence: l10n.t(
          'Agents cannot be connected, because programs outside of this kind of installation cannot start {0}. Install {0} from its maker’s page or as a system package.',
          editor,
        ),
        actions: ['showLog'],
      };
    case 'notInstalled':
      return {
        sentence: l10n.t('Agents cannot be connected, because a file could not be written. Check the log.'),
        actions: ['tryAgain', 'showLog'],
      };
  }
}

/** Tells why a server is still in an agent's configuration. The agent may no longer use the account in any case. */
export function notRemovedMessage(kind: ConfigurationProblemKind, { agent, name, path }: AgentConnection): Message {
  return kind === 'readOnly' || kind === 'changedMeanwhile'
    ? configurationMessage(kind, agent, path)
    : {
        sentence: l10n.t({
          message:
            '{0} may no longer use this account, but {1} could not be changed. Remove the server {2} from it yourself.',
          comment: ['{0} is the name of an agent, {1} the path of a file, {2} the name of a server.'],
          args: [agentName(agent), pathName(path), displayText(name, longestHandle)],
        }),
        actions: ['tryAgain', 'openFile', 'showLog'],
      };
}

/** Tells why an agent's configuration was not changed. */
export function configurationMessage(kind: ConfigurationProblemKind, agent: string, path: string): Message {
  const name = agentName(agent);
  const file = pathName(path);
  switch (kind) {
    case 'readOnly':
      return {
        sentence: l10n.t('{1} is read-only, so {0} was not changed. Make it writable and try again.', name, file),
        actions: ['tryAgain', 'openFile', 'copyConfiguration'],
      };
    case 'changedMeanwhile':
      return {
        sentence: l10n.t('Another program is changing {1}, so {0} was not changed. Try again.', name, file),
        actions: ['tryAgain', 'copyConfiguration'],
      };
    case 'commandFailed':
      return {
        sentence: l10n.t('{0} did not take the change. Try again, or add the server yourself.', name),
        actions: ['tryAgain', 'copyConfiguration', 'showLog'],
      };
    case 'invalid':
      return {
        sentence: l10n.t(
          '{1} has a mistake in its format, so {0} was not changed. Correct the file and try again.',
          name,
          file,
        ),
        actions: ['openFile', 'tryAgain', 'copyConfiguration'],
      };
    case 'unreadable':
      return {
        sentence: l10n.t(
          '{1} is not in a form that can be changed safely, so {0} was not changed. Copy the configuration and paste it yourself.',
          name,
          file,
        ),
        actions: ['copyConfiguration', 'openFile'],
      };
    case 'notAFile':
    case 'ofAnotherUser':
    case 'tooLarge':
      return {
        sentence: l10n.t(
          '{1} is not an ordinary file of yours, so {0} was not changed. Copy the configuration and paste it yourself.',
          name,
          file,
        ),
        actions: ['copyConfiguration'],
      };
  }
}
