import assert from 'node:assert/strict';
import type { BridgeCommand } from '../../../../src/agents/bridgeCommand.ts';
import type { ServerRegistry } from '../../../../src/agents/configuration/contract.ts';

/**
 * Stands in for Cursor, which cannot be run here. It has what cursor.com/docs/extension-api documents: servers are
 * registered and unregistered by their unique names, nothing is returned, and no list of them can be read.
 */
export class DocumentedCursor implements ServerRegistry {
  readonly agent = 'cursor';
  readonly servers = new Map<string, BridgeCommand>();
  /** Each call, with the name of the server. */
  readonly calls: string[] = [];
  refuses = false;
  readonly #called = Promise.withResolvers<void>();
  /** Resolves once a server is registered for the first time. */
  readonly called = this.#called.promise;

  register(name: string, launch: BridgeCommand): void {
    this.calls.push(`register ${name}`);
    this.#called.resolve();
    assert.ok(!this.refuses, 'refused');
    assert.ok(!this.servers.has(name), 'names are unique');
    this.servers.set(name, launch);
  }

  unregister(name: string): void {
    this.calls.push(`unregister ${name}`);
    this.servers.delete(name);
  }
}
