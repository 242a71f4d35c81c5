// What the extension `seedling.notion-mcp-auth` exports. Copy this file into your extension:
//
//   const api = await vscode.extensions.getExtension<NotionMcpAuth>('seedling.notion-mcp-auth')?.activate();
//
// Tokens are not here: ask `vscode.authentication.getSession('notion-mcp', ['default'], …)` for them.
import type { Event } from 'vscode';

/** How an account of Notion stands; `session.id` of its sessions is `sessionId`. */
export interface NotionAccountState {
  readonly sessionId: string;
  /**
   * `healthy`: its token is good. `expired`: it will be renewed when it is asked for. `needsSignIn`: only the person
   * can bring it back. `readOnly`: the window has to be reloaded to use it.
   */
  readonly state: 'healthy' | 'expired' | 'needsSignIn' | 'readOnly';
}

export interface NotionMcpAuth {
  readonly version: 1;
  /** The accounts of the configured server. Never prompts and never asks the network. */
  getAccountStates(): Promise<readonly NotionAccountState[]>;
  /** Fires when an account signs in, changes or signs out. */
  readonly onDidChangeAccountStates: Event<void>;
  /**
   * Says that Notion's server answered 401 to this access token. The session is renewed if that helps, at most once a
   * minute; ask for the session again afterwards. Resolves also for a token that is not known.
   */
  renewRejected(accessToken: string): Promise<void>;
}
