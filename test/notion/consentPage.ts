import type { Directory } from './directory.ts';
import { escaped, page } from './page.ts';

/** The page on which the user chooses an identity and a workspace, and allows or denies access by a form to `action`. */
export function consentPage({ users, workspaces }: Directory, clientName: string, action: string): string {
  return page(
    'Allow access?',
    `<h1>${escaped(clientName)} wants to use Notion for you</h1>
    <p>It can read and change everything that you can in the workspace you choose.</p>
    <form method="post" action="${escaped(action)}">
      ${choice('user', 'Who are you?', users)}
      ${choice('workspace', 'Which workspace?', workspaces)}
      <div class="actions">
        <button name="decision" value="deny">Deny</button>
        <button name="decision" value="allow">Allow</button>
      </div>
    </form>`,
  );
}

function choice(name: string, legend: string, options: readonly { id: string; name: string }[]): string {
  const rows = options.map(
    ({ id, name: label }, index) =>
      `<label><input type="radio" name="${name}" value="${escaped(id)}"${index === 0 ? ' checked' : ''}> ${escaped(label)}</label>`,
  );
  return `<fieldset><legend>${legend}</legend>${rows.join('')}</fieldset>`;
}
