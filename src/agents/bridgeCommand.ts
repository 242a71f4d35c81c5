/** How a bridge is started; `--account` and `--agent` have to be added. Contains no secrets. */
export interface BridgeCommand {
  command: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
}

/** How an agent starts the bridge to an account. */
export function launchOf({ command, args, env }: BridgeCommand, handle: string, agent: string): BridgeCommand {
  return { command, args: [...args, '--account', handle, '--agent', agent], env };
}
