import { QuickPickItemKind, ThemeIcon, window } from 'vscode';
import type { DisplayText } from '../../core/displayText.ts';

/** An entry of a quick pick. The editor renders icons in its texts, so an icon of our own is named apart from them. */
export interface Choice {
  label: DisplayText;
  icon?: string;
  description?: DisplayText;
  detail?: DisplayText;
}

/** Separates the entries above it from those below it. */
export const separator = Symbol('separator');

export interface PickOptions {
  title: DisplayText;
  placeHolder: DisplayText;
  /** Whether what the user types is looked for in the details, too. */
  matchOnDetail?: boolean;
}

/** Lets the user pick an entry; resolves to undefined if they close the list. */
export async function pick<T extends Choice>(
  choices: readonly (T | typeof separator)[],
  options: PickOptions,
): Promise<T | undefined> {
  const items = choices.map((choice) => {
    if (choice === separator) {
      return { label: '', kind: QuickPickItemKind.Separator };
    }
    const { label, icon, description, detail } = choice;
    return {
      label,
      ...(icon !== undefined && { iconPath: new ThemeIcon(icon) }),
      ...(description !== undefined && { description }),
      ...(detail !== undefined && { detail }),
      choice,
    };
  });
  return (await window.showQuickPick<(typeof items)[number] & { choice?: T }>(items, options))?.choice;
}
