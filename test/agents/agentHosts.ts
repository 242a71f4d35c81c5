import { allow, beginSignIn, type Identity } from '../e2e/signIn.ts';
import { type Testbed, type TestbedOptions, useTestbed } from '../e2e/testbed.ts';
import { startNotionServer } from '../notion/server.ts';
import { AgentChat } from './agentChat.ts';
import { AgentHome } from './agentHome.ts';
import { sdkFolder } from './folders.mjs';
import { ModelApis } from './modelApis.ts';

/** A testbed whose editor runs agents in chat; their models follow the test's scripts. */
export interface AgentTestbed extends Testbed {
  home: AgentHome;
  chat: AgentChat;
}

/** Starts a testbed with agents for the calling `describe`, without a sign-in at GitHub, Anthropic or OpenAI. */
export async function useAgentTestbed(): Promise<AgentTestbed> {
  const home = await AgentHome.create();
  const models = await ModelApis.start();
  // Codex calls the tools that change nothing without a permission. Its dialog does not always open in a headless browser.
  const notion = await startNotionServer({ version: 'today', profile: { readOnlyHints: true } });
  const testbed = await useTestbed({
    ...{ notion, ...agentOptions(home, models) },
    cleanup: async () => {
      await models.close();
      await home.close();
    },
  });
  return { ...testbed, home, chat: new AgentChat(testbed, models) };
}

function agentOptions({ environment }: AgentHome, models: ModelApis): TestbedOptions {
  return {
    hasAgentHost: true,
    settings: {
      'chat.allowAnonymousAccess': true,
      'chat.editor.codex.preferAgentHost': true,
      'chat.agentHost.codexAgent.enabled': true,
      'chat.agentHost.codexAgent.sdkRoot': sdkFolder,
      'chat.agentHost.githubMcpServer.enabled': false,
      'chat.agentHost.unsafeTestToken': 'none',
      'chat.tools.global.autoApprove': true,
      'github.copilot.advanced.debug.overrideProxyUrl': models.url,
    },
    environment: {
      ...environment,
      COPILOT_API_URL: models.url,
      COPILOT_DEBUG_GITHUB_API_URL: models.url,
      GITHUB_COPILOT_API_TOKEN: 'none',
      GITHUB_PAT: 'none',
      IS_SCENARIO_AUTOMATION: '1',
      VSCODE_AGENT_HOST_CAPI_URL_OVERRIDE: models.url,
      VSCODE_AGENT_HOST_CLAUDE_SDK_ROOT: sdkFolder,
      VSCODE_AGENT_HOST_CODEX_AGENT_ENABLED: 'true',
      VSCODE_AGENT_HOST_CODEX_SDK_ROOT: sdkFolder,
    },
  };
}

/** Signs in without waiting for a notification, which this editor does not show. */
export async function signIn({ window, consumer }: AgentTestbed, identity?: Identity): Promise<void> {
  const { sessionChanges } = await consumer.history();
  const tab = await beginSignIn(window);
  await allow(tab, identity);
  await consumer.waitForSessionChangesBeyond(sessionChanges);
  await tab.close();
}

/** Signs an account out; without a label the only one. */
export async function signOut({ window, consumer }: AgentTestbed, label?: string): Promise<void> {
  const { sessionChanges } = await consumer.history();
  await window.runCommand('Notion MCP: Sign Out');
  if (label !== undefined) {
    await window.quickInput.choose(label);
  }
  await window.dialog.click('Sign Out');
  await consumer.waitForSessionChangesBeyond(sessionChanges);
}
