import { type DisplayText, displayText } from '../core/displayText.ts';
import { editorAgent } from '../gateway/contract.ts';

/** The names of products, by the ids that their configurations pass to the bridge. */
const names: ReadonlyMap<string, string> = new Map([
  ['claude-code', 'Claude Code'],
  ['codex', 'Codex'],
  ['gemini', 'Gemini CLI'],
  ['copilot', 'Copilot CLI'],
  ['opencode', 'opencode'],
  ['cursor', 'Cursor'],
  ['windsurf', 'Windsurf'],
]);

const longestId = 32;

/** The ids of the agents above. */
export const knownAgents: readonly string[] = [...names.keys()];

/** Whether an id is one of those above, and thus tells nothing that its user chose. */
export function isKnownAgent(agent: string): boolean {
  return agent === editorAgent || names.has(agent);
}

/** Whether a text can be the id of an agent. */
export function isAgentId(text: string): boolean {
  return /^[a-z0-9-]+$/.test(text) && text.length <= longestId;
}

/** The name of an agent for people; of one that is not known, its id. */
export function agentName(agent: string): DisplayText {
  return displayText(names.get(agent) ?? agent, longestId);
}
