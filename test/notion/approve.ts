export interface Approval {
  user?: 'user-ada' | 'user-grace';
  workspace?: 'workspace-wiki' | 'workspace-notes';
  allow?: boolean;
}

/** What a person does on the consent page, without a browser. @returns where the browser would be sent */
export async function approve(
  authorizationUrl: string,
  { user = 'user-ada', workspace = 'workspace-wiki', allow = true }: Approval = {},
): Promise<URL> {
  const response = await fetch(authorizationUrl, {
    method: 'POST',
    body: new URLSearchParams({ user, workspace, decision: allow ? 'allow' : 'deny' }),
    redirect: 'manual',
  });
  const location = response.headers.get('location');
  if (location === null) {
    throw new Error(`the consent page answered ${response.status} and led nowhere`);
  }
  return new URL(location);
}
