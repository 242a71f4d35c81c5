import { type EventEmitter, type ExtensionContext, env, window } from 'vscode';
import { createAgents } from '#agents';
import { ownAddresses } from '#platform/addresses';
import { files } from '#platform/files';
import { createPlatformHttp, createTransport, lookup } from '#platform/transport';
import { Accounts } from './accounts/accounts.ts';
import type { Account } from './accounts/registry.ts';
import type { BridgeCommand } from './agents/bridgeCommand.ts';
import { callConsent } from './agents/callConsent.ts';
import type { CallAccounts } from './calls/accountCall.ts';
import { accountHttp } from './calls/accountHttp.ts';
import type { NotionClient } from './client/client.ts';
import { systemClock as clock } from './core/clock.ts';
import type { Log } from './core/log.ts';
import { systemRandomness as randomness } from './core/random.ts';
import { type ConnectionReport, checkConnection, checkServer } from './diagnostics/connectionTest.ts';
import { logConnection } from './diagnostics/logConnection.ts';
import { SignInHistory } from './diagnostics/signInHistory.ts';
import { AgentConsent } from './editor/agentConsent.ts';
import { callbackReceiver } from './editor/callbackReceiver.ts';
import { clientLoader } from './editor/clientLoader.ts';
import { diagnostics } from './editor/collectDiagnostics.ts';
import { type CommandTable, commandTable } from './editor/commandTable.ts';
import { configuredServerUrl } from './editor/configuredServer.ts';
import { ContextKeys } from './editor/contextKeys.ts';
import { cursorServers } from './editor/cursorServers.ts';
import { clientIssuersIn, signInAttemptsIn, usageIn } from './editor/globalState.ts';
import type { McpDefinitions } from './editor/mcpServers.ts';
import { callbackMessage } from './editor/messages/callback.ts';
import { problemSentence } from './editor/messages/callProblem.ts';
import { serverChangedMessage } from './editor/messages/failure.ts';
import { showNote } from './editor/messages/show.ts';
import { isFetchSupported, onNetworkSettingsChange } from './editor/networkSettings.ts';
import { channelOpener, hostEnvironment, secretsHome } from './editor/openChannel.ts';
import type { NotionAuthenticationProvider } from './editor/provider.ts';
import { ReadOnlyDocuments } from './editor/readOnlyDocuments.ts';
import { gatewayReminders, SignInReminder, warnOfStorageProblems } from './editor/reminders.ts';
import { ServerUrlNotice } from './editor/serverUrlNotice.ts';
import { configuredClientId, defaultServerUrl, offersMcpServer } from './editor/settings.ts';
import { openBrowser, SignInFlow } from './editor/signInFlow.ts';
import type { RunningGateway } from './gateway/contract.ts';
import type { Grant } from './grants/grant.ts';
import { type Http, withLogging } from './http/client.ts';
import { NetworkWatch } from './http/networkWatch.ts';
import { readIdentity } from './notion/identity.ts';
import { mcpRequest } from './notion/mcpClient.ts';
import { createGrantRequests } from './renewal/grantRequests.ts';
import { AnnouncedSignIns } from './signIn/announcedSignIns.ts';
import { orderChannels } from './signIn/channels.ts';
import { PendingSignIns } from './signIn/pending.ts';
import { SignIn } from './signIn/signIn.ts';
import { StepUps } from './signIn/stepUps.ts';
import { journalDirectory } from './storage/journalFiles.ts';

/** Re-exported for `extension.ts`, which loads them only after a failure, so that the activation bundle stays small. */
export { notRenewedError } from './editor/messages/notRenewed.ts';
export { showFailure } from './editor/messages/show.ts';
export { warnNotRevoked } from './editor/signOutCommand.ts';

/** What provider calls, commands and callbacks need. Created once per window, on first use. */
export interface Container {
  accounts: Accounts;
  signInFlow: SignInFlow;
  /** Asks the MCP server, at most once a minute, whether the grant's token lacks scopes. Never rejects. */
  lacksScopes(grant: Grant): Promise<boolean>;
  /** The implementation of each command, by the part of its name after the dot. */
  commands: CommandTable;
  /** Handles the query of a callback from the browser. */
  receive(query: string): Promise<void>;
  /** Serves other extensions; loaded on first use. */
  client(): Promise<NotionClient>;
  /** The gateway for MCP callers, opened on first use; undefined on a host that cannot listen. */
  gateway(): Promise<RunningGateway | undefined>;
  /** The grants that are offered in chat while anything is. */
  offeredGrants(): Grant[];
  /** Installs the bridge on first use; undefined where it cannot be installed or started. */
  bridgeCommand(): Promise<BridgeCommand | undefined>;
  serverUrlChanged(): void;
  /** To be called when the user focuses this window. */
  focused(): Promise<void>;
  /** To be called when the user offers MCP servers to chat, or no longer. */
  offerChanged(): void;
  dispose(): Promise<void>;
}

/** What is notified of changes in the accounts. */
export interface Listeners {
  provider: NotionAuthenticationProvider;
  definitions: McpDefinitions;
  /** Emits the event that other extensions receive. */
  accountChanges: EventEmitter<void>;
}

/** Creates the components and wires them. Resolves once the accounts are loaded; no call is served before that. */
export async function createContainer(
  context: ExtensionContext,
  log: Log,
  { provider, definitions, accountChanges }: Listeners,
): Promise<Container> {
  const version = String(context.extension.packageJSON.version);
  const userAgent = `notion-mcp-auth/${version}`;
  const http = createPlatformHttp({ userAgent });
  const network = new NetworkWatch({ clock, addresses: ownAddresses });
  const transport = createTransport({ network, usesHostSockets: isFetchSupported });
  /** For MCP servers, while `http` is for authorization servers. */
  const mcpHttp = createPlatformHttp({ userAgent, transport });
  const networkSettings = onNetworkSettingsChange(() => transport.reset());
  const stepUps = new StepUps(clock);
  const olderOrigins = new Set<string>();
  const requests = createGrantRequests(http, clock);
  const directory = journalDirectory(context.globalStorageUri.fsPath);
  const accounts = new Accounts({
    secrets: context.secrets,
    files,
    directory,
    requests: {
      ...requests,
      identify: (grant, operationLog) => stepUps.learnFrom(grant.id, () => requests.identify(grant, operationLog)),
    },
    identify: ({ id, serverUrl }, operationLog) => {
      const httpOfAccount = accountHttp({ accounts, clock }, id, withLogging(mcpHttp, operationLog, clock));
      return stepUps.learnFrom(id, () => readIdentity(httpOfAccount, new URL(serverUrl), { olderOrigins }));
    },
    clock,
    randomness,
    log,
    // The extension host starts together with its window.
    openedAtMs: performance.timeOrigin,
    usage: usageIn(context.globalState),
    serverUrl: configuredServerUrl(),
  });
  const isUsable = ({ state }: Account): boolean => state !== 'dormant' && state !== 'readOnly';
  const offerableGrants = () => accounts.list().filter(isUsable).map(grantOf);
  let opening: Promise<RunningGateway | undefined> | undefined;
  const agents = createAgents({
    ...{ directory, clock, randomness, log },
    bridgeFile: context.asAbsolutePath('dist/bridge.cjs'),
    editor: env.appName,
    host: hostEnvironment(context.extension),
    registry: cursorServers(),
    accounts: offerableGrants,
    isOffered: offersMcpServer,
    keys: () => accounts.journalKeys,
    gateway: () => gateway(),
  });
  const contextKeys = new ContextKeys();
  const updateKeys = () => contextKeys.update(accounts.list(), agents?.consent);
  const offerChanged = (): void => {
    updateKeys();
    agents?.update();
    void definitions.refresh();
    opening?.then((opened) => opened?.endForbiddenCalls()).catch(() => undefined);
  };
  accounts.onDidChange((change) => {
    provider.announce(change);
    offerChanged();
    accountChanges.fire();
    void agents?.forget(change.removed.map(grantOf), accounts.list().map(grantOf)).catch(() => undefined);
  });
  await accounts.load();
  await agents?.consent.load();
  agents?.consent.onDidChange(offerChanged);
  updateKeys();
  agents?.update();
  warnOfStorageProblems(accounts.problems, { memory: context.globalState, home: secretsHome() });
  const pending = new PendingSignIns(log, files && new AnnouncedSignIns({ files, directory, clock }));
  const signIn = new SignIn({
    ...{ http, lookup, accounts, pending, openBrowser, defaultServerUrl, clock, randomness },
    channels: () => orderChannels(hostEnvironment(context.extension)),
    openChannel: channelOpener(context.extension, clock, randomness),
    configuredClient: () => {
      const clientId = configuredClientId();
      return clientId === undefined ? undefined : { clientId };
    },
    clientIssuers: clientIssuersIn(context.globalState),
    clientName: `${env.appName} (Notion MCP Authentication)`,
  });
  const memory = context.globalState;
  const history = new SignInHistory(signInAttemptsIn(memory), clock);
  const hasUnusedAgents = async () => (await (await agents?.connections())?.hasUnused()) ?? false;
  const flowParts = { signIn, accounts, stepUps, history, hasUnusedAgents, clock, randomness, log };
  const signInFlow = new SignInFlow(flowParts);
  const reconnect = (account: Account) => signInFlow.reconnectIfNeeded(account);
  const reminder = new SignInReminder({ accounts, memory: context.globalState, reconnect });
  reminder.show();
  const agentConsent =
    agents &&
    new AgentConsent({ consent: agents.consent, accounts, isFocused: () => window.state.focused, clock, log });
  void agentConsent?.askNext();
  const serverUrlNotice = new ServerUrlNotice({
    accounts,
    clock,
    isFocused: () => window.state.focused,
    show: (labels) => void showNote(serverChangedMessage(labels)),
  });
  const tested = async (
    account: Grant | undefined,
    test: (testHttp: Http) => Promise<ConnectionReport>,
  ): Promise<ConnectionReport> => {
    const testLog = log.operation('test', randomness);
    const report = await test(withLogging(account === undefined ? http : mcpHttp, testLog, clock));
    logConnection(testLog, report, account);
    return report;
  };
  const checkThrough =
    (callAccounts: CallAccounts) =>
    ({ grant }: Account, signal: AbortSignal) =>
      tested(grant, (testHttp) => checkConnection(grant, { http: testHttp, accounts: callAccounts, clock, signal }));
  const documents = new ReadOnlyDocuments();
  const { extension } = context;
  const parts = {
    ...{ accounts, signInFlow, reminder, agents, consent: agents?.consent, documents, extension, clock, log },
    // Test Connection renews a rejected token and learns an unknown identity, as any other call does. A diagnostics
    // report must not change anything.
    check: async (account: Account, signal: AbortSignal) => {
      const report = await checkThrough(accounts)(account, signal);
      for (const { failure } of report.checks) {
        stepUps.learn(account.grant.id, failure);
      }
      if (report.identity !== undefined) {
        void accounts.applyIdentity(account.grant.id, report.identity);
      }
      return report;
    },
    diagnostics: (signal: AbortSignal) =>
      diagnostics(
        {
          ...{ extension, accounts, consent: agents?.consent, history, accountNumbers: log.accountNumbers, clock },
          check: checkThrough({ fresh: (id, waitMs) => accounts.fresh(id, waitMs) }),
          checkServer: (url, checkSignal) =>
            tested(undefined, (testHttp) => checkServer(url, { http: testHttp, clock, signal: checkSignal })),
        },
        signal,
      ),
  };
  const gateway = (): Promise<RunningGateway | undefined> => {
    opening ??= import('#gateway')
      .then(({ openGateway }) =>
        openGateway({
          accounts: {
            find: (id) => accounts.find(id)?.grant,
            fresh: (id, waitMs) => accounts.fresh(id, waitMs),
            renew: (id, reason) => accounts.renew(id, reason),
          },
          ...{ transport, network },
          ...callConsent(agents?.consent, (id) => accounts.find(id)?.grant.serverNames?.handle, updateKeys),
          sentence: problemSentence,
          reminders: gatewayReminders({ accounts, reconnect, reminder, stepUps }),
          scopesDemanded: (id, scopes) => stepUps.demand(id, scopes),
          ...{ clock, randomness, log },
        }),
      )
      .catch((error: unknown) => {
        opening = undefined;
        throw error;
      });
    return opening;
  };
  return {
    accounts,
    signInFlow,
    lacksScopes: ({ id, serverUrl }) => {
      const httpOfAccount = accountHttp({ accounts, clock }, id, mcpHttp);
      return stepUps.probe(id, () => mcpRequest(httpOfAccount, new URL(serverUrl), 'tools/list', {}, { olderOrigins }));
    },
    commands: commandTable(parts),
    receive: callbackReceiver(pending, (...result) => void showNote(callbackMessage(...result))),
    offeredGrants: () =>
      offerableGrants().filter(({ serverNames }) => serverNames && agents?.consent.isOffered(serverNames.handle)),
    bridgeCommand: async () => agents?.bridgeCommand(),
    serverUrlChanged: () => {
      accounts.setServerUrl(configuredServerUrl());
      serverUrlNotice.changed();
    },
    focused: async () => {
      // Another window may have connected this editor.
      agents?.update();
      void agentConsent?.askNext();
      await accounts.wakeUp();
    },
    offerChanged,
    client: clientLoader({ ...{ accounts, stepUps, http: mcpHttp, olderOrigins }, ...{ clock, randomness, log } }),
    gateway,
    dispose: async () => {
      for (const each of [reminder, serverUrlNotice, documents, networkSettings]) {
        each.dispose();
      }
      await Promise.all([
        ...[accounts.dispose(), agents?.close(), transport.close()],
        opening?.then((opened) => opened?.close()).catch(() => undefined),
      ]);
    },
  };
}

const grantOf = ({ grant }: Account): Grant => grant;
