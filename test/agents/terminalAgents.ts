import { spawn } from 'node:child_process';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { newestHost } from '../editor/host/hosts.mjs';
import { programsFolder, sdkFolder } from './folders.mjs';

/** An agent of terminals, run without a sign-in against a model that follows a script. */
export interface TerminalAgent {
  /** As users see it. */
  name: string;
  program: string;
  /** Where npm puts it. Some packages link their program only in an install script. */
  path: string;
  /** The arguments that run one prompt without asking about tools. */
  run: (prompt: string) => string[];
  /** The arguments that list the servers and connect to each, if it has such a command. */
  list?: string[];
}

const modules = join(programsFolder, 'node_modules');
const model = 'gpt-5';

export const terminalAgents: readonly TerminalAgent[] = [
  {
    name: 'Claude Code',
    program: 'claude',
    path: join(modules, '@anthropic-ai/claude-code-linux-x64/claude'),
    run: (prompt) => ['-p', prompt, '--permission-mode', 'bypassPermissions'],
    list: ['mcp', 'list'],
  },
  {
    name: 'Codex',
    program: 'codex',
    path: join(sdkFolder, 'node_modules/.bin/codex'),
    run: (prompt) => ['exec', '--skip-git-repo-check', '--dangerously-bypass-approvals-and-sandbox', prompt],
  },
  {
    name: 'Gemini CLI',
    program: 'gemini',
    path: join(modules, '.bin/gemini'),
    // Without the name of a model, it asks another model for one first.
    run: (prompt) => ['-m', 'gemini-2.5-pro', '-p', prompt, '--yolo'],
  },
  {
    name: 'Copilot CLI',
    program: 'copilot',
    path: join(modules, '.bin/copilot'),
    run: (prompt) => ['-p', prompt, '--allow-all-tools'],
  },
  {
    name: 'opencode',
    program: 'opencode',
    path: join(modules, 'opencode-linux-x64/bin/opencode'),
    run: (prompt) => ['run', '--model', 'mock/m', prompt],
    list: ['mcp', 'list'],
  },
];

/** The search path of a terminal in which the agents are installed. */
export function searchPath(home: string): string {
  return [join(home, 'bin'), dirname(newestHost.node), '/usr/bin', '/bin'].join(':');
}

/** Installs the agents into a home, and gives them their models and what keeps them from leaving the machine. */
export async function installAgents(home: string, modelUrl: string): Promise<void> {
  await mkdir(join(home, 'bin'));
  for (const { program, path } of terminalAgents) {
    await symlink(path, join(home, 'bin', program));
  }
  for (const [path, text] of Object.entries(configurations(modelUrl))) {
    await mkdir(dirname(join(home, path)), { recursive: true });
    await writeFile(join(home, path), text);
  }
}

/** What users have in their configurations, by its path in the home. */
export function configurations(modelUrl: string): Record<string, string> {
  return {
    // Claude Code would offer tools only after a search for them.
    '.claude/settings.json': JSON.stringify({ env: { ENABLE_TOOL_SEARCH: 'false' } }),
    '.codex/config.toml': [
      `model = "${model}" # the scripted one`,
      'model_provider = "scripted"',
      '',
      '[model_providers.scripted]',
      'name = "Scripted"',
      `base_url = "${modelUrl}/v1"`,
      'wire_api = "responses"',
      'env_key = "SCRIPTED_KEY"',
      '',
    ].join('\n'),
    '.gemini/settings.json': `{
  // with a key
  "security": { "auth": { "selectedType": "gemini-api-key" } }
}
`,
    '.config/opencode/opencode.json': `{
  "$schema": "https://opencode.ai/config.json",
  "provider": {
    "mock": {
      "npm": "@ai-sdk/openai-compatible", // comes with opencode
      "options": { "baseURL": "${modelUrl}/v1", "apiKey": "none" },
      "models": { "m": { "name": "m" } }
    }
  }
}
`,
  };
}

export interface ProgramResult {
  code: number | null;
  output: string;
}

/** Runs an agent in its home, with the environment of a terminal. */
export async function runAgent(
  home: string,
  modelUrl: string,
  program: string,
  args: string[],
): Promise<ProgramResult> {
  const child = spawn(join(home, 'bin', program), args, {
    cwd: home,
    env: { ...agentEnvironment(home), ...modelEnvironment(modelUrl) },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 120_000,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data: Buffer) => {
      output += data.toString();
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  return { code, output };
}

/** What a terminal has, and what keeps agents from sending telemetry and from updating themselves. */
export function agentEnvironment(home: string): Record<string, string> {
  return {
    HOME: home,
    PATH: searchPath(home),
    // Claude Code refuses to run as root outside of a sandbox.
    IS_SANDBOX: '1',
    DISABLE_TELEMETRY: '1',
    DISABLE_AUTOUPDATER: '1',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    GEMINI_TELEMETRY_ENABLED: '0',
    // Gemini CLI starts no server in a folder that it does not trust.
    GEMINI_CLI_TRUST_WORKSPACE: 'true',
    COPILOT_AUTO_UPDATE: 'false',
    COPILOT_OFFLINE: 'true',
    OPENCODE_DISABLE_AUTOUPDATE: '1',
    OPENCODE_DISABLE_MODELS_FETCH: '1',
  };
}

function modelEnvironment(url: string): Record<string, string> {
  return {
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_API_KEY: 'none',
    SCRIPTED_KEY: 'none',
    GEMINI_API_KEY: 'none',
    GOOGLE_GEMINI_BASE_URL: url,
    COPILOT_PROVIDER_BASE_URL: url,
    COPILOT_PROVIDER_TYPE: 'openai',
    COPILOT_MODEL: model,
  };
}

/** The text of a configuration; undefined if there is no file. */
export function readConfiguration(home: string, path: string): Promise<string | undefined> {
  return readFile(join(home, path), 'utf8').catch(() => undefined);
}
