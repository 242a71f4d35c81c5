import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import type { BridgeCommand } from '../../../../src/agents/bridgeCommand.ts';
import { catalogue } from '../../../../src/agents/catalogue.ts';
import { AgentConnections } from '../../../../src/agents/configuration/agentConnections.ts';
import type { CatalogueRow, Machine, ServerRegistry } from '../../../../src/agents/configuration/contract.ts';
import { planConnection } from '../../../../src/agents/configuration/plan.ts';
import { systemClock } from '../../../../src/core/clock.ts';
import { Log } from '../../../../src/core/log.ts';
import { systemRandomness } from '../../../../src/core/random.ts';
import { files, temporaryFolder } from '../listenerUnderTest.ts';

const log = new Log({ error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined });

interface HomeOptions {
  /** The name of its folder. */
  name?: string;
  /** The search path. */
  path?: string;
  /** Of the environment. */
  variables?: Record<string, string>;
  /** The API for servers of the editor in which this runs. */
  registry?: ServerRegistry;
}

/** A home with agents, and the part of the extension that connects them. No program of an agent is on its search path. */
export class ConnectionsUnderTest {
  readonly home: string;
  readonly machine: Machine;
  readonly connections: AgentConnections;
  readonly launcher: string;

  constructor(t: TestContext, { name = 'home', path = '', variables = {}, registry }: HomeOptions = {}) {
    this.home = join(temporaryFolder(t), name);
    mkdirSync(this.home);
    this.machine = { home: this.home, environment: { ...variables, HOME: this.home, PATH: path }, system: 'linux' };
    this.launcher = join(this.#folder, 'notion-mcp-bridge');
    this.connections = this.#connections(registry);
  }

  get #folder(): string {
    return join(this.home, 'storage', 'agents');
  }

  /** The same home and storage in a new window of an editor that is an agent itself. */
  inside<T extends ServerRegistry>(registry: T): { registry: T; connections: AgentConnections } {
    return { registry, connections: this.#connections(registry) };
  }

  #connections(registry: ServerRegistry | undefined): AgentConnections {
    return new AgentConnections({
      ...{ folder: this.#folder, machine: this.machine, registry, files, log },
      command: async () => ({ command: this.launcher, args: [], env: {} }),
      extensions: join(this.home, 'extensions'),
      clock: systemClock,
      randomness: systemRandomness,
    });
  }

  /** What an agent starts for an account. */
  launch(handle: string, agent: string): BridgeCommand {
    return { command: this.launcher, args: ['--account', handle, '--agent', agent], env: {} };
  }

  /** The first of the configuration files of an agent. */
  pathOf(agent: string): string {
    return this.row(agent).files(this.machine)[0];
  }

  row(agent: string): CatalogueRow {
    return catalogue.find(({ id }) => id === agent) as CatalogueRow;
  }

  /** Gives an agent this configuration. */
  write(agent: string, content: string | Buffer): void {
    mkdirSync(dirname(this.pathOf(agent)), { recursive: true });
    writeFileSync(this.pathOf(agent), content);
  }

  read(agent: string): string {
    return readFileSync(this.pathOf(agent), 'utf8');
  }

  async connect(agent: string, handle = 'notion-ada', replace: readonly string[] = []): Promise<void> {
    const launch = this.launch(handle, agent);
    await this.connections.connect(planConnection(await this.connections.inspect(agent), { handle, launch }, replace));
  }

  async disconnect(agent: string, handle = 'notion-ada'): Promise<void> {
    const connected = await this.connections.connected();
    const connection = connected.find((each) => each.agent === agent && each.handle === handle);
    if (connection === undefined) {
      throw new Error(`${agent} is not connected to ${handle}.`);
    }
    await this.connections.disconnect(connection);
  }
}
