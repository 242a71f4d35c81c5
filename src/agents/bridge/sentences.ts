import type { NoWindow } from './windows.ts';

/** Why a call was not carried, or not to its end. */
export type BridgeProblem = NoWindow | 'windowGone' | 'rejected';

/** The sentences of the bridge, which an agent's model passes on. A process without the editor has no translations. */
export function sentenceFor(problem: BridgeProblem, editor: string): string {
  switch (problem) {
    case 'noWindow':
      return `No open window of ${editor} offers this Notion account. Open ${editor}, then try again; if it is open, run “Notion MCP: Manage Accounts” there.`;
    case 'otherVersion':
      return `A window of ${editor} runs another version of the Notion extension. Run “Developer: Reload Window” there, then try again.`;
    case 'unknownAccount':
      return `This account is not signed in to Notion in ${editor}. Run “Notion MCP: Sign In” there, then try again.`;
    case 'notAllowed':
      return `This account is not offered in the chat of ${editor}. Turn on “notionMcp.offerMcpServer” in its settings and “Offer in chat” in “Notion MCP: Manage Accounts”, then try again.`;
    case 'windowGone':
      return `The window of ${editor} was closed while Notion was responding; the change may have been made. Check before you repeat it.`;
    case 'rejected':
      return 'Notion’s MCP server rejected the request.';
  }
}
