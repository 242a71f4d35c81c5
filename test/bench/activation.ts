import { Editor } from '../e2e/driver/editor.ts';
import type { EditorWindow } from '../e2e/driver/editorWindow.ts';
import { extensionVsix, fixtureVsix } from '../e2e/driver/vsix.ts';
import { type Figure, figure, median } from './figure.ts';

const starts = 10;
const ours = 'seedling.notion-mcp-auth';
const github = 'vscode.github-authentication';
const trivial = 'seedling-tests.driver-fixture';

/**
 * The time that code loading and `activate` take in a real editor, according to its Startup Performance report, each
 * time in a new extension host. The editor itself requests GitHub's sessions. A further extension that is loaded at the
 * same time would be counted here, as loads overlap.
 */
export async function activationFigures(): Promise<Figure[]> {
  const editor = await Editor.start({ extensions: [extensionVsix, fixtureVsix] });
  try {
    const window = await editor.openWindow();
    const samples: Record<string, number[]> = { [ours]: [], [github]: [], [trivial]: [] };
    for (let start = 0; start <= starts; start += 1) {
      await window.reload();
      const table = await startupTable(window, [ours, trivial]);
      for (const [id, times] of Object.entries(samples)) {
        const time = activationMs(table, id);
        // The first start only fills the code caches.
        if (start > 0 && time !== undefined) {
          times.push(time);
        }
      }
    }
    const own = samples[ours] ?? [];
    return [
      figure('activation vs github-authentication (aim: < 0.5)', 'ms', median(own), median(samples[github] ?? []), own),
      figure('activation vs a trivial extension (aim: <= 1.3)', 'ms', median(own), median(samples[trivial] ?? []), own),
    ];
  } finally {
    await editor.stop();
  }
}

/** The text of `Developer: Startup Performance`, once it lists all `ids`. */
async function startupTable(window: EditorWindow, ids: string[]): Promise<string> {
  for (;;) {
    await window.runCommand('Developer: Startup Performance');
    await window.page.getByText('Startup Performance').first().waitFor();
    await window.page.locator('.monaco-editor .view-lines').first().click();
    await window.page.keyboard.press('Control+a');
    await window.page.keyboard.press('Control+c');
    const text = await window.clipboard();
    await window.page.keyboard.press('Control+F4');
    if (ids.every((id) => text.includes(id))) {
      return text;
    }
  }
}

/** Milliseconds of code loading and the call of `activate`, from an extension's row: | id | eager | load | call | … */
function activationMs(table: string, id: string): number | undefined {
  const rows = table.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
  const [, , , load, call] = rows.find((cells) => cells[1] === id) ?? [];
  return load === undefined || call === undefined ? undefined : Number(load) + Number(call);
}
