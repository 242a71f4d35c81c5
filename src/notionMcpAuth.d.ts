// The types of the API that the extension `seedling.notion-mcp-auth` exports. Copy this file into your extension:
//
//   const api = await vscode.extensions.getExtension<NotionMcpAuth>('seedling.notion-mcp-auth')?.activate();
//
// The API does not hand out tokens; get them from `vscode.authentication.getSession('notion-mcp', ['default'], …)`.
import type { Event } from 'vscode';

/** The state of a Notion account. `sessionId` is the `id` of its authentication sessions. */
export interface NotionAccountState {
  readonly sessionId: string;
  /**
   * `healthy`: its token is valid. `expired`: its token is renewed on the next request for a session. `needsSignIn`:
   * the user has to sign in again. `serverRejected`: the server refuses to renew it, but has not ended it; its token can
   * be used until it expires. `readOnly`: this window cannot use it, for example until it is reloaded. More may follow:
   * treat a state that you do not know like `expired`.
   */
  readonly state: 'healthy' | 'expired' | 'needsSignIn' | 'serverRejected' | 'readOnly';
}

export interface NotionMcpAuth {
  readonly version: 1;
  /** Returns the accounts of the configured MCP server. Never prompts and never uses the network. */
  getAccountStates(): Promise<readonly NotionAccountState[]>;
  /** Fires when an account is signed in, changes or is signed out. */
  readonly onDidChangeAccountStates: Event<void>;
  /**
   * Reports that Notion's MCP server responded with 401 or 403 to this access token. Renews the session if that helps,
   * at most once a minute; request the session again afterwards. If the server demands more scopes instead, the next
   * sign-in of this account requests them; ask for it with `forceNewSession`. Also resolves for an unknown token.
   */
  renewRejected(accessToken: string): Promise<void>;
}
