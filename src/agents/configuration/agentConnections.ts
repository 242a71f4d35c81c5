import { lstat, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { errorInfo } from '../../core/errorInfo.ts';
import type { Log } from '../../core/log.ts';
import type { Randomness } from '../../core/random.ts';
import type { Files } from '../../platform/contract.ts';
import { type BridgeCommand, launchOf } from '../bridgeCommand.ts';
import { catalogue, usualForm } from '../catalogue.ts';
import { recordInstallation } from '../installations.ts';
import { readConfiguration, removeConfiguration, writeConfiguration } from './configurationFile.ts';
import type {
  AgentConnection,
  AgentConnector,
  AgentState,
  CatalogueRow,
  ConfigurationFile,
  ConnectionPlan,
  ConnectionRequest,
  Machine,
  ReplaceableServer,
  ServerRegistry,
} from './contract.ts';
import { isOurs, launches, planConnection, replaceableServers, stateOf } from './plan.ts';
import { ConfigurationProblem } from './problem.ts';
import { findProgram, runProgram } from './program.ts';
import { type ConfigurationRecord, ConfigurationRecords, hashOf } from './records.ts';
import { RegisteredServers } from './registeredServers.ts';
import { isBridge, removeServer, serversIn, setServer } from './servers.ts';
import { tryLauncher } from './tryLauncher.ts';

export interface AgentConnectionsParts {
  /** The folder of the launcher, for the records. */
  folder: string;
  /** The folder of all extensions, for the uninstall script. */
  extensions: string;
  machine: Machine;
  /** The API for servers of the editor that this extension runs in, if it is an agent itself. */
  registry: ServerRegistry | undefined;
  /** Resolves to how the bridge is started; undefined if it cannot be installed. */
  command: () => Promise<BridgeCommand | undefined>;
  files: Files;
  clock: Clock;
  randomness: Randomness;
  log: Log;
}

/** Connects agents by their configurations, of which it keeps records. */
export class AgentConnections implements AgentConnector {
  readonly #parts: AgentConnectionsParts;
  readonly #records: ConfigurationRecords;
  readonly #registered: RegisteredServers | undefined;

  constructor(parts: AgentConnectionsParts) {
    this.#parts = parts;
    this.#records = new ConfigurationRecords(`${parts.folder}/configured`, parts.files);
    this.#registered = parts.registry && new RegisteredServers(parts.registry);
  }

  async found(): Promise<string[]> {
    const found = await Promise.all(catalogue.map((row) => this.#isFound(row)));
    return catalogue.filter((_, index) => found[index]).map(({ id }) => id);
  }

  async hasUnused(): Promise<boolean> {
    return (await this.connected()).length === 0 && (await this.found()).length > 0;
  }

  async pathOf(agent: string): Promise<string> {
    const paths = rowOf(agent).files(this.#parts.machine);
    const found = await Promise.all(paths.map(exists));
    return paths[found.indexOf(true)] ?? paths[0];
  }

  async inspect(agent: string): Promise<AgentState> {
    const row = rowOf(agent);
    const { machine } = this.#parts;
    const program = row.program === undefined ? undefined : await findProgram(row.program, machine);
    return stateOf(row, await readConfiguration(await this.pathOf(agent)), program, this.#isHost(row));
  }

  replaceable(state: AgentState, request: ConnectionRequest): ReplaceableServer[] {
    return replaceableServers(state, request);
  }

  plan(state: AgentState, request: ConnectionRequest, replace: readonly string[]): ConnectionPlan {
    return planConnection(state, request, replace);
  }

  configurationText(agent: string, { handle, launch }: ConnectionRequest): string {
    const row = catalogue.find(({ id }) => id === agent) ?? usualForm;
    return setServer('', row, handle, row.entry(launch));
  }

  async connect(plan: ConnectionPlan): Promise<void> {
    const { state, handle, name, launch, isRegistered } = plan;
    const { path, text } = state.file;
    const { folder, extensions, machine, files } = this.#parts;
    await recordInstallation({ extensions, agents: folder }, machine, files);
    const known = await this.#knownRecord(state);
    const isFirst = known === undefined;
    const isUntouched = isFirst ? ![...state.servers.values()].some(isBridge) : isAsLeft(known, text);
    const base: ConfigurationRecord = known ?? {
      ...{ version: 1, agent: state.row.id, path, entries: [] },
      existed: text !== undefined,
    };
    const entry = { handle, name, ...(isRegistered && { isRegistered }) };
    const entries = [...base.entries.filter((each) => each.handle !== handle), entry];
    // No text is that of a file that there is not.
    const hashIfUntouched = (after: string) => (isUntouched && after !== '' ? hashOf(after) : undefined);
    if (isFirst && text !== undefined) {
      await this.#records.backUp(path, text);
    }
    await this.#records.save({ ...base, entries, hash: hashIfUntouched(plan.after) });
    try {
      const madeFolder = await this.#carryOut(plan);
      const { text: written = '' } = await readConfiguration(path);
      if (isRegistered) {
        await this.register();
      } else if (!launches(serversIn(written, state.row).get(name), launch)) {
        throw new ConfigurationProblem('commandFailed');
      }
      const hash = hashIfUntouched(written);
      await this.#records.save({ ...base, entries, hash, madeFolder: base.madeFolder ?? madeFolder });
    } catch (error) {
      if (!base.entries.some((each) => each.handle === handle)) {
        await this.disconnect({ agent: state.row.id, handle, name, path }).catch(() => undefined);
      }
      throw error;
    }
    const byCommand = plan.commands.length > 0;
    this.#parts.log.info('An agent was connected.', { agent: state.row.id, byCommand, isRegistered });
  }

  async refresh(command: BridgeCommand): Promise<void> {
    for (const { agent, handle, name } of await this.connected()) {
      try {
        const state = await this.inspect(agent);
        const launch = launchOf(command, handle, agent);
        const entry = state.servers.get(name);
        if (isOurs(entry, launch) && !launches(entry, launch)) {
          await this.connect(planConnection(state, { handle, launch }, []));
        }
      } catch (error) {
        this.#parts.log.warn('An agent’s configuration could not be brought up to date.', {
          agent,
          ...errorInfo(error),
        });
      }
    }
  }

  async register(): Promise<void> {
    const { command, registry } = this.#parts;
    await this.#registered?.update(async () => {
      const connected = (await this.connected()).filter((each) => each.isRegistered && each.agent === registry?.agent);
      const bridge = connected.length === 0 ? undefined : await command();
      return new Map(
        bridge && connected.map(({ name, handle, agent }) => [name, launchOf(bridge, handle, agent)] as const),
      );
    });
  }

  async close(): Promise<void> {
    await this.#registered?.update(async () => new Map()).catch(() => undefined);
  }

  tryLauncher(launch: BridgeCommand): Promise<number> {
    return tryLauncher(launch, this.#parts.machine, this.#parts.clock);
  }

  async connected(): Promise<AgentConnection[]> {
    const records = await this.#records.list();
    return records.flatMap(({ agent, path, entries }) =>
      catalogue.some(({ id }) => id === agent) ? entries.map((entry) => ({ agent, path, ...entry })) : [],
    );
  }

  async disconnect({ agent, handle, name, path }: AgentConnection): Promise<void> {
    const record = await this.#records.find(path);
    if (record === undefined) {
      return;
    }
    const row = rowOf(agent);
    const file = await readConfiguration(path);
    const entries = record.entries.filter((entry) => entry.handle !== handle);
    const isRegistered = record.entries.some((entry) => entry.handle === handle && entry.isRegistered);
    const isUntouched = isAsLeft(record, file.text);
    const isRestored = isUntouched && entries.length === 0 && (await this.#restore(record, file));
    if (!isRestored && !isRegistered && file.text !== undefined && isBridge(serversIn(file.text, row).get(name))) {
      await this.#remove(row, file, file.text, name);
    }
    const { text = '' } = await readConfiguration(path);
    await this.#records.save({ ...record, entries, hash: isUntouched ? hashOf(text) : undefined });
    if (isRegistered) {
      await this.register();
    }
    this.#parts.log.info('An agent was disconnected.', { agent, isRestored });
  }

  /** Whether this extension runs in an agent's own editor, which takes servers from extensions. */
  #isHost({ id, registration }: CatalogueRow): boolean {
    return registration !== undefined && this.#parts.registry?.agent === id;
  }

  async #isFound(row: CatalogueRow): Promise<boolean> {
    const { machine } = this.#parts;
    const { program, folder, files } = row;
    const places = [folder(machine), ...files(machine)];
    return (
      this.#isHost(row) ||
      (await Promise.all(places.map(exists))).includes(true) ||
      (program !== undefined && (await findProgram(program, machine)) !== undefined)
    );
  }

  /** The record of a configuration, unless the user has removed all of its entries. */
  async #knownRecord({ file, servers }: AgentState): Promise<ConfigurationRecord | undefined> {
    const record = await this.#records.find(file.path);
    return record?.entries.some(({ name, isRegistered }) => isRegistered || isBridge(servers.get(name)))
      ? record
      : undefined;
  }

  /** @returns the folder that was made for the configuration */
  async #carryOut({ state, commands, after }: ConnectionPlan): Promise<string | undefined> {
    const { file, program } = state;
    if (commands.length === 0 || program === undefined) {
      return after === (file.text ?? '') ? undefined : writeConfiguration(file, after, this.#parts.randomness);
    }
    for (const command of commands) {
      await this.#run(program, command);
    }
    return undefined;
  }

  async #run(program: string, command: readonly string[]): Promise<void> {
    const { machine, clock } = this.#parts;
    try {
      await runProgram(program, command, machine, clock);
    } catch (error) {
      throw new ConfigurationProblem('commandFailed', { cause: error });
    }
  }

  async #restore(record: ConfigurationRecord, file: ConfigurationFile): Promise<boolean> {
    if (record.existed) {
      const original = await this.#records.original(record.path);
      if (original !== undefined && original !== file.text) {
        await writeConfiguration(file, original, this.#parts.randomness);
      }
      return original !== undefined;
    }
    await removeConfiguration(file);
    const { madeFolder } = record;
    for (let each = dirname(file.path); madeFolder !== undefined && each.startsWith(madeFolder); each = dirname(each)) {
      // One that is no longer empty stays.
      await rmdir(each).catch(() => undefined);
    }
    return true;
  }

  async #remove(row: CatalogueRow, file: ConfigurationFile, text: string, name: string): Promise<void> {
    const { machine, randomness } = this.#parts;
    const program = row.program === undefined ? undefined : await findProgram(row.program, machine);
    if (row.ownCommands !== undefined && program !== undefined) {
      await this.#run(program, row.ownCommands.remove(name));
    } else {
      await writeConfiguration(file, removeServer(text, row, name), randomness);
    }
  }
}

function rowOf(agent: string): CatalogueRow {
  const row = catalogue.find(({ id }) => id === agent);
  if (row === undefined) {
    throw new Error(`${agent} is no agent of the catalogue.`);
  }
  return row;
}

/** Whether a configuration is as we left it. */
function isAsLeft({ hash }: ConfigurationRecord, text: string | undefined): boolean {
  return hash !== undefined && text !== undefined && hashOf(text) === hash;
}

/** Also where a link leads nowhere. */
function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
