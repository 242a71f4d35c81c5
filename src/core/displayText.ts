/**
 * Text from a server as it may be shown: one line without control or bidirectional characters, without the editor's
 * icon syntax `$(`, without a markdown link (the editor renders links, even command links, in its notifications),
 * cut to `longest` code points.
 */
export function displayText(text: string, longest: number): string {
  // Enough to fill the cut whatever is taken out; cleaning megabytes to show a line would be wasted.
  const start = text.slice(0, 20 * longest).toWellFormed();
  const clean = start
    // Line breaks are spaces; other controls, format characters (bidi, zero width), private and unassigned ones go.
    .replace(/[\s\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}]/gu, '')
    .replace(/\$+\(/g, '(')
    .replace(/\](?=[([])/g, '] ')
    .replace(/[`<>]/g, "'")
    .replace(/ {2,}/g, ' ')
    .trim();
  const codePoints = Array.from(clean);
  return codePoints.length <= longest
    ? clean
    : `${codePoints
        .slice(0, longest - 1)
        .join('')
        .trimEnd()}…`;
}
