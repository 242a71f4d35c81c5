import { toBase64 } from '../core/encoding.ts';

/** Renders the page that the browser shows at the end: whether access was allowed, and that the user can return. */
export type CompletionPage = (
  outcome: 'allowed' | 'declined',
) => Promise<{ html: string; headers: Record<string, string> }>;

/** The text of the page, translated. */
export interface CompletionPageText {
  language: string;
  title: string;
  sentence: string;
}

/**
 * Fills in `template` (media/completionPage.html). The page needs no scripts and no external resources, so its content
 * security policy forbids everything except its own style sheet, which it identifies by hash.
 */
export async function renderCompletionPage(
  template: string,
  text: CompletionPageText,
): Promise<{ html: string; headers: Record<string, string> }> {
  const html = template.replace(/\{\{(language|title|sentence)\}\}/g, (_, name: keyof CompletionPageText) =>
    escapeHtml(text[name]),
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
