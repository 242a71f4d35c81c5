/**
 * Makes text from a server safe to show: one line without control or bidirectional characters, without the editor's
 * icon syntax `$(` and without markdown links (the editor renders links, even command links, in notifications),
 * truncated to `maxLength` code points.
 */
export function displayText(text: string, maxLength: number): string {
  // Long enough to fill the line whatever is removed; cleaning megabytes to show one line would be wasteful.
  const start = text.slice(0, 20 * maxLength).toWellFormed();
  const clean = start
    // Line breaks become spaces; other control, format (bidi, zero width), private-use and unassigned characters go.
    .replace(/[\s\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}]/gu, '')
    .replace(/\$+\(/g, '(')
    .replace(/\](?=[([])/g, '] ')
    .replace(/[`<>]/g, "'")
    .replace(/ {2,}/g, ' ')
    .trim();
  const codePoints = Array.from(clean);
  return codePoints.length <= maxLength
    ? clean
    : `${codePoints
        .slice(0, maxLength - 1)
        .join('')
        .trimEnd()}…`;
}
