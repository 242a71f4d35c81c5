// node test/agents/install.mjs: installs the agents that the tests run, unless they are installed: Claude and Codex for
// the editor's chat, and those of terminals.
import { join } from 'node:path';
import { newestHost } from '../editor/host/hosts.mjs';
import { installOnce, npm } from '../editor/host/install.mjs';
import { programsFolder, sdkFolder } from './folders.mjs';

await install(sdkFolder, 'Claude and Codex (820 MB, once)', [
  '@anthropic-ai/claude-agent-sdk/sdk.mjs',
  '@openai/codex/package.json',
]);
await install(programsFolder, 'Claude Code, Copilot CLI, Gemini CLI and opencode (1.1 GB, once)', [
  '@anthropic-ai/claude-code/package.json',
  '@github/copilot/package.json',
  '@google/gemini-cli/package.json',
  'opencode-linux-x64/package.json',
]);

async function install(folder, title, products) {
  const paths = products.map((name) => join(folder, 'node_modules', name));
  await installOnce(folder, '.installed', paths, async () => {
    console.log(`Installing ${title} …`);
    await npm(newestHost, folder, ['ci', '--ignore-scripts']);
  });
}
