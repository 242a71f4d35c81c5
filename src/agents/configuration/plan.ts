import type { BridgeCommand } from '../bridgeCommand.ts';
import type {
  AgentState,
  CatalogueRow,
  ConfigurationFile,
  ConnectionPlan,
  ConnectionRequest,
  ProgramArguments,
  ReplaceableServer,
  Servers,
} from './contract.ts';
import { commandOf, isBridge, isNotionsServer, removeServer, serversIn, setServer } from './servers.ts';

/** The servers that the user may want to be replaced. */
export function replaceableServers(
  { servers }: AgentState,
  { launch, handle }: ConnectionRequest,
): ReplaceableServer[] {
  return [...servers].flatMap(([name, entry]): ReplaceableServer[] => {
    if (isNotionsServer(entry)) {
      return [{ name, kind: 'notion' }];
    }
    return name === handle && isBridge(entry) && !isOurs(entry, launch) ? [{ name, kind: 'otherEditor' }] : [];
  });
}

/** Plans a connection. @throws ConfigurationProblem `invalid`, `unreadable` */
export function planConnection(
  state: AgentState,
  { handle, launch }: ConnectionRequest,
  replace: readonly string[],
): ConnectionPlan {
  const { row, file, program } = state;
  if (state.isHost && row.registration !== undefined) {
    return planRegistration(state, row.registration, { handle, launch }, replace);
  }
  const servers = new Map([...state.servers].filter(([name]) => !replace.includes(name)));
  const name = freeName(servers, launch, handle);
  const present = servers.get(name);
  const isPresent = launches(present, launch);
  const cleared = replace.reduce((text, each) => removeServer(text, row, each), file.text ?? '');
  const after = isPresent ? cleared : setServer(cleared, row, name, row.entry(launch));
  const { ownCommands } = row;
  const commands: ProgramArguments[] = [];
  if (ownCommands !== undefined && program !== undefined) {
    if (!isPresent) {
      // Claude Code's command adds no server whose name is taken.
      commands.push(...(state.servers.has(name) ? [ownCommands.remove(name)] : []), ownCommands.add(name, launch));
    }
    // Afterwards, so that they stay if the server cannot be added.
    commands.push(...replace.filter((each) => each !== name).map(ownCommands.remove));
  }
  return { state, handle, name, launch, commands, after, isRegistered: false };
}

/** Plans a connection without an entry in the configuration; one that is there already would be listed beside it. */
function planRegistration(
  state: AgentState,
  { name }: NonNullable<CatalogueRow['registration']>,
  { handle, launch }: ConnectionRequest,
  replace: readonly string[],
): ConnectionPlan {
  const { row, file, servers } = state;
  const own = [...servers].filter(([, entry]) => isOurs(entry, launch) && accountOf(entry) === handle);
  const removed = new Set([...replace, ...own.map(([each]) => each)]);
  const after = [...removed].reduce((text, each) => removeServer(text, row, each), file.text ?? '');
  return { state, handle, name: name(handle), launch, commands: [], after, isRegistered: true };
}

/** Whether an entry starts exactly this. */
export function launches(entry: unknown, { command, args, env }: BridgeCommand): boolean {
  const { env: own, environment = own ?? {} } = (entry ?? {}) as Record<string, unknown>;
  const words = commandOf(entry);
  return (
    JSON.stringify(words) === JSON.stringify([command, ...args]) &&
    JSON.stringify(Object.entries(environment as object).sort()) === JSON.stringify(Object.entries(env).sort())
  );
}

/** Whether an entry starts the bridge of this editor, for whichever account. */
export function isOurs(entry: unknown, { command, args }: BridgeCommand): boolean {
  const bridge = args[0]?.startsWith('--') ? command : args[0];
  return (
    isBridge(entry) &&
    commandOf(entry)
      .slice(0, 2)
      .includes(bridge ?? command)
  );
}

/** The handle, or with a number if another server has that name. */
function freeName(servers: Servers, launch: BridgeCommand, handle: string): string {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? handle : `${handle}-${number}`;
    const entry = servers.get(name);
    if (entry === undefined || (isOurs(entry, launch) && accountOf(entry) === handle)) {
      return name;
    }
  }
}

/** The handle of the account that a bridge is for. */
function accountOf(entry: unknown): string | undefined {
  const words = commandOf(entry);
  return words[words.indexOf('--account') + 1];
}

/** The state of an agent, from what its configuration says. @throws ConfigurationProblem `invalid`, `unreadable` */
export function stateOf(
  row: CatalogueRow,
  file: ConfigurationFile,
  program: string | undefined,
  isHost = false,
): AgentState {
  return { row, file, program, isHost, servers: serversIn(file.text ?? '', row) };
}
