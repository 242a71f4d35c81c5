import type { GatewayAccounts } from '../calls/forward.ts';
import type { Sentence } from '../calls/problem.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Randomness } from '../core/random.ts';
import type { Secret } from '../core/secret.ts';
import type { NetworkWatch } from '../http/networkWatch.ts';
import type { Transport } from '../http/transport.ts';
import type { ListenerRequest, ListenerResponse } from '../platform/contract.ts';

/** The agent that the editor itself is. */
export const editorAgent = 'editor';

/** Whether an agent may use an account; `unknown` if the user has not been asked. */
export type Permission = 'allowed' | 'denied' | 'unknown';

/** What the gateway needs from the rest of the extension. */
export interface GatewayServices {
  accounts: GatewayAccounts;
  /** Sends requests to MCP servers. Closed with the gateway. */
  transport: Transport;
  network: NetworkWatch;
  reminders: GatewayReminders;
  /** Whether an agent may use an account. */
  permission(grantId: string, agent: string): Permission;
  /** Called when an agent calls a tool. */
  toolCalled(grantId: string, agent: string): void;
  /** Called when an agent wants to use an account, and the user has not said whether it may. */
  consentNeeded(grantId: string, agent: string): void;
  /** Called for each challenge of the MCP server to an account's token; `scopes` is empty if it names none. */
  scopesDemanded(grantId: string, scopes: readonly string[]): void;
  /** Describes a problem in the sentence that the caller gets. */
  sentence: Sentence;
  clock: Clock;
  randomness: Randomness;
  log: Log;
}

/** Informs the user of problems that only they can solve, while callers just get an error. */
export interface GatewayReminders {
  /** An account that a caller wants to use needs a new sign-in. */
  signInNeeded(grantId: string): void;
  /** The MCP server requires scopes that the account's grant lacks; `scopes` is empty if it did not name them. */
  insufficientScope(grantId: string, scopes: readonly string[]): void;
}

/** On behalf of what a request is made. */
export interface Caller {
  grantId: string;
  agent: string;
}

/** A gateway that is listening. */
export interface RunningGateway {
  /** Where callers reach an account. */
  urlFor(grantId: string): string;
  /** What callers of an account send as Bearer token. */
  secretFor(grantId: string): Secret;
  /**
   * Serves a request that another listener has authorized. If the agent may not use the account, each request in it gets
   * an error.
   */
  serve(caller: Caller, request: ListenerRequest, response: ListenerResponse): void;
  /** Ends the calls of agents that may not use their account any more: it was signed out, or the user decided so. */
  endForbiddenCalls(): void;
  close(): Promise<void>;
}

/** Opens the gateway of this window; undefined on a host that cannot listen. */
export type OpenGateway = (services: GatewayServices) => Promise<RunningGateway | undefined>;
