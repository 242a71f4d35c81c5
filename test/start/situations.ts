import { apiError } from '../notion/faults.ts';
import type { NotionServer } from '../notion/server.ts';

/** What goes wrong at Notion, and what the user then sees. */
export interface Situation {
  title: string;
  /** What to do in the editor to see it. */
  toSee: string;
  begin(): Promise<void>;
  /** How it ends. Undefined if it does not last. */
  lasting?: { isOn(): boolean; end(): Promise<void> };
}

const limitSeconds = 30;
/** A sign-in reads the identity so often before it does without. */
const identityReads = 4;

/** The situations that the server can be brought into, by name. */
export function situationsOf(notion: NotionServer): Record<string, Situation> {
  const { profile } = notion;
  let endLimit: (() => void) | undefined;
  let isDown = false;
  return {
    ended: {
      title: 'Notion ends this sign-in',
      toSee:
        'Run “Notion MCP: Refresh Session”. In the first five minutes after a sign-in, the extension first makes sure: its note and its status bar item then come two minutes later. Reconnect signs in again.',
      begin: () => notion.revokeGrants(),
    },
    limit: {
      title: 'Limit reached',
      toSee: 'Run “Notion MCP: Test Connection”, or ask for a Notion page in chat.',
      begin: async () => {
        endLimit ??= notion.fault({ path: '/mcp' }, apiError(429, limitSeconds));
      },
      lasting: {
        isOn: () => endLimit !== undefined,
        end: async () => {
          endLimit?.();
          endLimit = undefined;
        },
      },
    },
    down: {
      title: 'Server down',
      toSee: 'Run “Notion MCP: Sign In” or “Notion MCP: Test Connection”.',
      begin: async () => {
        isDown = true;
        await notion.stopListening();
      },
      lasting: {
        isOn: () => isDown,
        end: async () => {
          if (isDown) {
            await notion.listen();
            isDown = false;
          }
        },
      },
    },
    identity: {
      title: 'Identity fails once',
      toSee:
        'Run “Notion MCP: Sign In”. The sign-in tries to read the identity for some seconds; then the account has no name yet. Run “Notion MCP: Test Connection”, and it has one.',
      begin: async () => {
        profile.identityFailure = { as: 'unavailable', times: identityReads };
      },
      lasting: {
        isOn: () => (profile.identityFailure?.times ?? 0) > 0,
        end: async () => {
          profile.identityFailure = undefined;
        },
      },
    },
  };
}
