import { fromBase64 } from '../core/encoding.ts';
import type { Secret } from '../core/secret.ts';

/**
 * Replaces secrets that a server quotes, in whatever encoding: percent, form, JSON, HTML, base64, hexadecimal, one
 * within another, and with invisible characters in between. An exact quotation is replaced as it is, else the word that
 * contains it; if a secret spans several words, nothing of the text is left.
 */
export function redactSecrets(text: string, secrets: readonly Secret[]): string {
  const values = secrets.map((secret) => secret.reveal()).filter((value) => value !== '');
  const forms = values.map(withoutGaps).filter((form) => form !== '');
  const unquoted = values.reduce((rest, value) => rest.replaceAll(value, replacement), text);
  const redacted = unquoted.replace(/\S+/g, (word) => (reveals(word, forms) ? replacement : word));
  return reveals(redacted, forms) ? replacement : redacted;
}

const replacement = '[secret]';

/** How many encodings within one another are decoded, for example a form within JSON within HTML. */
const deepest = 3;

/** Whether `text` or what it decodes to contains one of `forms`. */
function reveals(text: string, forms: readonly string[], depth = 0): boolean {
  const plain = withoutGaps(text);
  return (
    forms.some((form) => plain.includes(form)) ||
    (depth < deepest && decodings(plain).some((decoded) => reveals(decoded, forms, depth + 1)))
  );
}

/** Without spaces and invisible characters, between which a secret would remain readable. */
function withoutGaps(text: string): string {
  return text.replace(/[\s\p{C}]+/gu, '');
}

/** What `text`, or a part of it, says if it is encoded. */
function decodings(text: string): string[] {
  // In a form, a plus sign is a space.
  const decoded = new Set([fromPercent(text), fromPercent(text.replaceAll('+', '')), fromHtml(text), fromJson(text)]);
  for (const [run] of text.matchAll(/[\w+/-]{4,}/g)) {
    // What was encoded need not begin with the run, so the groups of four characters may begin anywhere.
    for (const start of [0, 1, 2, 3]) {
      decoded.add(fromBase64Run(run.slice(start)));
    }
  }
  for (const [run] of text.matchAll(/[\da-f]{4,}/gi)) {
    decoded.add(fromHex(run)).add(fromHex(run.slice(1)));
  }
  decoded.delete(text);
  return [...decoded];
}

function fromPercent(text: string): string {
  return text.replace(/(?:%[\da-f]{2})+/gi, (run) => fromHex(run.replaceAll('%', '')));
}

function fromHtml(text: string): string {
  return text.replace(
    /&(?:#x([\da-f]{1,5})|#(\d{1,6})|(amp|lt|gt|quot|apos));/gi,
    (_all, hexadecimal, decimal, name = '') =>
      htmlNames[name.toLowerCase()] ??
      String.fromCodePoint(hexadecimal === undefined ? Number(decimal) : Number.parseInt(hexadecimal, 16)),
  );
}

const htmlNames: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** Decodes the escapes of JSON and those of programs (`\x2f`). */
function fromJson(text: string): string {
  return text.replace(/\\(?:u([\da-f]{4})|x([\da-f]{2})|(.))/gi, (_all, four, two, other) =>
    four === undefined && two === undefined ? other : String.fromCharCode(Number.parseInt(four ?? two, 16)),
  );
}

function fromHex(digits: string): string {
  const pairs = digits.match(/../g) ?? [];
  return utf8.decode(Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16)));
}

/** Decodes base64 and base64url without padding. A last character that holds less than a byte is ignored. */
function fromBase64Run(run: string): string {
  const whole = run.length % 4 === 1 ? run.slice(0, -1) : run;
  return utf8.decode(fromBase64(whole.replaceAll('-', '+').replaceAll('_', '/')));
}

const utf8 = new TextDecoder();
