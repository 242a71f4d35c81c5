import type { TestbedOptions } from '../testbed.ts';

/** Themes of the editor, with the matching media features for web pages. */
export const themes = {
  light: { id: 'Light Modern', className: 'vs', media: { colorScheme: 'light', contrast: 'no-preference' } },
  dark: { id: 'Dark Modern', className: 'vs-dark', media: { colorScheme: 'dark', contrast: 'no-preference' } },
  highContrast: {
    id: 'Default High Contrast',
    className: 'hc-black',
    media: { colorScheme: 'dark', contrast: 'more' },
  },
} as const;

export type ThemeName = keyof typeof themes;

/** The size in CSS pixels, small enough to show related elements close together. */
export const windowSize = { width: 920, height: 600 };

/** The options of a testbed whose windows look as in the pictures, on a computer without the user's own programs. */
export function sceneOptions({ theme, pixelRatio }: { theme: ThemeName; pixelRatio: number }): TestbedOptions {
  const settings = {
    // Tooltips and tips would cover parts of the picture.
    'workbench.hover.delay': 600_000,
    'workbench.tips.enabled': false,
    // Highlights would distract in a document that is only read.
    'editor.occurrencesHighlight': 'off',
    'editor.renderLineHighlight': 'none',
    'editor.guides.indentation': false,
    'editor.lineNumbers': 'off',
    'workbench.colorTheme': themes[theme].id,
  };
  // Agents are found by their programs, too.
  const environment = { PATH: '/usr/bin:/bin' };
  return { settings, size: windowSize, pixelRatio, environment };
}
