declare const isDisplayable: unique symbol;

/**
 * Text that the editor shows as it is: one line, without control, bidirectional or invisible characters, and without
 * anything that the editor renders as a link, a command or an icon. The functions that show text accept no other
 * string, so text from outside that was not cleaned is a compile error.
 */
export type DisplayText = string & { readonly [isDisplayable]: true };

/** Cleans text from outside for display, and truncates it to `maxLength` code points. */
export function displayText(text: string, maxLength: number): DisplayText {
  // An address that the user did not choose is not to be clickable, even where the editor finds it in plain text.
  return truncate(clean(text, maxLength).replaceAll('://', ': //'), maxLength);
}

/** Cleans each line of a text of several lines; its indentation is kept. */
export function displayLines(text: string, maxLength: number): DisplayText[] {
  return text.split('\n').map((line) => {
    const indentation = ' '.repeat(Math.min(line.search(/[^ ]|$/), longestIndentation));
    return `${indentation}${displayText(line, maxLength)}` as DisplayText;
  });
}

/**
 * The one kind of address that may be clickable where the editor finds it in plain text: https, and shown as it is, so
 * that users see where it leads. Undefined for any other.
 */
export function displayLink(url: URL): DisplayText | undefined {
  const { protocol, username, password, href } = url;
  const isShown = protocol === 'https:' && username === '' && password === '' && clean(href, longestLink) === href;
  return isShown && href.length <= longestLink ? (href as DisplayText) : undefined;
}

/** Composes a line of our own words and of text that is safe to show: display`${title}: ${reason}`. */
export function display(words: TemplateStringsArray, ...values: (DisplayText | number)[]): DisplayText {
  return String.raw({ raw: words }, ...values) as DisplayText;
}

const longestIndentation = 10;
const longestLink = 500;

function clean(text: string, maxLength: number): string {
  // Long enough to fill the line whatever is removed; cleaning megabytes to show one line would be wasteful.
  const start = text.slice(0, 20 * maxLength).toWellFormed();
  return (
    start
      // Line breaks become spaces; other control, format (bidi, zero width), invisible, private-use and unassigned
      // characters go. What is removed or composed first cannot separate the characters that are looked for below.
      .replace(/[\s\p{Zl}\p{Zp}]+/gu, ' ')
      .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Default_Ignorable_Code_Point}]/gu, '')
      .normalize('NFC')
      .replace(/\$+\(/g, '(')
      .replace(/\](?=[([])/g, '] ')
      .replace(/[`<>]/g, "'")
      .replace(/ {2,}/g, ' ')
      .trim()
  );
}

function truncate(text: string, maxLength: number): DisplayText {
  const codePoints = Array.from(text);
  const short = codePoints.slice(0, maxLength - 1).join('');
  return (codePoints.length <= maxLength ? text : `${short.trimEnd()}…`) as DisplayText;
}
