/** A user who can allow access. */
export interface User {
  id: string;
  name: string;
  email?: string;
}

export interface Workspace {
  id: string;
  name: string;
  pages: { id: string; title: string; text: string }[];
}

/** All users and workspaces of the server. */
export interface Directory {
  users: User[];
  workspaces: Workspace[];
  /** Whether `notion-fetch self` fails. */
  identityFails: boolean;
}

export function newDirectory(): Directory {
  return {
    users: [
      { id: 'user-ada', name: 'Ada Lovelace', email: 'ada@example.com' },
      { id: 'user-grace', name: 'Grace Hopper', email: 'grace@example.com' },
    ],
    workspaces: [
      {
        id: 'workspace-wiki',
        name: 'Engineering Wiki',
        pages: [{ id: 'page-engine', title: 'Analytical Engine', text: 'It weaves algebraical patterns.' }],
      },
      {
        id: 'workspace-notes',
        name: 'Team Notes',
        pages: [{ id: 'page-moth', title: 'First bug found', text: 'Relay 70, panel F: a moth.' }],
      },
    ],
    identityFails: false,
  };
}
