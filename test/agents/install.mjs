// node test/agents/install.mjs: installs Claude and Codex, which the editor runs in chat, unless they are installed.
import { join } from 'node:path';
import { newestHost } from '../editor/host/hosts.mjs';
import { installOnce, npm } from '../editor/host/install.mjs';
import { sdkFolder } from './sdkFolder.mjs';

const programs = ['@anthropic-ai/claude-agent-sdk/sdk.mjs', '@openai/codex/package.json'];

await installOnce(
  sdkFolder,
  '.installed',
  programs.map((name) => join(sdkFolder, 'node_modules', name)),
  async () => {
    console.log('Installing Claude and Codex (820 MB, once) …');
    await npm(newestHost, sdkFolder, ['ci', '--ignore-scripts']);
  },
);
