const style = `
  :root { --ground: #f3f1ea; --sheet: #fff; --ink: #1f2a37; --muted: #5b6673; --edge: #d8d2c4; --primary: #1f5c4a; --primary-ink: #fff; }
  @media (prefers-color-scheme: dark) {
    :root { --ground: #14191f; --sheet: #1e2630; --ink: #f1eee6; --muted: #aab4bf; --edge: #37424f; --primary: #7fd1b5; --primary-ink: #10201a; }
  }
  * { box-sizing: border-box; }
  body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem; background: var(--ground);
    color: var(--ink); font: 1rem/1.5 system-ui, "Segoe UI", sans-serif; }
  main { width: min(30rem, 100%); background: var(--sheet); border: 1px solid var(--edge); border-radius: 12px; padding: 2rem; }
  h1 { margin: 0 0 .5rem; font-size: 1.375rem; line-height: 1.3; overflow-wrap: anywhere; }
  p { margin: 0 0 1.25rem; color: var(--muted); }
  fieldset { border: 1px solid var(--edge); border-radius: 8px; margin: 0 0 1rem; padding: .5rem 1rem .75rem; }
  legend { padding: 0 .4rem; font-weight: 600; }
  label { display: block; padding: .25rem 0; overflow-wrap: anywhere; }
  .actions { display: flex; gap: .75rem; }
  button { flex: 1; font: inherit; padding: .6rem; border-radius: 8px; border: 1px solid var(--edge); background: transparent; color: inherit; cursor: pointer; }
  button[value=allow] { background: var(--primary); border-color: var(--primary); color: var(--primary-ink); font-weight: 600; }
  small { display: block; margin-top: 1.25rem; color: var(--muted); }
`;

/** A page of the server. `body` is HTML. */
export function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} – Notion-shaped test server</title>
<style>${style}</style>
</head>
<body>
<main>
${body}
<small>This is the Notion-shaped test server on this computer, not Notion.</small>
</main>
</body>
</html>`;
}

export function messagePage(title: string, sentence: string): string {
  return page(title, `<h1>${escaped(title)}</h1><p>${escaped(sentence)}</p>`);
}

export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
