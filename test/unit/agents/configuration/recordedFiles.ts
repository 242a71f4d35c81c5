/** A configuration as users have them, by what is special about it. None has the server `notion-ada`. */
export type RecordedFiles = Readonly<Record<string, string>>;

const claude = `{
  "numStartups": 12,
  "projects": { "/home/ada/x": { "allowedTools": [], "mcpServers": {} } },
  "mcpServers": {
    "files": { "type": "stdio", "command": "npx", "args": ["-y", "files"], "env": {} }
  },
  "userID": "0a1b"
}
`;

const mcpServers: RecordedFiles = {
  'servers of others': claude,
  'no servers': '{\n  "theme": "dark"\n}\n',
  'an empty object of servers': '{\n  "mcpServers": {},\n  "theme": "dark"\n}\n',
  'an empty object of servers on two lines': '{\n  "mcpServers": {\n  }\n}',
  'an empty object': '{}',
  'nothing but a comment between the braces': '{\n  // later\n}\n',
  'one line': '{"theme":"dark","mcpServers":{"a":{"command":"b"}},"z":[1,2]}',
  comments: `// Mine
{
  /* why */ "theme": "dark", // because
  "mcpServers": {
    // the files
    "files": { "command": "npx" } // the last one
    // the end
  } /* after */
}
// Bye
`,
  'comments and trailing commas': '{\n  "mcpServers": {\n    "a": { "command": "b", }, // c\n  },\n}\n',
  'an odd indentation': '{\n\n   "theme" :"dark",\n   "mcpServers":\n   {\n \t"a":{\n"command":"b"}},\n  "z": 1 }',
  tabs: '{\n\t"mcpServers": {\n\t\t"a": {\n\t\t\t"command": "b"\n\t\t}\n\t}\n}\n',
  'line ends of Windows': claude.replaceAll('\n', '\r\n'),
  'a byte order mark': `\uFEFF${claude}`,
  'a byte order mark and nothing else': '\uFEFF',
  'nothing in it': '',
  'only empty lines': '\n\n',
  'names in another script': '{\n  "mcpServers": { "日本": { "command": "/home/анна/b" } }\n}\n',
  'numbers as they were written': '{ "big": 12345678901234567890, "n": 1.0e3, "mcpServers": {} }',
};

/** Of agents that have `mcpServers` in JSON. */
const json: RecordedFiles = mcpServers;

/** Of opencode, whose servers have another key. */
const openCode: RecordedFiles = Object.fromEntries(
  Object.entries(mcpServers).map(([kind, text]) => [kind, text.replaceAll('"mcpServers"', '"mcp"')]),
);

const codex = `model = "gpt"   # the good one
notify = ["sh", "-c", "x"]

[projects."/home/ada/x"]
trust_level = "trusted"

[mcp_servers.files]
command = "npx"
args = ["-y", "files"]

# nothing below
`;

const toml: RecordedFiles = {
  'servers of others': codex,
  'no servers': 'model = "x"\n',
  'nothing in it': '',
  'only a comment': '# mine',
  'an odd indentation':
    '  model="x"\n\n\n[mcp_servers.a]\n      command   =   "b"\n   [mcp_servers.a.env]\n   X = "1"\n\n\n',
  'line ends of Windows': codex.replaceAll('\n', '\r\n'),
  'a byte order mark': `\uFEFF${codex}`,
  'no line end at its end': '[mcp_servers.a]\ncommand = "b"',
  'names in another script': '[mcp_servers."日本"]\ncommand = "/home/анна/b"\n',
  'servers by dotted keys': 'mcp_servers.a.command = "b"\nmodel = "x"\n',
  'a table of servers of its own': '[mcp_servers]\n\n[mcp_servers.a]\ncommand = "b"\n',
  'texts over several lines': `prompt = """
[mcp_servers.notion-ada]
command = "not this one"
"""
later = '''
[x]
'''
list = [
  [1, 2],
  [3],
]
`,
  'arrays of tables': '[[profiles]]\nname = "a"\n\n[[profiles]]\nname = "b"\n',
  'numbers and dates as they were written': 'big = 9007199254740993\nx = 1_000\nd = 1979-05-27T07:32:00Z\nf = 1.0e3\n',
};

/** Recorded configurations, by the agents that have such ones. */
export const recordedFiles: Readonly<Record<string, RecordedFiles>> = {
  'claude-code': json,
  codex: toml,
  gemini: json,
  copilot: json,
  opencode: openCode,
  cursor: json,
  windsurf: json,
};
