import { ExtensionKind, env } from 'vscode';
import { needsUser } from '../accounts/accountState.ts';
import type { Account } from '../accounts/registry.ts';
import { agentName, knownAgents } from '../agents/agentNames.ts';
import type { BridgeCommand } from '../agents/bridgeCommand.ts';
import type { AgentConnector, ConnectionPlan, ReplaceableServer } from '../agents/configuration/contract.ts';
import { ConfigurationProblem } from '../agents/configuration/problem.ts';
import type { Agents } from '../agents/contract.ts';
import { type DisplayText, display, displayLines, displayText } from '../core/displayText.ts';
import { errorInfo } from '../core/errorInfo.ts';
import { displayNames } from '../notion/identity.ts';
import { type CommandParts, pickAccount } from './commands.ts';
import { stoppedWaiting } from './delayedProgress.ts';
import {
  agentNames,
  configurationMessage,
  connectedMessage,
  notPossibleMessage,
  notReachedMessage,
} from './messages/agentConnection.ts';
import { needsSignInSentence } from './messages/failure.ts';
import { l10n } from './messages/l10n.ts';
import { accountName, editorName } from './messages/names.ts';
import { type Choice, pick, pickSeveral } from './messages/quickPick.ts';
import { openFile, reportUnexpected, showFailure, showNote, showWarning } from './messages/show.ts';
import { previewConnections } from './previewConnections.ts';
import { withProgress } from './progress.ts';

/** For an agent that is not in the catalogue; the user is asked at its first call. */
const anotherAgent = 'another-agent';
const longestLine = 1_000;

interface AgentChoice extends Choice {
  agent: string;
}

/** What all steps of one connection need. */
interface Steps extends CommandParts {
  agents: Agents;
  connections: AgentConnector;
}

/** An account that has a server. */
interface Target {
  account: Account;
  handle: string;
  workspace: DisplayText;
}

/** `Notion MCP: Connect an Agent`: lets agents of this computer use an account, without a sign-in of their own. */
export async function connectAgent(parts: CommandParts, account?: Account): Promise<void> {
  const { agents } = parts;
  if (agents === undefined) {
    void showWarning(notPossibleMessage('web', editorName()));
    return;
  }
  const steps = { ...parts, agents, connections: await agents.connections() };
  const picked = await pickAgents(steps);
  const target = picked && (await pickTarget(steps, account));
  if (picked === undefined || target === undefined) {
    return;
  }
  if (picked.includes(anotherAgent)) {
    await copyConfiguration(steps, target, anotherAgent);
  } else {
    await connect(steps, picked, target);
  }
}

async function pickAgents({ connections, extension }: Steps): Promise<string[] | undefined> {
  const isBesideRemote = extension.extensionKind === ExtensionKind.UI && env.remoteName !== undefined;
  const [found, connected] = await Promise.all([connections.found(), connections.connected()]);
  const choices = found.map((agent) => {
    const isConnected = connected.some((connection) => connection.agent === agent);
    return {
      ...{ agent, label: agentName(agent), isChecked: !isConnected },
      ...(isConnected && { description: l10n.t({ message: 'connected', comment: ['An agent can use an account.'] }) }),
    };
  });
  const copy: AgentChoice = {
    agent: anotherAgent,
    label: l10n.t('Copy Configuration'),
    description: l10n.t('for another agent'),
  };
  const help = isBesideRemote
    ? l10n.t({
        message: 'For agents of the remote computer, install this extension there; {0} decides where it runs',
        comment: ['{0} is the name of a setting, remote.extensionKind.'],
        args: [displayText('remote.extensionKind', 40)],
      })
    : l10n.t('Choose agents');
  const title = isBesideRemote
    ? l10n.t('Connect agents of your own computer to Notion')
    : l10n.t('Connect agents to Notion');
  if (found.length === 0) {
    const detail = l10n.t({
      message: 'Looked for {0}.',
      comment: ['{0} is a list of agents, such as Claude Code and Codex, none of which was found.'],
      args: [agentNames(knownAgents)],
    });
    const placeHolder = l10n.t('No agent was found on this computer.');
    const only = await pick([{ ...copy, detail }], { title, placeHolder });
    return only && [only.agent];
  }
  const picked = await pickSeveral(choices, copy, { title, placeHolder: help });
  return picked?.map(({ agent }) => agent);
}

async function pickTarget(parts: Steps, asked: Account | undefined): Promise<Target | undefined> {
  const account = asked ?? (await pickAccount(parts.accounts, l10n.t('Connect to which account?')));
  if (account === undefined) {
    return undefined;
  }
  const { grant, state } = account;
  if (needsUser(state)) {
    const reconnect = () => void parts.signInFlow.reconnectIfNeeded(account);
    void showWarning({ sentence: needsSignInSentence(grant), actions: ['reconnect'] }, { reconnect });
    return undefined;
  }
  const handle = grant.serverNames?.handle;
  if (handle === undefined || grant.identity === undefined) {
    const sentence = l10n.t('It is not known yet which workspace {0} is for. Test the connection.', accountName(grant));
    void showWarning({ sentence, actions: ['testConnection'] });
    return undefined;
  }
  return { account, handle, workspace: displayNames(grant.identity).workspace || accountName(grant) };
}

/** Plans, shows what will change, and connects once the user has agreed. */
async function connect(steps: Steps, picked: readonly string[], target: Target): Promise<void> {
  const plans: ConnectionPlan[] = [];
  for (const agent of picked) {
    const launch = await launchFor(steps, agent, target);
    if (launch === undefined) {
      return;
    }
    plans.push(...(await planFor(steps, agent, target, launch)));
  }
  if (plans.length === 0 || !(await previewConnections(steps.documents, plans, target.workspace))) {
    return;
  }
  const names = agentNames(plans.map(agentOf));
  const work = async () => {
    const results = [];
    for (const plan of plans) {
      results.push({ plan, tools: await connectOne(steps, plan, target) });
    }
    return results;
  };
  // What is begun is finished: a stop would leave agents between two states.
  const results = await withProgress(steps.clock, l10n.t('Connecting {0}…', names), work);
  if (results === stoppedWaiting) {
    void showNote({ sentence: l10n.t('Still connecting {0} in the background.', names), actions: ['showLog'] });
    return;
  }
  const connected = results.filter(({ tools }) => tools !== undefined);
  const [first] = connected;
  if (first?.tools !== undefined) {
    const toRestart = connected.filter(({ plan }) => !plan.isRegistered);
    const agentsIn = (each: typeof connected) => each.map(({ plan }) => agentOf(plan));
    void showNote(connectedMessage(agentsIn(connected), agentsIn(toRestart), first.tools, target.workspace));
  }
}

/** @returns nothing if the agent cannot be connected, which was said, or the user does not want to */
async function planFor(steps: Steps, agent: string, target: Target, launch: BridgeCommand): Promise<ConnectionPlan[]> {
  const { connections } = steps;
  const request = { handle: target.handle, launch };
  try {
    const state = await connections.inspect(agent);
    const replaceable = connections.replaceable(state, request);
    const replace = replaceable.length === 0 ? [] : await askToReplace(agent, replaceable);
    return replace === undefined ? [] : [connections.plan(state, request, replace)];
  } catch (error) {
    await reportProblem(steps, error, agent, target);
    return [];
  }
}

/** @returns undefined if no agent can be connected, which was said */
async function launchFor(steps: Steps, agent: string, target: Target): Promise<BridgeCommand | undefined> {
  const launch = await steps.agents.launch(target.handle, agent);
  if (launch === undefined || launch === 'sandboxed') {
    const tryAgain = () => void reportUnexpected(steps.log, () => connectAgent(steps, target.account));
    void showFailure(notPossibleMessage(launch ?? 'notInstalled', editorName()), { tryAgain });
    return undefined;
  }
  return launch;
}

/** @returns the names of the servers to replace; undefined if the user closed the question */
async function askToReplace(
  agent: string,
  servers: readonly ReplaceableServer[],
): Promise<readonly string[] | undefined> {
  const names = servers.map(({ name }) => name);
  const list = displayText(names.join(', '), 100);
  const hasOwnSignIn = servers.some(({ kind }) => kind === 'notion');
  const picked = await pick(
    [
      {
        label: l10n.t('Replace {0}', list),
        detail: hasOwnSignIn
          ? l10n.t('Its own sign-in stays valid at Notion until you remove it in Notion’s settings.')
          : l10n.t({
              message: '{0} then uses the sign-in of {1}, and no longer that of another editor.',
              comment: ['{0} is the name of an agent such as Codex, {1} that of this editor.'],
              args: [agentName(agent), editorName()],
            }),
        replace: names,
      },
      { label: l10n.t('Keep {0}', list), detail: l10n.t('The agent then has Notion’s tools twice.'), replace: [] },
    ],
    {
      title: l10n.t('{0} already has a server of Notion', agentName(agent)),
      placeHolder: l10n.t('Choose what becomes of it'),
    },
  );
  return picked?.replace;
}

/**
 * Allows the agent, writes its configuration and starts what it will start.
 * @returns how many tools that has; undefined if the agent was not connected, which was said
 */
async function connectOne(steps: Steps, plan: ConnectionPlan, target: Target): Promise<number | undefined> {
  const { agents, connections, log } = steps;
  const { handle, name, launch, state } = plan;
  const agent = agentOf(plan);
  const connected = await connections.connected();
  const wasConnected = connected.some((each) => each.agent === agent && each.handle === handle);
  const undo = async (): Promise<void> => {
    if (!wasConnected) {
      await agents.consent.forget(handle, agent);
      await connections.disconnect({ agent, handle, name, path: state.file.path });
    }
  };
  await agents.consent.allow(handle, agent);
  try {
    await connections.connect(plan);
    const tools = await toolsOf(steps, agent, launch);
    if (tools > 0) {
      return tools;
    }
    await undo();
    const tryAgain = () => void reportUnexpected(log, () => connect(steps, [agent], target));
    void showFailure(notReachedMessage(agent), { tryAgain });
  } catch (error) {
    await undo().catch(() => undefined);
    await reportProblem(steps, error, agent, target);
  }
  return undefined;
}

/** Starts what an agent will start. @returns how many tools it has; 0 if it has none or cannot be reached */
async function toolsOf({ connections, log }: Steps, agent: string, launch: BridgeCommand): Promise<number> {
  try {
    return await connections.tryLauncher(launch);
  } catch (error) {
    log.warn('The bridge of an agent could not be tried.', { agent, ...errorInfo(error) });
    return 0;
  }
}

async function reportProblem(steps: Steps, error: unknown, agent: string, target: Target): Promise<void> {
  if (!(error instanceof ConfigurationProblem)) {
    throw error;
  }
  steps.log.warn('An agent’s configuration was not changed.', { agent, kind: error.kind });
  const path = await steps.connections.pathOf(agent);
  void showFailure(configurationMessage(error.kind, agent, path), {
    tryAgain: () => void reportUnexpected(steps.log, () => connect(steps, [agent], target)),
    copyConfiguration: () => void reportUnexpected(steps.log, () => copyConfiguration(steps, target, agent)),
    openFile: () => openFile(path),
  });
}

/** Copies what an agent needs, in its own format or in the one that most agents have. */
async function copyConfiguration(steps: Steps, target: Target, agent: string): Promise<void> {
  const launch = await launchFor(steps, agent, target);
  if (launch === undefined) {
    return;
  }
  const text = steps.connections.configurationText(agent, { handle: target.handle, launch });
  await env.clipboard.writeText(text);
  const sentence = l10n.t(
    'Configuration copied. Paste it where the agent keeps its MCP servers; it contains no secrets.',
  );
  const name = display`${l10n.t('Notion configuration')}.txt`;
  const showDetails = () =>
    void reportUnexpected(steps.log, () => steps.documents.show(name, displayLines(text.trimEnd(), longestLine)));
  void showNote({ sentence, actions: ['showDetails'] }, { showDetails });
}

function agentOf({ state }: ConnectionPlan): string {
  return state.row.id;
}
