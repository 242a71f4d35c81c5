export interface Approval {
  user?: 'user-ada' | 'user-grace';
  workspace?: 'workspace-wiki' | 'workspace-notes';
  allow?: boolean;
}

/**
 * Opens the consent page and submits it as a user would, but without a browser.
 * @returns the URL that the browser would be redirected to
 */
export async function approve(
  authorizationUrl: string,
  { user = 'user-ada', workspace = 'workspace-wiki', allow = true }: Approval = {},
): Promise<URL> {
  const page = await fetch(authorizationUrl);
  const action = /<form method="post" action="([^"]+)"/.exec(await page.text())?.[1];
  if (action === undefined) {
    throw new Error(`the consent page responded with ${page.status} and no form`);
  }
  const response = await fetch(new URL(action, authorizationUrl), {
    method: 'POST',
    body: new URLSearchParams({ user, workspace, decision: allow ? 'allow' : 'deny' }),
    redirect: 'manual',
  });
  const location = response.headers.get('location');
  if (location === null) {
    throw new Error(`the consent page responded with ${response.status} and no redirect`);
  }
  return new URL(location);
}
