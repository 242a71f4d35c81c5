import { toBase64 } from '../core/encoding.ts';
/** The page that people see last: it says how the sign-in ended and where to go on. */
export type CompletionPage = (
  outcome: 'allowed' | 'declined',
) => Promise<{ html: string; headers: Record<string, string> }>;

/** The words of the page, translated. */
export interface CompletionPageText {
  language: string;
  title: string;
  sentence: string;
}

/**
 * Fills `template` (media/completionPage.html). The page needs no script and nothing from outside, so its policy forbids
 * everything but its own style, known by its hash.
 */
export async function renderCompletionPage(
  template: string,
  words: CompletionPageText,
): Promise<{ html: string; headers: Record<string, string> }> {
  const html = template.replace(/\{\{(language|title|sentence)\}\}/g, (_, name: keyof CompletionPageText) =>
    escapeHtml(words[name]),
  );
  const style = /<style>([\s\S]*?)<\/style>/.exec(html)?.[1] ?? '';
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(style)));
  const hash = toBase64(digest);
  return {
    html,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      'x-content-type-options': 'nosniff',
    },
  };
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
