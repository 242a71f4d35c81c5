// Preloaded into the editor's processes. Stands in for Cursor, which cannot be run here: gives extensions
// the API that cursor.com/docs/extension-api documents, and writes each call of it to the file that the environment names.
const { appendFileSync } = require('node:fs');
const Module = require('node:module');

const file = process.env.CURSOR_CALLS;

/** The editor takes over the loading of modules, to give each extension an API of its own. */
let load = Module._load;
Object.defineProperty(Module, '_load', {
  get: () => load,
  set: (next) => {
    load = (request, ...rest) => {
      const loaded = next(request, ...rest);
      if (request === 'vscode' && loaded.cursor === undefined) {
        loaded.cursor = { mcp: { registerServer: record('register'), unregisterServer: record('unregister') } };
      }
      return loaded;
    };
  },
});

function record(name) {
  return (argument) => appendFileSync(file, `${JSON.stringify([name, argument])}\n`);
}
