// Does with ChannelCoder 3 what is measured of ours, and says how many milliseconds each took. One line of JSON in, one
// line out; in through a descriptor of its own, since the CLI that it starts reads the standard input.
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';

const [modules, folder, descriptor] = process.argv.slice(2);
const { FileSessionStorage, session } = await import(pathToFileURL(join(modules, 'channelcoder', 'dist', 'index.mjs')));
const storage = new FileSessionStorage(folder);
console.log = console.error;

const held = new Map();
const states = new Map();
const known = async (name) => {
  if (!held.has(name)) held.set(name, await session.load(name, storage));
  return held.get(name);
};

const commands = {
  async start({ name, question }) {
    const s = session({ name, storage });
    held.set(name, s);
    return s.claude(question, { outputFormat: 'json' });
  },
  async ask({ name, question }) {
    return (await known(name)).claude(question, { outputFormat: 'json' });
  },
  // What its session does once an answer is there: two messages, and all of it saved.
  async record({ name }) {
    const state = states.get(name) ?? (await storage.load(name));
    states.set(name, state);
    for (const role of ['user', 'assistant']) {
      state.messages.push({ role, content: 'x'.repeat(1000), timestamp: new Date(), sessionId: 'claude' });
    }
    state.metadata.lastActive = new Date();
    const start = performance.now();
    await storage.save(state, name);
    return { milliseconds: performance.now() - start };
  },
  async list() {
    return session.list(storage);
  },
};

process.stdout.write('ready\n');
for await (const line of createInterface({ input: createReadStream(null, { fd: Number(descriptor) }) })) {
  const { command, ...more } = JSON.parse(line);
  if (commands[command] === undefined) throw new Error(command);
  const start = performance.now();
  const answer = await commands[command](more);
  const milliseconds = answer?.milliseconds ?? performance.now() - start;
  const count = Array.isArray(answer) ? answer.length : 1;
  const text = answer?.data ?? null;
  process.stdout.write(`${JSON.stringify({ milliseconds, count, text, success: answer?.success ?? true })}\n`);
}
