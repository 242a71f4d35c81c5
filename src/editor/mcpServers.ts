import {
  EventEmitter,
  McpHttpServerDefinition,
  type McpServerDefinition,
  type McpServerDefinitionProvider,
  McpStdioServerDefinition,
  Uri,
} from 'vscode';
import type { BridgeCommand } from '../agents/bridgeCommand.ts';
import type { Log } from '../core/log.ts';
import type { RunningGateway } from '../gateway/contract.ts';
import type { Grant } from '../grants/grant.ts';
import { l10n } from './messages/l10n.ts';

export interface DefinitionsParts {
  /** Resolves to the grants that are offered in chat while anything is, once loaded. Never waits for the network. */
  grants: () => Promise<Grant[]>;
  /** Whether the user wants MCP servers to be offered at all. */
  isOffered: () => boolean;
  /** Resolves to the listening gateway; undefined on a host that cannot listen. */
  gateway: () => Promise<RunningGateway | undefined>;
  /** Resolves to how the bridge is started; undefined where it cannot be. */
  bridgeCommand: () => Promise<BridgeCommand | undefined>;
  log: Log;
}

/**
 * Offers one MCP server per account to chat and agents. The editor's agent hosts use a definition as it is provided, and
 * store it in plain text; so it starts the bridge, and contains nothing secret and nothing that changes. The editor's
 * own chat resolves it first, and then uses the gateway directly.
 */
export class McpDefinitions implements McpServerDefinitionProvider<McpServerDefinition> {
  readonly #parts: DefinitionsParts;
  readonly #changes = new EventEmitter<void>();
  readonly onDidChangeMcpServerDefinitions = this.#changes.event;
  #provided: string | undefined;

  constructor(parts: DefinitionsParts) {
    this.#parts = parts;
  }

  async provideMcpServerDefinitions(): Promise<McpServerDefinition[]> {
    const labels = await this.#labels();
    this.#provided = keyOf(labels);
    const bridge = labels.size === 0 ? undefined : await this.#parts.bridgeCommand();
    return [...labels].map(([id, label]) =>
      bridge === undefined
        ? new McpHttpServerDefinition(label, Uri.parse(`http://127.0.0.1/${id}/mcp`))
        : new McpStdioServerDefinition(
            label,
            bridge.command,
            [...bridge.args, '--account', label, '--agent', 'editor'],
            bridge.env,
          ),
    );
  }

  /** @throws Error if the account has been signed out in the meantime, or is not offered any more */
  async resolveMcpServerDefinition({ label }: McpServerDefinition): Promise<McpHttpServerDefinition> {
    const [id] = [...(await this.#labels())].find(([, offered]) => offered === label) ?? [];
    const gateway = id === undefined ? undefined : await this.#parts.gateway();
    if (id === undefined || gateway === undefined) {
      throw new Error(
        l10n.t(
          'This Notion account is no longer signed in, or not offered in chat. Check it in “Notion MCP: Manage Accounts”, then start the server again.',
        ),
      );
    }
    const headers = { Authorization: `Bearer ${gateway.secretFor(id).reveal()}` };
    // A new definition, because the editor stores the one that it passed in.
    return new McpHttpServerDefinition(label, Uri.parse(gateway.urlFor(id)), headers);
  }

  /** Notifies the editor if the offered servers differ from those that it was last given; a renewal changes nothing. */
  async refresh(): Promise<void> {
    if (this.#provided !== undefined && keyOf(await this.#labels()) !== this.#provided) {
      this.#parts.log.debug('The offered MCP servers changed.');
      this.#changes.fire();
    }
  }

  dispose(): void {
    this.#changes.dispose();
  }

  async #labels(): Promise<Map<string, string>> {
    const grants = this.#parts.isOffered() ? await this.#parts.grants() : [];
    return new Map(grants.flatMap(({ id, serverNames }) => (serverNames ? [[id, serverNames.handle]] : [])));
  }
}

function keyOf(labels: ReadonlyMap<string, string>): string {
  return JSON.stringify([...labels].sort());
}
