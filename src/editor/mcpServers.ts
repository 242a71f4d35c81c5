import { EventEmitter, l10n, McpHttpServerDefinition, type McpServerDefinitionProvider, Uri } from 'vscode';
import type { Log } from '../core/log.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { Grant } from '../grants/grant.ts';
import { serverLabels } from '../grants/names.ts';

export interface DefinitionsParts {
  /** The grants whose servers may be offered, once they are loaded. Never waits for the network. */
  grants: () => Promise<Grant[]>;
  /** Whether the person wants them offered. */
  isOffered: () => boolean;
  /** The gateway, listening; undefined where nothing can listen. */
  gateway: () => Promise<Gateway | undefined>;
  log: Log;
}

/**
 * One MCP server an account, for chat and agents. What is provided is stored in clear by the editor, so it has neither
 * secret nor port; both come with `resolve`, when a server is about to start.
 */
export class McpDefinitions implements McpServerDefinitionProvider<McpHttpServerDefinition> {
  readonly #parts: DefinitionsParts;
  readonly #changes = new EventEmitter<void>();
  readonly onDidChangeMcpServerDefinitions = this.#changes.event;
  #provided: string | undefined;

  constructor(parts: DefinitionsParts) {
    this.#parts = parts;
  }

  async provideMcpServerDefinitions(): Promise<McpHttpServerDefinition[]> {
    const labels = await this.#labels();
    this.#provided = keyOf(labels);
    return [...labels].map(
      ([id, label]) => new McpHttpServerDefinition(label, Uri.parse(`http://127.0.0.1/${id}/mcp`)),
    );
  }

  /** @throws Error when the account was signed out meanwhile */
  async resolveMcpServerDefinition({ label }: McpHttpServerDefinition): Promise<McpHttpServerDefinition> {
    const [id] = [...(await this.#labels())].find(([, each]) => each === label) ?? [];
    const gateway = id === undefined ? undefined : await this.#parts.gateway();
    if (id === undefined || gateway === undefined) {
      throw new Error(
        l10n.t('This Notion account is no longer signed in. Run “Notion MCP: Sign In”, then start the server again.'),
      );
    }
    const headers = { Authorization: `Bearer ${gateway.secretFor(id).reveal()}` };
    // A new one: the editor keeps the one that was handed in.
    return new McpHttpServerDefinition(label, Uri.parse(gateway.urlFor(id)), headers);
  }

  /** Tells the editor if what is offered differs from what it was given last; a renewal changes nothing. */
  async refresh(): Promise<void> {
    if (this.#provided !== undefined && keyOf(await this.#labels()) !== this.#provided) {
      this.#parts.log.debug('The MCP servers that are offered changed.');
      this.#changes.fire();
    }
  }

  dispose(): void {
    this.#changes.dispose();
  }

  async #labels(): Promise<Map<string, string>> {
    return this.#parts.isOffered() ? serverLabels(await this.#parts.grants()) : new Map();
  }
}

function keyOf(labels: ReadonlyMap<string, string>): string {
  return JSON.stringify([...labels].sort());
}
